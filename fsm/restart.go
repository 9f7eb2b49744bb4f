package fsm

import (
	"container/heap"
	"context"
	"fmt"
)

// Restart ends what runs, so that another takes its place, by the driver's
// Restarter. It is for restarts by hand, and for a driver that restarts an
// instance that it owns. It returns once this is under way; passes see to the
// rest. The error wraps ErrNoRestart if the instance is not to run or its
// driver is no Restarter. It is ErrInPass while a pass is under way.
func (i *Instance[D, O]) Restart(ctx context.Context) (err error) {
	if !i.busy.CompareAndSwap(false, true) {
		return ErrInPass
	}
	defer i.busy.Store(false)
	defer recoverTo(&err)
	desired, generation := i.wanted()
	target, _ := i.kind.Table.Target(desired.State)
	restarter, ok := i.driver.(Restarter[D])
	switch {
	case !ok:
		return fmt.Errorf("%w: kind %s does not know how", ErrNoRestart, i.kind.Name)
	case generation == 0, target == PhaseStopped, target == PhaseRemoved:
		return fmt.Errorf("%w: it is not asked to run", ErrNoRestart)
	}
	i.Retry()
	return restarter.Restart(ctx, desired)
}

// Restart restarts the named instance as Instance.Restart does, once no pass
// over it is under way, and marks it as due. It returns when that is under way;
// Wait tells when the instance is back. A name that the manager does not have
// is ErrUnknown.
func (m *Manager[D, O]) Restart(ctx context.Context, name string) error {
	err := m.exclusively(ctx, name, func(i *Instance[D, O]) error {
		ctx, cancel := context.WithTimeout(ctx, m.config.PassTimeout)
		defer cancel()
		return i.Restart(ctx)
	})
	if err != nil {
		return fmt.Errorf("cannot restart %q: %w", name, err)
	}
	return nil
}

// exclusively calls f with an instance while no pass is made over it, and marks
// it as due.
func (m *Manager[D, O]) exclusively(ctx context.Context, name string, f func(*Instance[D, O]) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.entries[name]
	for ; !m.closed && e != nil && e.flying; e = m.entries[name] {
		changed := m.changed
		m.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
		}
		m.mu.Lock()
		if ctx.Err() != nil {
			return fmt.Errorf("a pass over it does not end: %w", ctx.Err())
		}
	}
	switch {
	case m.closed:
		return ErrClosed
	case e == nil:
		return ErrUnknown
	}
	if e.index >= 0 {
		heap.Remove(&m.due, e.index)
	}
	m.occupy(e)
	m.mu.Unlock()
	err := f(e.instance)
	m.mu.Lock()
	m.vacate(e)
	m.wakeLocked(e)
	return err
}
