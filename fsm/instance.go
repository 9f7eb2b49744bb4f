package fsm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	looplab "github.com/looplab/fsm"
)

// InstanceConfig holds an instance's settings; the zero value works.
type InstanceConfig struct {
	// Backoff after failed passes.
	Backoff Backoff
	// History is how many transitions are kept; zero means 64.
	History int
	// OnTransition, where set, is called for each transition during the pass
	// that makes it. It must not block and must not call into the instance.
	OnTransition func(Transition)
}

// recheck is how soon an instance is looked at again after an action.
const recheck = DefaultTick

// Instance is one state machine with its driver. A Manager makes instances of
// its own; a driver that owns further instances makes those with NewInstance.
type Instance[D, O any] struct {
	kind   *Kind[D, O]
	name   string
	config InstanceConfig
	driver Driver[D, O]

	mu         sync.Mutex // guards the three below
	desired    Desired[D]
	generation uint64
	retry      bool

	busy atomic.Bool // set during a pass, which owns all below
	// machine holds the current state and checks each transition.
	machine *looplab.FSM
	looking failure // to observe or to decide
	acting  failure // to do what was decided

	snapshot atomic.Pointer[Snapshot[D, O]]
}

// attempt tells what was tried, so that only the same thing is put off.
type attempt struct {
	generation uint64
	state      State
	action     Action // the first
	fire       Event
	reason     Reason
}

// like reports whether two attempts differ in their reason's evidence at most.
func (a attempt) like(b attempt) bool {
	a.reason.Evidence, b.reason.Evidence = "", ""
	return a == b
}

// failure is a row of failed tries of one thing; the zero failure is none.
type failure struct {
	attempt attempt
	err     error
	count   int
	next    time.Time // not tried again before, held or not
	held    bool      // not tried again until the attempt changes
}

func (f *failure) add(a attempt, err error, held bool, backoff Backoff) {
	if !f.attempt.like(a) {
		f.count = 0
	}
	f.attempt, f.err, f.held = a, err, held
	f.count++
	f.next = time.Now().Add(backoff.Delay(f.count))
}

// Result is what came of one pass.
type Result struct {
	Fired bool      // a transition was made
	Next  time.Time // when the instance is due again
	Err   error     // why the pass failed, as in the snapshot
}

// NewInstance opens the named instance's driver. Its state is to_be_created
// whatever exists: passes find out and adopt. wake is handed to the driver; nil
// stands for a function that does nothing.
func NewInstance[D, O any](kind *Kind[D, O], name string, config InstanceConfig, wake func()) (*Instance[D, O], error) {
	if err := CheckName(name); err != nil {
		return nil, err
	}
	if err := kind.check(); err != nil {
		return nil, fmt.Errorf("cannot make instance %q: %w", name, err)
	}
	if config.History <= 0 {
		config.History = 64
	}
	if wake == nil {
		wake = func() {}
	}
	driver, err := openDriver(kind, name, wake)
	if err != nil {
		return nil, fmt.Errorf("cannot open %s %q: %w", kind.Name, name, err)
	}
	i := &Instance[D, O]{
		kind: kind, name: name, config: config, driver: driver,
		machine: kind.Table.machine(StateToBeCreated),
	}
	i.snapshot.Store(&Snapshot[D, O]{
		Kind: kind.Name, Name: name,
		State: StateToBeCreated, Phase: PhaseToBeCreated, Since: time.Now(),
	})
	return i, nil
}

func openDriver[D, O any](kind *Kind[D, O], name string, wake func()) (driver Driver[D, O], err error) {
	defer recoverTo(&err)
	driver, err = kind.Open(name, wake)
	if err == nil && driver == nil {
		err = errors.New("it returned no driver")
	}
	return driver, err
}

// recoverTo makes a panic the error of the function that defers it.
func recoverTo(err *error) {
	if v := recover(); v != nil {
		*err = &PanicError{Value: v, Stack: debug.Stack()}
	}
}

// Name returns the instance's name.
func (i *Instance[D, O]) Name() string { return i.name }

// SetDesired says what the next pass is to work towards. It may be called at
// any time; an instance has one caller of it, so that the last word is known.
// Setting what is set already, by reflect.DeepEqual, changes nothing: what is
// put off or held stays so.
func (i *Instance[D, O]) SetDesired(d Desired[D]) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.generation > 0 && reflect.DeepEqual(i.desired, d) {
		return
	}
	i.desired = d
	i.generation++
}

// wanted returns what was last set and how many times it had been changed.
func (i *Instance[D, O]) wanted() (Desired[D], uint64) {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.desired, i.generation
}

// Retry has the next pass that gets so far try what failed, however long it was
// to be put off.
func (i *Instance[D, O]) Retry() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.retry = true
}

// Snapshot returns what the last pass found. It never blocks.
func (i *Instance[D, O]) Snapshot() *Snapshot[D, O] { return i.snapshot.Load() }

// Close closes the driver if it can be closed. No pass may be under way.
func (i *Instance[D, O]) Close() (err error) {
	defer recoverTo(&err)
	if c, ok := i.driver.(io.Closer); ok {
		return c.Close()
	}
	return nil
}

// asked returns what is desired now, how many times that was set, and whether
// a retry was asked for since the last call.
func (i *Instance[D, O]) asked() (d Desired[D], generation uint64, retry bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	retry, i.retry = i.retry, false
	return i.desired, i.generation, retry
}

// pass is what one pass gathers.
type pass[D, O any] struct {
	now       time.Time
	before    *Snapshot[D, O]
	after     *Snapshot[D, O]
	retry     bool
	decision  Decision
	attempt   attempt
	acting    bool // observed and decided
	putOff    bool // the decision failed before and waits
	fired     bool
	ownedNext time.Time
}

// Reconcile makes one pass. It never panics; a panic of the driver or of
// Decide is the pass's error. Before anything was asked of the instance it
// only observes. While another pass is under way it returns ErrInPass and
// does nothing.
func (i *Instance[D, O]) Reconcile(ctx context.Context) Result {
	if !i.busy.CompareAndSwap(false, true) {
		return Result{Next: time.Now().Add(recheck), Err: ErrInPass}
	}
	defer i.busy.Store(false)

	p := pass[D, O]{now: time.Now(), before: i.snapshot.Load()}
	next := *p.before
	p.after = &next
	p.after.Desired, p.after.Generation, p.retry = i.asked()
	err := i.step(ctx, &p)
	return i.conclude(ctx, &p, err)
}

func (i *Instance[D, O]) step(ctx context.Context, p *pass[D, O]) (err error) {
	defer recoverTo(&err)
	if owner, ok := i.driver.(Owner); ok {
		p.ownedNext = owner.ReconcileOwned(ctx)
	}
	observed, err := i.driver.Observe(ctx, p.after.Desired)
	if err != nil {
		return fmt.Errorf("cannot observe: %w", err)
	}
	p.after.Observed, p.after.ObservedAt = observed, p.now
	if p.after.Generation == 0 {
		return nil
	}
	p.decision = i.kind.Decide(Input[D, O]{
		Now: p.now, State: p.before.State, Since: p.before.Since,
		Desired: p.after.Desired, Observed: observed,
	})
	return i.act(ctx, p)
}

func (i *Instance[D, O]) act(ctx context.Context, p *pass[D, O]) error {
	d := &p.decision
	p.acting = true
	p.after.Reason = d.Reason
	if len(d.Do) == 0 && d.Fire == "" {
		return nil
	}
	p.attempt = attempt{generation: p.after.Generation, state: p.before.State, fire: d.Fire, reason: d.Reason}
	if len(d.Do) > 0 {
		p.attempt.action = d.Do[0]
	}
	if i.waits(p) {
		p.putOff = true
		return nil
	}
	if _, ok := i.kind.Table.Next(p.before.State, d.Fire); d.Fire != "" && !ok {
		return Permanent(fmt.Errorf("the table of %s has no row for %s from %s", i.kind.Name, d.Fire, p.before.State))
	}
	for _, action := range d.Do {
		if err := i.driver.Do(ctx, action, p.after.Desired); err != nil {
			return fmt.Errorf("cannot %s: %w", action, err)
		}
	}
	if d.Fire == "" {
		return nil
	}
	return i.fire(ctx, p)
}

// waits reports whether what the pass would do failed before and is put off or
// held.
func (i *Instance[D, O]) waits(p *pass[D, O]) bool {
	f := &i.acting
	if p.retry || f.err == nil || !f.attempt.like(p.attempt) {
		return false
	}
	return p.now.Before(f.next) || f.held && f.attempt == p.attempt
}

func (i *Instance[D, O]) fire(ctx context.Context, p *pass[D, O]) error {
	// A context that ends half-way would leave the machine in transition for
	// ever.
	if err := i.machine.Event(context.WithoutCancel(ctx), string(p.decision.Fire)); err != nil {
		return fmt.Errorf("cannot fire %s: %w", p.decision.Fire, err)
	}
	to := State(i.machine.Current())
	p.fired = true
	p.after.State, p.after.Phase, p.after.Since = to, i.kind.Table.Phase(to), p.now
	t := Transition{
		At: p.now, From: p.before.State, To: to, Event: p.decision.Fire, ToPhase: p.after.Phase,
		Reason: p.decision.Reason, Instance: i.name, Kind: i.kind.Name,
	}
	p.after.History = pushed(p.after.History, t, i.config.History)
	if i.config.OnTransition != nil {
		i.config.OnTransition(t)
	}
	return nil
}

// conclude turns what a pass gathered into the new snapshot and the time of
// the next pass.
func (i *Instance[D, O]) conclude(ctx context.Context, p *pass[D, O], err error) Result {
	s, now := p.after, time.Now()
	res := Result{Fired: p.fired, Err: err, Next: now.Add(i.pause(p, err))}
	s.Settled = false
	gaveUp := err != nil && errors.Is(ctx.Err(), context.Canceled)
	if p.retry && (!p.acting || gaveUp) {
		i.Retry() // it has not been tried yet
	}
	if gaveUp { // which says nothing about the instance
		res.Next = now.Add(recheck)
		s.NextPass = res.Next
		i.snapshot.Store(s)
		return res
	}
	f := &i.acting
	switch {
	case err != nil && !p.acting:
		f = &i.looking
		f.add(attempt{}, err, false, i.config.Backoff)
	case err != nil:
		f.add(p.attempt, err, IsPermanent(err) && ctx.Err() == nil, i.config.Backoff)
	case !p.putOff:
		*f = failure{}
		s.Settled = s.Generation > 0 && len(p.decision.Do) == 0 && !p.fired
	}
	if p.acting || err == nil {
		i.looking = failure{}
	}
	s.Err, s.Failures, s.Held, s.NextTry = f.err, f.count, f.held, f.next
	if f.held {
		s.NextTry = time.Time{}
	}
	due := !f.next.IsZero() && (!f.held || f.next.After(now))
	if due && f.next.Before(res.Next) {
		res.Next = f.next
	}
	if !p.ownedNext.IsZero() && p.ownedNext.Before(res.Next) {
		res.Next = p.ownedNext
	}
	if f == &i.looking {
		s.NextTry = res.Next // every pass looks
	}
	s.NextPass = res.Next
	i.snapshot.Store(s)
	return res
}

// pause is how long after a pass the next is due by its decision alone, which
// says nothing of an attempt that failed.
func (i *Instance[D, O]) pause(p *pass[D, O], err error) time.Duration {
	failed := p.putOff || err != nil
	switch {
	case p.fired:
		return 0
	case p.decision.After > 0 && !failed:
		return p.decision.After
	case len(p.decision.Do) > 0 && !failed:
		return recheck
	case i.kind.Resync > 0:
		return i.kind.Resync
	}
	return DefaultResync
}
