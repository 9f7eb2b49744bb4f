package metrics

import (
	"time"

	"github.com/evenkeel/evenkeel/fsm"
)

// instance is what is taken from a snapshot, whatever its kind is.
type instance struct {
	key
	state, desired fsm.State
	phase          fsm.Phase
	phaseStart     time.Time // as far as its history says
	nextTry        time.Time
	nextPass       time.Time
	settled, held  bool
	waits          bool
	rejected       bool
	snapshot       any
}

func instanceOf[D, O any](s *fsm.Snapshot[D, O]) instance {
	i := instance{
		key: key{s.Kind, s.Name}, state: s.State, desired: s.Desired.State,
		phase: s.Phase, phaseStart: s.Since,
		nextTry: s.NextTry, nextPass: s.NextPass,
		settled: s.Settled, held: s.Held,
		waits: s.Waits != (fsm.Reason{}), rejected: s.Desired.Rejected != (fsm.Reason{}),
		snapshot: s,
	}
	for n := len(s.History) - 1; n >= 0 && s.History[n].ToPhase == s.Phase; n-- {
		i.phaseStart = s.History[n].At
	}
	return i
}

// counted is an instance with what is counted of it.
type counted struct {
	instance
	tally
}

// since returns when the instance entered its phase. What was told of it is older
// than what a history still has, unless it is of another phase.
func (i *instance) since(t *tally) time.Time {
	if t.phase == i.phase && !t.phaseStart.IsZero() {
		return t.phaseStart
	}
	return i.phaseStart
}

// tries returns when what failed is tried again, of the instance itself and of its
// process, zero for nothing that is to be; and whether one of them is not, until
// something changes.
func (i *instance) tries(t *tally) (next time.Time, held bool) {
	next, held = i.nextTry, i.held
	later := func(at time.Time) {
		if at.After(next) {
			next = at
		}
	}
	if t.service != nil {
		later(t.service.NextTry)
		later(t.service.Observed.Waits)
		held = held || t.service.Held
	}
	if t.stream != nil {
		later(t.stream.NextTry)
		later(t.stream.Observed.Ended.Again)
		held = held || t.stream.Held
	}
	return next, held
}
