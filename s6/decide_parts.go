package s6

import (
	"time"

	"github.com/evenkeel/evenkeel/fsm"
)

// create puts in place what is missing, and waits for s6-svscan to do its part.
// If that takes long, s6-svscan is nudged.
func create(in input) fsm.Decision {
	o := &in.Observed
	d := fsm.Decision{Reason: fsm.Because("not in place yet").With(missing(o)), After: soonest}
	switch {
	case o.damaged():
		d.Do = writeActions
	case o.Exists && o.LoggerRemains:
		d.Do, d.After = endStrayActions, scanTime
	case !o.Exists || !o.Linked || !o.Watched:
		d.Do = createActions
	case in.Now.Sub(o.Owed) >= scanPatience:
		d.Do, d.After = nudgeActions, later
	default:
		d.After = owedPause(in.Now.Sub(o.Owed))
	}
	return d
}

// owedPause is how long is waited for a supervisor that has been owed for so long.
// Where thousands of services start at once each takes its time, and thousands that
// are looked at all the while would take it from those that start.
func owedPause(owed time.Duration) time.Duration {
	return min(max(soonest, owed/4), scanPatience-owed)
}

// soon returns soonest while the state is new, then later.
func soon(in input) time.Duration {
	if in.Now.Sub(in.Since) < scanPatience {
		return soonest
	}
	return later
}

// mend repairs what is around the process of a service that should run, without
// deciding about the process itself: the tree, the files, a stray process.
func mend(in input) (fsm.Decision, bool) {
	o := &in.Observed
	switch {
	case o.awaitsStray():
		d := fsm.Decision{Reason: strays(o), After: later}
		switch {
		case in.State == StateStarting:
			d.Fire = EventStartFailed
		case o.unwritten():
			d.Do = statusActions // a restart that is asked for needs one
		}
		return d, true
	case o.StrayPID != 0:
		return endStray(in), true
	case o.deserted():
		return endLeft(in), true
	case !o.whole():
		return create(in), true
	case o.Lags:
		// Telling what is up to be up makes s6-supervise write the status.
		return fsm.Decision{Do: upActions, Reason: lags(o), After: later}, true
	case !o.current() && (o.Status.Up() || o.CommandProblem != ""):
		return fsm.Decision{Do: writeActions, Reason: rewritten(o)}, true
	case !o.current():
		// A start that failed because a file was missing is not tried again
		// soon unless s6-supervise is told.
		return fsm.Decision{Do: writeUpActions, Reason: rewritten(o)}, true
	}
	return fsm.Decision{}, false
}

// restart ends the process so that another takes its place. Its death is an
// event; until then each pass checks whether it has to be killed.
func restart(o *Observed) fsm.Decision {
	return fsm.Decision{Do: restartActions, Reason: outdated(o), After: later}
}

// resume spares the next process the pause that s6-supervise makes after each end:
// where a restart was asked for, and after a first crash. What crashes again keeps
// the pause.
func resume(o *Observed) fsm.Decision {
	if o.Awaited {
		return fsm.Decision{Do: upActions, Reason: fsm.Because("another process is to take the place of the one that has ended")}
	}
	return fsm.Decision{Do: resumeActions, Reason: firstCrash(o)}
}

func endStray(in input) fsm.Decision {
	d := fsm.Decision{Do: endStrayActions, Reason: strays(&in.Observed)}
	if in.Observed.Deleted {
		d.After = scanTime // a look at the process table is expensive
	}
	return d
}

func endLeft(in input) fsm.Decision {
	return fsm.Decision{Do: endLeftActions, Reason: leftRunning(&in.Observed), After: soon(in)}
}
