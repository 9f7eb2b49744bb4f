package fsm

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// Wait waits until the named instance is in the phase: until a pass that began
// after the call has seen it there and, if the phase is that of the desired
// state, has found nothing left to do. For PhaseRemoved it waits until the
// manager has no such instance. It has a pass made at once. When ctx ends
// first, the error says where the instance is and why.
//
// It returns at once where waiting is of no use. The error then wraps
//   - ErrUnknown for a name that the manager does not have
//   - a RefusedError for an instance whose last declaration was refused, while
//     something else is asked of it
//   - ErrHeld and the error behind it for an instance that is held, or that has
//     nothing to do while what it owns is held
//   - ErrOver for an instance that has come to its end, Phase.Over, while
//     something else is waited for
//   - ErrClosed once the manager has been closed
//
// Passes are made by Run, by a Loop, or by whoever calls Reconcile. Without any
// of these, Wait waits for ctx.
func (m *Manager[D, O]) Wait(ctx context.Context, name string, phase Phase) error {
	var of *entry[D, O]
	var begun uint64 // passes over it, by the time of the call
	for first := true; ; first = false {
		m.mu.Lock()
		changed, closed, refused := m.changed, m.closed, m.Refused()[name]
		e, held := m.entries[name]
		switch {
		case held && first:
			of, begun = e, e.instance.begun.Load()
			m.wakeLocked(e)
		case e != of: // it was made after the call
			of, begun = e, 0
		}
		m.mu.Unlock()

		switch {
		case closed:
			return fmt.Errorf("cannot wait for %q to be %s: %w", name, phase, ErrClosed)
		case held && m.reached(e, phase, begun), !held && phase == PhaseRemoved:
			return nil
		case refused != nil && (!held || !m.headsFor(e, phase)):
			return fmt.Errorf("cannot wait for %q to be %s: %w", name, phase, &RefusedError{name, refused})
		case !held:
			return fmt.Errorf("cannot wait for %q to be %s: %w", name, phase, ErrUnknown)
		}
		if s := m.stuck(e, begun); s != nil {
			return fmt.Errorf("%q will not become %s: it is %s: %s: %w: %w", name, phase, s.State, s.Reason, s.holds(), ErrHeld)
		}
		if s := m.over(e, begun); s != nil {
			return fmt.Errorf("%q will not become %s: it is %s: %s: %w", name, phase, s.State, s.Reason, ErrOver)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("%q did not become %s: it is %s: %w", name, phase, m.describe(e), ctx.Err())
		}
	}
}

// reached reports whether a pass after the first so many has left the instance
// in the phase, for what is asked of it now.
func (m *Manager[D, O]) reached(e *entry[D, O], phase Phase, begun uint64) bool {
	d, generation := e.instance.wanted()
	target, _ := m.kind.Table.Target(d.State)
	s := e.instance.Snapshot()
	return phase != PhaseRemoved && s.Phase == phase && s.Generation == generation &&
		s.seen > begun && s.seen == s.pass && (s.Settled || phase != target)
}

// headsFor reports whether the phase is that of what is asked of the instance.
func (m *Manager[D, O]) headsFor(e *entry[D, O], phase Phase) bool {
	d, _ := e.instance.wanted()
	target, ok := m.kind.Table.Target(d.State)
	return ok && target == phase
}

// stuck returns what a pass after the first so many has left, where it has left
// the instance held for what is asked of it now, and nil otherwise. What goes on
// because it waits with its stop is not.
func (m *Manager[D, O]) stuck(e *entry[D, O], begun uint64) *Snapshot[D, O] {
	_, generation := e.instance.wanted()
	s := e.instance.Snapshot()
	target, _ := m.kind.Table.Target(s.Desired.State)
	goesOn := s.Waits != (Reason{}) && target != PhaseStopped
	if s.holds() != nil && !goesOn && s.Generation == generation && s.pass > begun {
		return s
	}
	return nil
}

// over returns what a pass after the first so many has left, where the instance
// has come to its end with what is asked of it now, and nil otherwise.
func (m *Manager[D, O]) over(e *entry[D, O], begun uint64) *Snapshot[D, O] {
	_, generation := e.instance.wanted()
	if s := e.instance.Snapshot(); s.Phase.Over() && s.Settled && s.Waits == (Reason{}) && s.Generation == generation && s.pass > begun {
		return s
	}
	return nil
}

// describe says in one line where an instance is and why.
func (m *Manager[D, O]) describe(e *entry[D, O]) string {
	s := e.instance.Snapshot()
	parts := []string{string(s.State)}
	if r := s.Reason.String(); r != "" {
		parts = append(parts, r)
	}
	if s.Err != nil {
		parts = append(parts, s.Err.Error())
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if e.flying {
		parts = append(parts, fmt.Sprintf("a pass has been under way for %s", time.Since(e.started).Round(time.Millisecond)))
	}
	return strings.Join(parts, ": ")
}
