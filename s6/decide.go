package s6

import (
	"fmt"

	"github.com/evenkeel/evenkeel/fsm"
)

// Decide is the state machine of a service, the Decide of every kind that NewKind
// returns: it says what to do in a state, given what is asked and what was seen. It
// is pure. Masked values give the same decision, but for what is masked in its
// reason, and so do values that were read back from their JSON.
func Decide(in fsm.Input[*Spec, Observed]) fsm.Decision {
	if in.Observed.Owner != "" {
		return decideForeign(in)
	}
	d := decideOwn(in)
	if in.Observed.Unrecorded && in.Desired.State == Running && len(d.Do) == 0 && d.Fire == "" {
		d.Do = recordActions // what may fail keeps nothing else waiting
		if d.Reason == (fsm.Reason{}) {
			d.Reason = unrecorded(&in.Observed)
		}
	}
	return d
}

func decideOwn(in input) fsm.Decision {
	switch in.State {
	case fsm.StateCreating:
		return decideCreating(in)
	case StateStopped:
		return decideStopped(in)
	case StateStarting:
		return decideStarting(in)
	case StateRunning:
		return decideRunning(in)
	case StateDegraded:
		return decideDegraded(in)
	case StateBackingOff:
		return decideBackingOff(in)
	case StateDone, StateFailed:
		return decideOver(in)
	case StateStopping:
		return decideStopping(in)
	default:
		return decideRemoving(in)
	}
}

// decideForeign does nothing to a service of another owner that has the name.
// If the instance is to be removed there is nothing to do; otherwise it tries
// to put the service in place, which fails and says why.
func decideForeign(in input) fsm.Decision {
	r := foreign(&in.Observed)
	if in.Desired.State != fsm.StateRemoved {
		switch in.State {
		case StateStarting:
			return fsm.Decision{Fire: EventStartFailed, Reason: r}
		case StateRunning:
			return fsm.Decision{Fire: EventDegraded, Reason: r}
		case StateStopping:
			return fsm.Decision{Fire: EventStopDone, Reason: r}
		case StateBackingOff:
			return fsm.Decision{Fire: EventRetry, Reason: r}
		case StateDone, StateFailed:
			return fsm.Decision{Fire: EventStart, Reason: r}
		case fsm.StateRemoving:
			return fsm.Decision{Fire: fsm.EventRemoveDone, Reason: r}
		}
		return fsm.Decision{Do: createActions, Reason: r}
	}
	switch in.State {
	case StateStarting, StateRunning, StateDegraded, StateBackingOff, StateDone, StateFailed:
		return fsm.Decision{Fire: EventStop, Reason: r}
	case StateStopping:
		return fsm.Decision{Fire: EventStopDone, Reason: r}
	case fsm.StateRemoving:
		return fsm.Decision{Fire: fsm.EventRemoveDone, Reason: r}
	}
	return fsm.Decision{Fire: fsm.EventRemove, Reason: r}
}

func decideCreating(in input) fsm.Decision {
	o := &in.Observed
	switch {
	case in.Desired.State == fsm.StateRemoved && o.whole():
		// What may run has to stop first.
		return fsm.Decision{Fire: fsm.EventCreateDone, Reason: in.Asked()}
	case in.Desired.State == fsm.StateRemoved:
		return fsm.Decision{Fire: fsm.EventRemove, Reason: in.Asked()}
	case o.Deleted:
		return endStray(in)
	case o.whole():
		return fsm.Decision{Fire: fsm.EventCreateDone, Reason: fsm.Because("it is supervised")}
	}
	return create(in)
}

func decideStopped(in input) fsm.Decision {
	o := &in.Observed
	switch want := in.Desired.State; {
	case want != Running && !o.Down():
		// It is said to be stopping before that is tried, which may fail.
		return fsm.Decision{Fire: EventStop, Reason: fsm.Because("it runs though it is to be " + string(want))}
	case o.StrayPID != 0:
		return endStray(in)
	case o.deserted():
		return endLeft(in)
	case want == fsm.StateRemoved:
		return fsm.Decision{Fire: fsm.EventRemove, Reason: in.Asked()}
	case !o.whole():
		return create(in)
	case !o.current():
		return fsm.Decision{Do: writeActions, Reason: rewritten(o)}
	case want == Running:
		return begin(in)
	case !o.AskedDown:
		return fsm.Decision{Do: downActions, Reason: fsm.Because("it would start by itself with the tree")}
	}
	return fsm.Decision{}
}

// begin has a service run that is in place and stopped, as far as this program
// knows.
func begin(in input) fsm.Decision {
	o := &in.Observed
	// Whose finish script has only said that it failed is asked for again.
	if d, ended := follow(in); ended && (o.Verdict != "" || !o.Failed) {
		return d
	}
	switch {
	case o.Up() && !o.Status.WantUp && !o.Ended && !o.Lags:
		// An earlier run or somebody else has told it; s6 will see to it.
		return fsm.Decision{Fire: EventStop, Reason: fsm.Because("its process was told to end").With(fmt.Sprintf("pid %d", o.Status.PID))}
	case o.Up() && !o.AskedDown:
		return fsm.Decision{Fire: EventStart, Reason: fsm.Because("it runs already")}
	case o.CommandProblem != "":
		return fsm.Decision{Fire: EventStart, Reason: in.Asked()}
	case o.Judged && o.Supervised && o.Status.WantUp && !o.AskedDown:
		// s6 is about to start another one. That it is told to would forget what
		// has been counted.
		return fsm.Decision{Fire: EventStart, Reason: in.Asked()}
	}
	return fsm.Decision{Do: upActions, Fire: EventStart, Reason: in.Asked()}
}

func decideStarting(in input) fsm.Decision {
	o := &in.Observed
	if in.Desired.State != Running {
		return fsm.Decision{Fire: EventStop, Reason: in.Asked()}
	}
	if d, needed := mend(in); needed {
		return d
	}
	if d, ended := follow(in); ended {
		return d
	}
	left, fresh := o.fresh(in.Now)
	unchecked, waits := decideUnchecked(in)
	late := in.Now.Sub(in.Since) > o.StartTimeout
	switch {
	case o.CommandProblem != "":
		return fsm.Decision{Fire: EventStartFailed, Reason: fsm.Because("its command cannot be started").With(o.CommandProblem)}
	case o.crashes():
		return fsm.Decision{Fire: EventStartFailed, Reason: crashing(o)}
	case o.outgoing():
		return restart(o)
	case o.Unstarted:
		return fsm.Decision{Fire: EventStartFailed, Reason: unstarted(o)}
	case o.Awaited:
		return resume(o)
	case o.beginning(in.Now):
		return fsm.Decision{Reason: waiting(o), After: soonest}
	case o.Ready() && fresh:
		return fsm.Decision{Reason: justStarted(o), After: left + past}
	case o.Ready() && waits:
		return unchecked
	case o.Ready():
		return fsm.Decision{Fire: EventStartDone, Reason: shown(o)}
	case late:
		return fsm.Decision{Fire: EventStartFailed, Reason: fsm.Because("it did not become ready in time").With(o.lastDeath())}
	case !o.Waits.IsZero():
		return fsm.Decision{Reason: waiting(o), After: soonest}
	case !o.Status.Up() && !o.Status.WantUp && o.justDown(in.Now):
		return fsm.Decision{Reason: waiting(o), After: eventPatience}
	case !o.Status.Up() && !o.Status.WantUp:
		return fsm.Decision{Do: upActions, Reason: fsm.Because("its process is to start")}
	}
	after := in.Since.Add(o.StartTimeout).Sub(in.Now)
	if !o.Status.Up() {
		after = min(after, unstartedPatience)
	}
	return fsm.Decision{Reason: waiting(o), After: after + past}
}

func decideRunning(in input) fsm.Decision {
	o := &in.Observed
	switch {
	case in.Desired.State != Running:
		return fsm.Decision{Fire: EventStop, Reason: in.Asked()}
	case o.Stale() && !o.current():
		return fsm.Decision{Do: writeActions, Fire: EventRestart, Reason: fsm.Because("its configuration changed")}
	case o.Stale():
		return fsm.Decision{Fire: EventRestart, Reason: outdated(o)}
	}
	if d, ended := follow(in); ended {
		return d
	}
	if r, bad := trouble(in); bad {
		return fsm.Decision{Fire: EventDegraded, Reason: r}
	}
	if !o.current() {
		r := fsm.Because("its configuration changed, but not for the process")
		if o.damaged() {
			r = rewritten(o)
		}
		return fsm.Decision{Do: writeActions, Reason: r}
	}
	return fsm.Decision{}
}

func decideDegraded(in input) fsm.Decision {
	o := &in.Observed
	if in.Desired.State != Running {
		return fsm.Decision{Fire: EventStop, Reason: in.Asked()}
	}
	if d, needed := mend(in); needed {
		return d
	}
	if o.outgoing() {
		return restart(o)
	}
	if o.Awaited && o.CommandProblem == "" {
		return resume(o)
	}
	if d, ended := follow(in); ended {
		return d
	}
	left, fresh := o.fresh(in.Now)
	r, bad := trouble(in)
	runs := !bad || r == in.Desired.Rejected
	switch {
	case o.Check.due(in.Now):
		return replaceHung(o)
	case runs && fresh:
		return fsm.Decision{Reason: justStarted(o), After: left + past}
	case runs && o.Check.untold():
		return fsm.Decision{Reason: awaitsCheck(o), After: later}
	case !bad:
		return fsm.Decision{Fire: EventRecovered, Reason: shown(o)}
	case o.LogsDeleted && o.Up():
		return fsm.Decision{Do: relogActions, Reason: r, After: soonest}
	case o.LoggerProblem != "" && o.Up():
		return fsm.Decision{Do: loggerActions, Reason: r, After: loggerPatience + later}
	case o.StartDue && o.CommandProblem == "":
		// s6-supervise itself waits for much longer.
		return fsm.Decision{Do: upActions, Reason: r, After: later}
	case o.crashedFirst():
		return resume(o)
	case o.CommandProblem != "" || o.Status.WantUp || o.Status.Up():
		return fsm.Decision{Reason: r, After: later}
	case o.justDown(in.Now):
		return fsm.Decision{Reason: r, After: eventPatience}
	}
	return fsm.Decision{Do: upActions, Reason: r}
}

func decideStopping(in input) fsm.Decision {
	o := &in.Observed
	switch {
	case o.Verdict != "":
		// What is started after this is asked for again.
		return fsm.Decision{Do: downActions, Reason: in.Asked()}
	case !o.Down() && (o.Supervised && (o.Status.WantUp || o.Status.Up() && !o.Told) || o.Exists && !o.AskedDown),
		!o.Supervised && o.Linked && o.Exists && !o.AskedDown:
		// This program tells it once, whoever else may have told it, before a
		// stray process is ended: another process may wait for that end. The next
		// supervisor goes by the file down.
		return fsm.Decision{Do: downActions, Reason: in.Asked()}
	case o.StrayPID != 0:
		return endStray(in)
	case o.deserted():
		return endLeft(in)
	case o.Supervised && o.Status.Up() && o.Overdue:
		return fsm.Decision{Do: downActions, Reason: overdue(o), After: later}
	case !o.Down():
		return fsm.Decision{Reason: toEnd(o), After: later}
	}
	return fsm.Decision{Fire: EventStopDone, Reason: fsm.Because("nothing of it runs").With(o.lastDeath())}
}

func decideRemoving(in input) fsm.Decision {
	o := &in.Observed
	switch {
	case o.StrayPID != 0:
		return endStray(in)
	case o.deserted():
		return endLeft(in)
	case o.Locked && !o.Linked && !o.Supervised:
		return fsm.Decision{Reason: toEnd(o), After: later}
	case o.Exists || o.Linked || o.Supervised || o.LoggerSupervised || o.Leftover:
		return fsm.Decision{Do: removeActions, Reason: fsm.Because("being removed").With(removalStage(o)), After: soon(in)}
	}
	return fsm.Decision{Fire: fsm.EventRemoveDone, Reason: fsm.Because("nothing of it is left")}
}
