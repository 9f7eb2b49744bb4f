package fsm

import (
	"container/heap"
	"context"
	"fmt"
	"time"
)

// Restart ends what runs, so that another takes its place, by the driver's
// Restarter. It is for restarts by hand, and for a driver that restarts an
// instance that it owns. It returns once this is under way; passes see to the
// rest. The error wraps ErrNoRestart if the instance is not to run, waits for
// others, or its driver is no Restarter. It is ErrInPass while a pass is under way.
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
	if i.config.hold != nil { // whatever the last pass has found
		if h, held := i.config.hold(desired.State); held {
			return fmt.Errorf("%w: %s", ErrNoRestart, h.Why)
		}
	}
	i.Retry()
	return restarter.Restart(ctx, desired)
}

// Restart restarts the named instance as Instance.Restart does, once no pass
// over it is under way, and marks it as due. It returns when that is under way;
// Wait tells when the instance is back. A name that the manager does not have
// is ErrUnknown. A driver that does not return is left to it when ctx ends, or
// after Config.PassTimeout; as in a pass, it keeps its instance.
func (m *Manager[D, O]) Restart(ctx context.Context, name string) error {
	e, err := m.seize(ctx, name)
	if err != nil {
		return fmt.Errorf("cannot restart %q: %w", name, err)
	}
	ctx, cancel := context.WithTimeout(ctx, m.config.PassTimeout)
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		err := e.instance.Restart(ctx)
		m.mu.Lock()
		defer m.mu.Unlock()
		m.vacate(e)
		m.wakeLocked(e)
		ended <- err
	}()
	select {
	case err = <-ended:
	case <-ctx.Done():
		err = fmt.Errorf("its driver does not return: %w", ctx.Err())
	}
	if err != nil {
		return fmt.Errorf("cannot restart %q: %w", name, err)
	}
	return nil
}

// seize occupies the named instance once no pass over it is under way, out of
// turn: before the next pass, however soon that is due.
func (m *Manager[D, O]) seize(ctx context.Context, name string) (*entry[D, O], error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.entries[name]
	for ; !m.closed && e != nil && e.flying; e = m.entries[name] {
		changed := m.changed
		e.seizers++
		m.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
		}
		m.mu.Lock()
		e.seizers--
		if ctx.Err() != nil {
			if !e.flying && e.seizers == 0 && m.entries[name] == e {
				m.schedule(e, time.Now()) // its pass has just ended, and left that to the seizers
			}
			return nil, fmt.Errorf("a pass over it does not end: %w", ctx.Err())
		}
	}
	switch {
	case m.closed:
		return nil, ErrClosed
	case e == nil:
		return nil, ErrUnknown
	}
	if e.index >= 0 {
		heap.Remove(&m.due, e.index)
	}
	m.occupy(e)
	return e, nil
}
