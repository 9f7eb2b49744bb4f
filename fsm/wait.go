package fsm

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// Wait returns nil once a pass that began after the call's time has seen the
// named instance in the phase, with nothing left to do where that is the phase
// that was asked for; for PhaseRemoved, once the manager holds no such
// instance. It has such a pass made at once. When ctx ends first, the error
// says where the instance is and why. A name that is not held is ErrUnknown, a
// manager that has been closed ErrClosed. Passes are made by a Loop, or by
// whoever calls Reconcile: without either it waits for ctx.
func (m *Manager[D, O]) Wait(ctx context.Context, name string, phase Phase) error {
	begin := time.Now()
	for first := true; ; first = false {
		m.mu.Lock()
		changed, closed := m.changed, m.closed
		e, held := m.entries[name]
		if held && first {
			m.wakeLocked(e)
		}
		m.mu.Unlock()

		switch {
		case closed:
			return fmt.Errorf("cannot wait for %q to be %s: %w", name, phase, ErrClosed)
		case held && m.reached(e, phase, begin), !held && phase == PhaseRemoved:
			return nil
		case !held:
			return fmt.Errorf("cannot wait for %q to be %s: %w", name, phase, ErrUnknown)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("%q did not become %s: it is %s: %w", name, phase, m.describe(e), ctx.Err())
		}
	}
}

// reached reports whether a pass that began no sooner than begin left the
// instance in the phase, for what is asked of it now.
func (m *Manager[D, O]) reached(e *entry[D, O], phase Phase, begin time.Time) bool {
	d, generation := e.instance.wanted()
	target, _ := m.kind.Table.Target(d.State)
	s := e.instance.Snapshot()
	return phase != PhaseRemoved && s.Phase == phase && s.Generation == generation &&
		!s.ObservedAt.Before(begin) && (s.Settled || phase != target)
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
