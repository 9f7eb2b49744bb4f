package s6

import (
	"fmt"
	"time"

	"github.com/evenkeel/evenkeel/fsm"
)

// decide is the state machine of a service: it says what to do in a state,
// given what is asked and what was seen.
func decide(in input) fsm.Decision {
	if in.Observed.Owner != "" {
		return decideForeign(in)
	}
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
		case fsm.StateRemoving:
			return fsm.Decision{Fire: fsm.EventRemoveDone, Reason: r}
		}
		return fsm.Decision{Do: createActions, Reason: r}
	}
	switch in.State {
	case StateStarting, StateRunning, StateDegraded:
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
	}
	return d
}

// soon returns soonest while the state is new, then later.
func soon(in input) time.Duration {
	if in.Now.Sub(in.Since) < scanPatience {
		return soonest
	}
	return later
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
	case want == Running && o.Up() && !o.Status.WantUp && !o.Ended && !o.Lags:
		// An earlier run or somebody else has told it; s6 will see to it.
		return fsm.Decision{Fire: EventStop, Reason: fsm.Because("its process was told to end").With(fmt.Sprintf("pid %d", o.Status.PID))}
	case want == Running && o.Up() && !o.AskedDown:
		return fsm.Decision{Fire: EventStart, Reason: fsm.Because("it runs already")}
	case want == Running && o.CommandProblem != "":
		return fsm.Decision{Fire: EventStart, Reason: in.Asked()}
	case want == Running:
		return fsm.Decision{Do: upActions, Fire: EventStart, Reason: in.Asked()}
	case !o.AskedDown:
		return fsm.Decision{Do: downActions, Reason: fsm.Because("it would start by itself with the tree")}
	}
	return fsm.Decision{}
}

func decideStarting(in input) fsm.Decision {
	o := &in.Observed
	if in.Desired.State != Running {
		return fsm.Decision{Fire: EventStop, Reason: in.Asked()}
	}
	if d, needed := mend(in); needed {
		return d
	}
	left, fresh := o.fresh(in.Now)
	late := in.Now.Sub(in.Since) > o.StartTimeout
	switch {
	case o.CommandProblem != "":
		return fsm.Decision{Fire: EventStartFailed, Reason: fsm.Because("its command cannot be started").With(o.CommandProblem)}
	case o.Deaths >= CrashLimit:
		return fsm.Decision{Fire: EventStartFailed, Reason: crashing(o)}
	case o.Failed:
		return fsm.Decision{Fire: EventStartFailed, Reason: gaveUp(o)}
	case o.outgoing():
		return restart(o)
	case o.Unstarted:
		return fsm.Decision{Fire: EventStartFailed, Reason: unstarted(o)}
	case o.Awaited:
		return resume()
	case o.beginning(in.Now):
		return fsm.Decision{Reason: waiting(o), After: soonest}
	case o.Ready() && fresh:
		return fsm.Decision{Reason: justStarted(o), After: left + past}
	case o.Ready():
		return fsm.Decision{Fire: EventStartDone, Reason: shown(o)}
	case late:
		return fsm.Decision{Fire: EventStartFailed, Reason: fsm.Because("it did not become ready in time").With(o.lastDeath())}
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
	if r, bad := trouble(o); bad {
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
		return resume()
	}
	left, fresh := o.fresh(in.Now)
	r, bad := trouble(o)
	switch {
	case !bad && fresh:
		return fsm.Decision{Reason: justStarted(o), After: left + past}
	case !bad:
		return fsm.Decision{Fire: EventRecovered, Reason: shown(o)}
	case o.LogsDeleted && o.Up():
		return fsm.Decision{Do: relogActions, Reason: r, After: soonest}
	case o.LoggerProblem != "" && o.Up():
		return fsm.Decision{Do: loggerActions, Reason: r, After: loggerPatience + later}
	case o.StartDue && o.CommandProblem == "":
		// s6-supervise itself waits for much longer.
		return fsm.Decision{Do: upActions, Reason: r, After: later}
	case o.Failed || o.CommandProblem != "" || o.Status.WantUp || o.Status.Up():
		return fsm.Decision{Reason: r, After: later}
	case o.justDown(in.Now):
		return fsm.Decision{Reason: r, After: eventPatience}
	}
	return fsm.Decision{Do: upActions, Reason: r}
}

// mend repairs what is around the process of a service that should run, without
// deciding about the process itself: the tree, the files, a stray process.
func mend(in input) (fsm.Decision, bool) {
	o := &in.Observed
	switch {
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

// resume spares a restart that was asked for the pause that s6-supervise makes
// after a crash. What crashes by itself is not told.
func resume() fsm.Decision {
	return fsm.Decision{Do: upActions, Reason: fsm.Because("another process is to take the place of the one that has ended")}
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

func decideStopping(in input) fsm.Decision {
	o := &in.Observed
	switch {
	case !o.Down() && (o.Supervised && (o.Status.WantUp || o.Status.Up() && !o.Told) || o.Exists && !o.AskedDown):
		// This program tells it once, whoever else may have told it, before a
		// stray process is ended: another process may wait for that end.
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
