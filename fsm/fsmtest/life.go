package fsmtest

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/fsm"
)

// Bounds of one life.
const (
	maxPasses = 20_000 // for one thing asked for
	maxLines  = 60     // of a path that is shown
)

// life is the simulation of one instance in one world.
type life[D, O any] struct {
	check   *Check[D, O]
	scene   Scene[D, O]
	world   World[D, O]
	used    map[fsm.Row]bool
	backoff fsm.Backoff

	start, now time.Time
	state      fsm.State
	since      time.Time
	desired    fsm.Desired[D]

	still  int // passes since time last went on
	failed failed
	reason fsm.Reason
	log    log
}

// failed is what could not be done, which is put off or held.
type failed struct {
	decision fsm.Decision
	count    int
	next     time.Time
	held     bool
}

func newLife[D, O any](c *Check[D, O], scene Scene[D, O], state fsm.State, used map[fsm.Row]bool) *life[D, O] {
	now := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	l := &life[D, O]{
		check: c, scene: scene, world: scene.New(now), used: used,
		backoff: fsm.Backoff{Jitter: -1}, now: now, state: state,
	}
	l.advance(0)
	l.start, l.since = l.now, l.now
	return l
}

// ask lives on until what is asked for is reached, and returns what is wrong.
func (l *life[D, O]) ask(desired fsm.Desired[D]) (problem string) {
	l.desired = desired
	l.failed, l.still = failed{}, 0
	l.log.note("asked for %s", desired.State)
	ends, hopeless := l.scene.Ends[desired.State]
	deadline := l.now.Add(l.check.Within)
	for n := 0; n < maxPasses && !l.now.After(deadline); n++ {
		settled, pause, problem := l.pass()
		switch {
		case problem != "":
			return problem
		case settled && hopeless && !slices.Contains(ends, l.phase()):
			return fmt.Sprintf("it got there, which the scene says it cannot: only to one of %v", ends)
		case settled:
			return ""
		}
		if hopeless && pause > l.check.Within {
			return fmt.Sprintf("its next look is %s away", pause)
		}
		l.still++
		if pause > 0 {
			l.still = 0
		}
		if l.still > 2*len(l.check.Kind.Table.States()) {
			return "it goes round in circles without letting time pass"
		}
		l.advance(pause)
	}
	if !hopeless {
		return fmt.Sprintf("it is not there after %s: it is %s", l.now.Sub(l.start), l.state)
	}
	if !slices.Contains(ends, l.phase()) {
		return fmt.Sprintf("it ended in %s of phase %s, not in one of %v", l.state, l.phase(), ends)
	}
	return ""
}

func (l *life[D, O]) phase() fsm.Phase { return l.check.Kind.Table.Phase(l.state) }

// there reports whether the state is what is asked for.
func (l *life[D, O]) there() bool {
	target, _ := l.check.Kind.Table.Target(l.desired.State)
	return l.phase() == target
}

func (l *life[D, O]) advance(d time.Duration) {
	if d > 0 {
		l.world.Advance(d)
		l.now = l.now.Add(d)
	}
	if clock, ok := l.world.(Clock); ok {
		l.now = clock.Now()
	}
}

// pass makes one pass. It returns whether it found the instance settled where
// it is to be, else how long to wait for the next.
func (l *life[D, O]) pass() (settled bool, pause time.Duration, problem string) {
	from := l.state
	observed, err := l.world.Observe(context.Background(), l.desired)
	if err != nil {
		pause = l.fail(fsm.Decision{}, err)
		l.failed.held = false
		l.record(from, fsm.Decision{Reason: l.reason}, nil, fmt.Errorf("cannot observe: %w", err))
		return false, pause, ""
	}
	d, problem := l.decide(fsm.Input[D, O]{
		Now: l.now, State: l.state, Since: l.since, Desired: l.desired, Observed: observed,
	})
	if problem != "" {
		return false, 0, problem
	}
	if l.waits(d) {
		return false, l.putOff(d), ""
	}
	done, err := l.do(d.Do)
	if err == nil && d.Fire != "" {
		to, _ := l.check.Kind.Table.Next(from, d.Fire)
		l.used[fsm.Row{Event: d.Fire, From: from, To: to}] = true
		l.state, l.since = to, l.now
	}
	if err != nil {
		pause = l.fail(d, err)
		l.record(from, d, done, err)
		return false, pause, ""
	}
	l.failed = failed{}
	l.record(from, d, done, nil)
	if d.Reason == (fsm.Reason{}) && !l.there() {
		return false, 0, fmt.Sprintf("it is left in %s without a reason", l.state)
	}
	idle := len(d.Do) == 0 && d.Fire == ""
	return idle && l.there(), l.pause(d), ""
}

// decide calls Decide twice and checks what it says.
func (l *life[D, O]) decide(in fsm.Input[D, O]) (d fsm.Decision, problem string) {
	defer func() {
		if v := recover(); v != nil {
			problem = fmt.Sprintf("Decide panics in %s: %v", in.State, v)
		}
	}()
	d = l.check.Kind.Decide(in)
	again := l.check.Kind.Decide(in)
	switch {
	case !reflect.DeepEqual(d, again):
		return d, fmt.Sprintf("Decide is not pure: in %s the same input gave %+v, then %+v", in.State, d, again)
	case d.After < 0:
		return d, fmt.Sprintf("Decide asks in %s for another look after %s", in.State, d.After)
	}
	if _, ok := l.check.Kind.Table.Next(in.State, d.Fire); d.Fire != "" && !ok {
		return d, fmt.Sprintf("Decide fires %s in %s, for which the table has no row", d.Fire, in.State)
	}
	return d, ""
}

// do carries out the actions up to the first that fails and returns those that
// were tried.
func (l *life[D, O]) do(actions []fsm.Action) (tried []fsm.Action, err error) {
	for n, action := range actions {
		if err := l.world.Do(context.Background(), action, l.desired); err != nil {
			return actions[:n+1], fmt.Errorf("cannot %s: %w", action, err)
		}
	}
	return actions, nil
}

// fail books what could not be done and returns how long to wait.
func (l *life[D, O]) fail(d fsm.Decision, err error) time.Duration {
	f := &l.failed
	if !reflect.DeepEqual(f.decision, d) {
		f.count = 0
	}
	f.count++
	f.decision, f.held = d, fsm.IsPermanent(err)
	f.next = l.now.Add(l.backoff.Delay(f.count))
	return l.putOff(d)
}

// waits reports whether the decision failed before and is not tried yet.
func (l *life[D, O]) waits(d fsm.Decision) bool {
	f := &l.failed
	return f.count > 0 && reflect.DeepEqual(f.decision, d) && (f.held || l.now.Before(f.next))
}

// putOff is how long to wait after a decision that was not carried out.
func (l *life[D, O]) putOff(d fsm.Decision) time.Duration {
	pause := l.pause(fsm.Decision{After: d.After})
	if until := l.failed.next.Sub(l.now); until > 0 {
		pause = min(pause, until)
	}
	return pause
}

// pause is how long to wait after a decision that was carried out.
func (l *life[D, O]) pause(d fsm.Decision) time.Duration {
	switch {
	case d.Fire != "":
		return 0
	case d.After > 0:
		return d.After
	case len(d.Do) > 0:
		return fsm.DefaultTick
	}
	return l.check.Kind.Resync
}

func (l *life[D, O]) record(from fsm.State, d fsm.Decision, tried []fsm.Action, err error) {
	l.reason = d.Reason
	l.log.pass(entry{
		at: l.now.Sub(l.start), from: from, to: l.state, event: d.Fire,
		tried: tried, reason: d.Reason, err: err, held: l.failed.held,
	})
}
