package fsm

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/evenkeel/evenkeel/fsm/internal/pace"
)

// Result is what came of one pass.
type Result struct {
	Fired bool      // a transition was made
	Next  time.Time // when the instance is due again
	Err   error     // why the pass failed, as in the snapshot
}

// pass is what one pass gathers.
type pass[D, O any] struct {
	now      time.Time
	before   *Snapshot[D, O]
	after    *Snapshot[D, O]
	retry    bool
	until    time.Time // when the gate is asked again, if it holds the instance
	began    time.Time // now may be that of what owns the instance
	decision Decision
	did      int // actions of it
	outcome  pace.Outcome
}

// Reconcile makes one pass. It never panics; a panic of the driver or of
// Decide is the pass's error. Before anything was asked of the instance it
// only observes. While another pass is under way it returns ErrInPass and
// does nothing. Where ctx is that of a pass, over what owns this instance, the
// two have one clock reading.
func (i *Instance[D, O]) Reconcile(ctx context.Context) Result {
	if !i.busy.CompareAndSwap(false, true) {
		return Result{Next: time.Now().Add(recheck), Err: ErrInPass}
	}
	defer i.busy.Store(false)

	ctx, now := inPass(ctx)
	p := pass[D, O]{now: now, began: time.Now(), before: i.snapshot.Load()}
	next := *p.before
	p.after = &next
	p.after.pass, p.after.owned = i.begun.Add(1), nil
	p.after.Desired, p.after.Generation, p.retry = i.asked()
	p.outcome.Err = i.step(ctx, &p)
	return i.conclude(ctx, &p)
}

func (i *Instance[D, O]) step(ctx context.Context, p *pass[D, O]) (err error) {
	defer recoverTo(&err)
	i.hold(p)
	if retrier, ok := i.driver.(Retrier); ok && p.retry {
		retrier.Retry()
	}
	if owner, ok := i.driver.(Owner); ok {
		owner.ReconcileOwned(ctx)
		defer func() { p.outcome.Owned = owner.OwnedDue() }()
	}
	observed, err := i.driver.Observe(ctx, p.after.Desired)
	if err != nil {
		return fmt.Errorf("cannot observe: %w", err)
	}
	p.after.Observed, p.after.ObservedAt, p.after.seen = observed, p.now, p.after.pass
	if p.after.Generation == 0 {
		return nil
	}
	p.decision = i.kind.Decision(Input[D, O]{
		Now: p.now, State: p.before.State, Since: p.before.Since,
		Desired: p.after.Desired, Waits: p.after.Waits, Observed: observed,
	})
	return i.act(ctx, p)
}

func (i *Instance[D, O]) act(ctx context.Context, p *pass[D, O]) error {
	d, o := &p.decision, &p.outcome
	o.Decided, o.Acted, o.After = true, len(d.Do) > 0, d.After
	p.after.Reason = p.explain(d)
	if len(d.Do) == 0 && d.Fire == "" {
		if retrier, ok := i.driver.(Retrier); ok {
			p.after.owned = retrier.Held()
		}
		if hearer, ok := i.driver.(Hearer); ok && !d.Pending && d.After == 0 {
			o.Heard = hearer.Hears()
		}
		return nil
	}
	o.Attempt = pace.NewAttempt(p.after.Generation, p.before.State, d.Do, d.Fire, d.Reason.Summary, d.Reason.Evidence)
	if !p.retry && i.memory.Waits(p.now, o.Attempt) {
		o.PutOff = true
		return nil
	}
	if _, ok := i.kind.Table.Next(p.before.State, d.Fire); d.Fire != "" && !ok {
		return Permanent(fmt.Errorf("the table of %s has no row for %s from %s", i.kind.Name, d.Fire, p.before.State))
	}
	for _, action := range d.Do {
		if err := i.driver.Do(ctx, action, p.after.Desired); err != nil {
			return fmt.Errorf("cannot %s: %w", action, err)
		}
		p.did++
	}
	if d.Fire == "" {
		return nil
	}
	return i.fire(ctx, p)
}

func (i *Instance[D, O]) fire(ctx context.Context, p *pass[D, O]) error {
	// A context that ends half-way would leave the machine in transition for
	// ever.
	if err := i.machine.Event(context.WithoutCancel(ctx), string(p.decision.Fire)); err != nil {
		return fmt.Errorf("cannot fire %s: %w", p.decision.Fire, err)
	}
	to := State(i.machine.Current())
	p.outcome.Fired = true
	p.after.State, p.after.Phase, p.after.Since = to, i.kind.Table.Phase(to), p.now
	t := Transition{
		Subject: i.subject(p.now), From: p.before.State, To: to, Event: p.decision.Fire,
		ToPhase: p.after.Phase, Reason: p.decision.Reason,
	}
	p.after.History = pushed(p.after.History, t, i.config.History)
	return i.tell(t)
}

// conclude turns what a pass gathered into the new snapshot and the time of
// the next pass.
func (i *Instance[D, O]) conclude(ctx context.Context, p *pass[D, O]) Result {
	s, o, now := p.after, &p.outcome, time.Now()
	s.Settled = false
	gaveUp := o.Err != nil && !o.Fired && errors.Is(ctx.Err(), context.Canceled)
	if p.retry && (!o.Decided || gaveUp) {
		i.Retry() // it has not been tried yet
	}
	if gaveUp { // which says nothing about what is asked: the pass before stands
		s.pass, s.owned, s.Desired, s.Generation = p.before.pass, p.before.owned, p.before.Desired, p.before.Generation
		s.Waits, s.HeldBy, s.Asked = p.before.Waits, p.before.HeldBy, p.before.Asked
		s.NextPass = now.Add(recheck)
	} else {
		o.Permanent = IsPermanent(o.Err) && ctx.Err() == nil
		v := i.memory.Conclude(now, i.rule(), *o)
		s.Err, s.Failures, s.failing, s.Held = v.Err, v.Failures, v.Failing, v.Held
		s.NextTry, s.NextPass = v.NextTry, v.Next
		if !p.until.IsZero() && p.until.Before(s.NextPass) {
			s.NextPass = p.until
		}
		s.Settled = v.Err == nil && s.Generation > 0 && len(p.decision.Do) == 0 && !p.decision.Pending && !o.Fired
		if err := i.tellOutcome(now, p.before, s); err != nil {
			s.Err, o.Err = err, err
		}
	}
	i.snapshot.Store(s)
	if err := i.tellReconciled(p, o.Decided && !gaveUp); err != nil {
		failed := *s
		failed.Err, o.Err = err, err
		i.snapshot.Store(&failed)
	}
	return Result{Fired: o.Fired, Err: o.Err, Next: s.NextPass}
}

// tellReconciled tells that the pass has ended, if somebody wants to know.
func (i *Instance[D, O]) tellReconciled(p *pass[D, O], decided bool) error {
	if i.config.Listener == nil || !i.config.Passes {
		return nil
	}
	return i.tell(Reconciled{
		Subject: i.subject(p.now), Took: time.Since(p.began), Before: p.before, After: p.after,
		Decided: decided, Decision: p.decision, PutOff: p.outcome.PutOff, Did: p.did,
		Fired: p.outcome.Fired, Err: p.outcome.Err,
	})
}

// tellOutcome tells that passes have begun to fail, fail with another error or
// ten times as often, or succeed again.
func (i *Instance[D, O]) tellOutcome(now time.Time, before, s *Snapshot[D, O]) error {
	switch {
	case s.Err == nil && before.Err == nil:
		return nil
	case s.Err == nil:
		return i.tell(PassRecovered{Subject: i.subject(now), Err: before.Err, Failures: before.Failures, Since: before.failing})
	case before.Err != nil && s.Err.Error() == before.Err.Error() && (s.Failures == before.Failures || !Tenfold(s.Failures)):
		return nil
	}
	return i.tell(PassFailed{
		Subject: i.subject(now), Err: s.Err, Failures: s.Failures, Since: s.failing, Held: s.Held, NextTry: s.NextTry,
	})
}

// rule returns the times by which the instance is looked at and tries again.
func (i *Instance[D, O]) rule() pace.Rule {
	return pace.Rule{
		Delay: i.config.Backoff.Delay, Turn: i.turn,
		Resync: i.kind.resync(), Rest: i.kind.rest(), Recheck: recheck,
	}
}
