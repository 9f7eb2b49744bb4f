package fsmtest

import (
	"context"
	"fmt"
	"io"
	"reflect"
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/fsm/internal/clock"
	"github.com/evenkeel/evenkeel/fsm/internal/pace"
)

// Bounds of one life.
const (
	maxPasses = 20_000 // for one thing asked for
	maxLines  = 60     // of a path that is shown
)

// life is the simulation of one instance in one world.
type life[D, O any] struct {
	check *Check[D, O]
	scene Scene[D, O]
	world World[D, O]
	used  map[fsm.Row]bool
	rule  pace.Rule

	start, now time.Time
	state      fsm.State
	since      time.Time
	desired    fsm.Desired[D]
	asked      uint64 // how many times something was asked

	still   int // passes since time last went on
	memory  pace.Memory
	decided []decided[D, O]
	log     log
}

// decided is what Decide answered to an input.
type decided[D, O any] struct {
	in fsm.Input[D, O]
	d  fsm.Decision
}

func newLife[D, O any](c *Check[D, O], scene Scene[D, O], state fsm.State, used map[fsm.Row]bool) *life[D, O] {
	now := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	l := &life[D, O]{
		check: c, scene: scene, world: scene.New(now), used: used,
		rule: pace.Rule{Delay: fsm.Backoff{Jitter: -1}.Delay, Resync: c.Kind.Resync, Recheck: fsm.DefaultTick},
		now:  now, state: state,
	}
	l.advance(0)
	l.start, l.since = l.now, l.now
	return l
}

// ask goes on until what is asked for is reached, and returns what is wrong.
func (l *life[D, O]) ask(desired fsm.Desired[D]) (problem string) {
	l.desired, l.still = desired, 0
	l.asked++
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

// there reports whether the state is the one that is asked for.
func (l *life[D, O]) there() bool {
	target, _ := l.check.Kind.Table.Target(l.desired.State)
	return l.phase() == target
}

func (l *life[D, O]) advance(d time.Duration) {
	if d > 0 {
		l.world.Advance(d)
		l.now = l.now.Add(d)
	}
	if c, ok := l.world.(Clock); ok {
		l.now = c.Now()
	}
}

// close closes the world, if it can be closed.
func (l *life[D, O]) close() error {
	if c, ok := l.world.(io.Closer); ok {
		return c.Close()
	}
	return nil
}

// pass makes one pass. It reports whether the instance was settled where it is
// to be, and otherwise how long to wait for the next pass.
func (l *life[D, O]) pass() (settled bool, pause time.Duration, problem string) {
	var o pace.Outcome
	ctx := clock.At(context.Background(), l.now)
	if owner, ok := l.world.(fsm.Owner); ok {
		owner.ReconcileOwned(ctx)
	}
	observed, err := l.world.Observe(ctx, l.desired)
	if err != nil {
		o.Err = fmt.Errorf("cannot observe: %w", err)
		return false, l.conclude(l.state, fsm.Decision{}, nil, o), ""
	}
	d, problem := l.decide(fsm.Input[D, O]{
		Now: l.now, State: l.state, Since: l.since, Desired: l.desired, Observed: observed,
	})
	if problem != "" {
		return false, 0, problem
	}
	from, idle := l.state, len(d.Do) == 0 && d.Fire == ""
	o.Decided, o.Acted, o.After = true, len(d.Do) > 0, d.After
	o.Attempt = pace.NewAttempt(l.asked, from, d.Do, d.Fire, d.Reason.Summary, d.Reason.Evidence)
	var tried []fsm.Action
	if o.PutOff = !idle && l.memory.Waits(l.now, o.Attempt); !o.PutOff {
		tried, o.Err = l.do(d.Do)
		o.Permanent = fsm.IsPermanent(o.Err)
	}
	if d.Fire != "" && !o.PutOff && o.Err == nil {
		l.fire(d.Fire)
		o.Fired = true
	}
	pause = l.conclude(from, d, tried, o)
	switch {
	case o.PutOff, o.Err != nil:
		return false, pause, ""
	case d.Reason == (fsm.Reason{}) && !l.there():
		return false, 0, fmt.Sprintf("it is left in %s without a reason", l.state)
	}
	return idle && l.there(), pause, ""
}

func (l *life[D, O]) fire(event fsm.Event) {
	to, _ := l.check.Kind.Table.Next(l.state, event)
	l.used[fsm.Row{Event: event, From: l.state, To: to}] = true
	l.state, l.since = to, l.now
}

// conclude records a pass, writes it down, and returns how long to wait for the
// next.
func (l *life[D, O]) conclude(from fsm.State, d fsm.Decision, tried []fsm.Action, o pace.Outcome) time.Duration {
	if owner, ok := l.world.(fsm.Owner); ok {
		o.Owned = owner.OwnedDue()
	}
	v := l.memory.Conclude(l.now, l.rule, o)
	if !o.PutOff {
		l.log.pass(entry{
			at: l.now.Sub(l.start), from: from, to: l.state, event: d.Fire,
			tried: tried, reason: d.Reason, err: o.Err, held: v.Held,
		})
	}
	return v.Next.Sub(l.now)
}

// decide makes the kind decide twice and checks the decision.
func (l *life[D, O]) decide(in fsm.Input[D, O]) (d fsm.Decision, problem string) {
	defer func() {
		if v := recover(); v != nil {
			problem = fmt.Sprintf("Decide panics in %s: %v", in.State, v)
		}
	}()
	d = l.check.Kind.Decision(in)
	l.decided = append(l.decided, decided[D, O]{in, d})
	switch again := l.check.Kind.Decision(in); {
	case !reflect.DeepEqual(d, again):
		return d, impure(in.State, d, again)
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
		if err := l.world.Do(clock.At(context.Background(), l.now), action, l.desired); err != nil {
			return actions[:n+1], fmt.Errorf("cannot %s: %w", action, err)
		}
	}
	return actions, nil
}

// impure finds out whether decisions depend on more than their input: it asks
// for all of them again, in the opposite order.
func (l *life[D, O]) impure() (problem string) {
	for _, was := range slices.Backward(l.decided) {
		if problem := l.decideAgain(was); problem != "" {
			return problem
		}
	}
	return ""
}

// decideAgain reports whether an input gives something else than it did.
func (l *life[D, O]) decideAgain(was decided[D, O]) (problem string) {
	defer func() {
		if v := recover(); v != nil {
			problem = fmt.Sprintf("Decide is not pure: in %s the same input gave %+v, then a panic: %v", was.in.State, was.d, v)
		}
	}()
	if d := l.check.Kind.Decision(was.in); !reflect.DeepEqual(was.d, d) {
		return impure(was.in.State, was.d, d)
	}
	return ""
}

func impure(state fsm.State, first, then fsm.Decision) string {
	return fmt.Sprintf("Decide is not pure: in %s the same input gave %+v, then %+v", state, first, then)
}
