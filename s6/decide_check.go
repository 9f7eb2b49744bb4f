package s6

import "github.com/evenkeel/evenkeel/fsm"

// decideUnchecked decides about a process that is ready as far as s6 knows, and
// that is starting: it runs once it has passed its check.
func decideUnchecked(in input) (d fsm.Decision, waits bool) {
	o := &in.Observed
	left := in.Since.Add(o.StartTimeout).Sub(in.Now)
	switch {
	case o.Check.failing():
		return fsm.Decision{Fire: EventStartFailed, Reason: unanswered(o)}, true
	case o.Check.untold() && left < 0:
		return fsm.Decision{Fire: EventStartFailed, Reason: fsm.Because("it did not pass its check in time").With(o.Check.evidence())}, true
	case o.Check.untold():
		return fsm.Decision{Reason: awaitsCheck(o), After: min(left, later) + past}, true
	}
	return d, false
}

// replaceHung has another process take the place of one that does not answer.
func replaceHung(o *Observed) fsm.Decision {
	return fsm.Decision{Do: hungActions, Reason: unanswered(o), After: later}
}
