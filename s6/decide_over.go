package s6

import (
	"fmt"
	"time"

	"github.com/evenkeel/evenkeel/fsm"
)

// follow does what the spec says about a process that has ended by itself, where
// it says anything.
func follow(in input) (d fsm.Decision, ended bool) {
	o := &in.Observed
	switch {
	case o.over():
		return over(o), true
	case o.Judged && o.Supervised && o.Status.Finishing && !o.Status.WantUp:
		// Its finish script has judged it, and is about to come to its end.
		return fsm.Decision{Reason: fsm.Because("its process has ended").With(o.lastDeath()), Pending: true, After: soonest}, true
	case o.backsOff(in.Now) && !o.outgoing():
		return fsm.Decision{Fire: EventBackOff, Reason: backingOff(o)}, true
	case o.Ending():
		return fsm.Decision{Reason: fsm.Because("its process has ended well").With(o.lastDeath()), Pending: true, After: later}, true
	}
	return d, false
}

// over reports whether the service came to its end.
func (o *Observed) over() bool {
	return (o.Failed || o.Verdict != "") && o.Status.PID == 0 && !o.Status.WantUp
}

// over says how a service came to its end.
func over(o *Observed) fsm.Decision {
	switch o.Verdict {
	case VerdictDone:
		return fsm.Decision{Fire: EventFinish, Reason: fsm.Because("its process has ended well").With(o.lastDeath())}
	case VerdictFailed:
		r := fsm.Because("its process failed, and is not to run again")
		switch {
		case o.Failures == 0:
			r = fsm.Because("its process ended while its supervisor was gone, and is not to run again")
		case o.Failures > 1:
			r = fsm.Because(fmt.Sprintf("its process ended %d times in a row", o.Failures))
		}
		return fsm.Decision{Fire: EventGiveUp, Reason: r.With(o.lastDeath())}
	}
	return fsm.Decision{Fire: EventGiveUp, Reason: gaveUp(o)}
}

// decideBackingOff waits for the pause to be over. A process that has begun to
// wait for that is one: it can be told to end.
func decideBackingOff(in input) fsm.Decision {
	o := &in.Observed
	if in.Desired.State != Running {
		return fsm.Decision{Fire: EventStop, Reason: in.Asked()}
	}
	if o.whole() && !o.current() && o.Up() && !o.outgoing() {
		// It has not begun, and what is asked for may begin at once.
		return fsm.Decision{Do: writeRestartActions, Reason: rewritten(o), After: later}
	}
	if d, needed := mend(in); needed {
		return d
	}
	switch {
	case o.outgoing():
		return restart(o)
	case o.over():
		return over(o)
	case o.backsOff(in.Now) && !o.Pauses:
		return fsm.Decision{Do: restartActions, Reason: fsm.Because("no pause is asked for any more"), After: later}
	case o.backsOff(in.Now) && o.Waits.Sub(in.Now) < crashPause && o.crashedFirst():
		return fsm.Decision{Do: resumeActions, Reason: backingOff(o)} // so that it pauses for no longer
	case o.backsOff(in.Now):
		return fsm.Decision{Reason: backingOff(o), After: o.Waits.Sub(in.Now) + past}
	}
	return fsm.Decision{Fire: EventRetry, Reason: fsm.Because("its pause is over").With(o.lastDeath())}
}

// backsOff reports whether the next process waits.
func (o *Observed) backsOff(now time.Time) bool {
	return o.Supervised && o.Status.WantUp && o.Waits.After(now)
}

func backingOff(o *Observed) fsm.Reason {
	r := fsm.Because(fmt.Sprintf("its process ended %d times in a row: the next one begins at %s", o.Failures, o.Waits.Format(time.RFC3339)))
	if o.Failures == 1 {
		r = fsm.Because("its process ended: the next one begins at " + o.Waits.Format(time.RFC3339))
	}
	return r.With(o.lastDeath())
}

// decideOver leaves a service that came to its end as it is, unless it is asked
// for something else.
func decideOver(in input) fsm.Decision {
	o := &in.Observed
	switch {
	case in.Desired.State != Running:
		return fsm.Decision{Fire: EventStop, Reason: in.Asked()}
	case o.Status.PID != 0 || o.Status.WantUp:
		return fsm.Decision{Fire: EventStart, Reason: fsm.Because("it was told to run again")}
	case !o.over() || (in.State == StateDone) != (o.Verdict == VerdictDone):
		return fsm.Decision{Fire: EventStart, Reason: fsm.Because("it is asked for again")}
	case o.StrayPID != 0:
		return endStray(in)
	case o.deserted():
		return endLeft(in)
	case !o.whole():
		return create(in)
	case !o.current():
		return fsm.Decision{Do: writeActions, Reason: rewritten(o)}
	}
	return fsm.Decision{Reason: over(o).Reason}
}
