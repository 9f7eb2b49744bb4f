package pace

import (
	"hash/fnv"
	"io"
	"time"
)

// Attempt says what a pass tries, so that only the same thing is put off.
type Attempt struct {
	Generation uint64 // how many times what is desired had changed
	State      string
	Action     string // the first
	Event      string
	Summary    string // of the reason
	Evidence   string
}

// NewAttempt returns what a decision tries in a state.
func NewAttempt[S, A, E ~string](generation uint64, state S, do []A, fire E, summary, evidence string) Attempt {
	a := Attempt{Generation: generation, State: string(state), Event: string(fire), Summary: summary, Evidence: evidence}
	if len(do) > 0 {
		a.Action = string(do[0])
	}
	return a
}

// like reports whether two attempts differ in their evidence at most.
func (a Attempt) like(b Attempt) bool {
	a.Evidence, b.Evidence = "", ""
	return a == b
}

// Rule holds the times of a kind.
type Rule struct {
	// Delay returns how long to wait after so many failures in a row.
	Delay func(failures int) time.Duration
	// Turn is a number by which instances are spread over the time: they are looked
	// at in the same intervals, and not at the same moments. Zero spreads nothing.
	Turn uint32
	// Resync is the longest time between two passes, and Rest the longest where
	// what happens between them wakes the instance.
	Resync, Rest time.Duration
	// Recheck is the time from an action to the pass that looks at its effect.
	Recheck time.Duration
}

// Outcome is what came of a pass.
type Outcome struct {
	// Decided says that the pass observed and decided. Attempt is what it
	// decided. PutOff says that it did not try that, because Waits said so.
	Decided bool
	Attempt Attempt
	PutOff  bool
	// Acted says that the decision has actions, Fired that the pass made a
	// transition. After is how long the decision leaves the instance alone.
	Acted, Fired bool
	After        time.Duration
	// Heard says that whatever happens to what was observed wakes the instance.
	Heard bool
	// Err is why the pass failed. Permanent says that trying the same thing
	// again is useless.
	Err       error
	Permanent bool
	// Owned is when something that the instance owns is due, zero for no
	// sooner than the instance.
	Owned time.Time
}

// Verdict is what a pass's outcome means.
type Verdict struct {
	// Next is when the next pass is due.
	Next time.Time
	// Err is what fails at present, Failures how often in a row it has failed,
	// and Failing since when. Held says that it is not tried again until something
	// changes; otherwise NextTry is when it is tried again.
	Err      error
	Failures int
	Failing  time.Time
	Held     bool
	NextTry  time.Time
}

// Memory is what one pass leaves to the next. The zero Memory is that of an
// instance that never failed.
type Memory struct {
	looking failure // to observe or to decide
	acting  failure // to do what was decided
}

// failure is a series of failed tries of one thing. The zero failure is none.
type failure struct {
	attempt Attempt
	err     error
	count   int
	since   time.Time // of the first
	next    time.Time // not tried again before, held or not
	held    bool      // not tried again until the attempt changes
}

// again adds a failed try. The count begins at one if the try is of something
// else.
func (f failure) again(now time.Time, a Attempt, err error, held bool, rule Rule) failure {
	count, since := 1, now
	if f.err != nil && f.attempt.like(a) {
		count, since = f.count+1, f.since
	}
	return failure{attempt: a, err: err, count: count, since: since, held: held, next: now.Add(rule.Delay(count))}
}

// due reports whether and when the attempt that failed is due by itself. A held
// attempt is due once, when its delay is over: other evidence may try it then.
func (f failure) due(now time.Time) (time.Time, bool) {
	return f.next, f.err != nil && (!f.held || f.next.After(now))
}

// Waits reports whether an attempt failed before and is put off or held.
func (m *Memory) Waits(now time.Time, a Attempt) bool {
	f := &m.acting
	if f.err == nil || !f.attempt.like(a) {
		return false
	}
	return now.Before(f.next) || f.held && f.attempt == a
}

// Conclude records a pass that ended at now.
func (m *Memory) Conclude(now time.Time, rule Rule, o Outcome) Verdict {
	if o.Decided || o.Err == nil {
		m.looking = failure{}
	}
	current := &m.acting
	switch {
	case o.Err != nil && !o.Decided:
		current = &m.looking
		*current = current.again(now, Attempt{}, o.Err, false, rule)
	case o.Err != nil:
		*current = current.again(now, o.Attempt, o.Err, o.Permanent, rule)
	case !o.PutOff:
		*current = failure{}
	}
	v := Verdict{
		Next: now.Add(rule.pause(now, o)), Err: current.err, Failures: current.count,
		Failing: current.since, Held: current.held, NextTry: current.next,
	}
	if next, due := current.due(now); due {
		v.Next = sooner(v.Next, next)
	}
	if !o.Owned.IsZero() {
		v.Next = sooner(v.Next, o.Owned)
	}
	switch {
	case current == &m.looking:
		v.NextTry = v.Next // every pass looks
	case current.held:
		v.NextTry = time.Time{}
	}
	return v
}

// pause is how long after a pass the next is due by its decision alone, which
// says nothing of an attempt that failed.
func (r Rule) pause(now time.Time, o Outcome) time.Duration {
	failed := o.PutOff || o.Err != nil
	switch {
	case o.Fired:
		return 0
	case failed:
		return r.turn(now, r.Resync)
	case o.After > 0:
		return min(o.After, r.Resync)
	case o.Acted:
		return min(r.Recheck, r.Resync)
	case o.Heard:
		return r.turn(now, r.Rest)
	}
	return r.turn(now, r.Resync)
}

// TurnOf returns the number that an instance has by its name.
func TurnOf(name string) uint32 {
	h := fnv.New32a()
	_, _ = io.WriteString(h, name) // it never fails
	return h.Sum32()
}

// turns is how many turns an interval has. To wake up costs a program more than a
// pass, so that those who share a turn cost less.
const turns = 30

// turn is how long it takes until it is the instance's turn again, where each has
// one in an interval: the whole interval at most.
func (r Rule) turn(now time.Time, every time.Duration) time.Duration {
	apart := max(every/turns, r.Recheck)
	if r.Turn == 0 || every < 2*apart {
		return every
	}
	mine := time.Duration(r.Turn) % (every / apart) * apart
	return every - (time.Duration(now.UnixNano())-mine)%every
}

func sooner(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
