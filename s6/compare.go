package s6

import (
	"cmp"

	"github.com/evenkeel/evenkeel/fsm"
)

// compare implements fsm.Kind.Compare: what a program would do that begins now. It
// has looked once, and a process that the status does not name counts as a stray
// at once.
func compare(d fsm.Desired[*Spec], o Observed) fsm.Change {
	o.StrayPID = cmp.Or(o.StrayPID, o.stranger)
	switch {
	case !o.Exists && o.Deleted:
		return change(fsm.ChangeCreate, strays(&o))
	case !o.Exists:
		return change(fsm.ChangeCreate, fsm.Because("it is not there"))
	case d.State == Stopped:
		return compareStopped(d.Spec, &o)
	}
	return compareRunning(d.Spec, &o)
}

func change(kind fsm.ChangeKind, why fsm.Reason) fsm.Change {
	return fsm.Change{Kind: kind, Why: why.String()}
}

func compareStopped(spec *Spec, o *Observed) fsm.Change {
	repair, broken := repaired(spec, o)
	switch {
	case o.StrayPID != 0:
		return change(fsm.ChangeStop, strays(o))
	case o.Supervised && o.Status.Up():
		return change(fsm.ChangeStop, fsm.Because("it runs"))
	case o.deserted():
		return change(fsm.ChangeStop, leftRunning(o))
	case broken:
		return change(fsm.ChangeLive, repair)
	case !o.AskedDown:
		return change(fsm.ChangeLive, fsm.Because("it would start by itself with the tree"))
	}
	return change(fsm.ChangeNone, fsm.Because("it is as declared"))
}

func compareRunning(spec *Spec, o *Observed) fsm.Change {
	repair, broken := repaired(spec, o)
	up := o.Supervised && o.Status.Up()
	switch {
	case o.awaitsStray():
		return change(fsm.ChangeNone, strays(o))
	case o.StrayPID != 0:
		return change(fsm.ChangeRestart, strays(o))
	case !up && o.Verdict != "" && broken:
		return change(fsm.ChangeLive, fsm.Because(over(o).Reason.String()+"; "+repair.String()))
	case !up && o.Verdict != "":
		return change(fsm.ChangeNone, over(o).Reason)
	case !up:
		return change(fsm.ChangeStart, fsm.Because("it does not run").With(o.CommandProblem))
	case o.Started != "" && o.Started != spec.processHash():
		return change(fsm.ChangeRestart, fsm.Because("its process was started from something else"))
	case o.Started == "" && o.Hash != spec.Hash() && !(o.Intact && o.made == spec.processHash()):
		return change(fsm.ChangeRestart, fsm.Because("it is not known what its process was started from"))
	case o.Unlocked:
		return change(fsm.ChangeRestart, unlocked())
	case broken:
		return change(fsm.ChangeLive, repair)
	case o.AskedDown:
		return change(fsm.ChangeLive, fsm.Because("it would not start by itself with the tree"))
	}
	return change(fsm.ChangeNone, fsm.Because("it is as declared"))
}

// repaired says what of a service is not as it is to be, if anything is, apart from
// its process.
func repaired(spec *Spec, o *Observed) (r fsm.Reason, broken bool) {
	switch {
	case o.Hash != "" && o.Hash != spec.Hash():
		return fsm.Because("its files differ, but not for the process"), true
	case o.damaged():
		return rewritten(o), true
	case o.Hash == "":
		return fsm.Because("its files are not whole"), true
	case o.Supervised && !(o.Linked && o.LoggerSupervised), o.LoggerRemains:
		return fsm.Because("not in place").With(missing(o)), true
	case o.LogsDeleted:
		return logsDeleted(), true
	}
	return fsm.Reason{}, false
}
