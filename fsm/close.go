package fsm

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Close lets go of all instances as they are: nothing is stopped or removed. It
// ends the loop that runs the manager, and waits until ctx ends for passes that
// are under way. Instances whose passes outlast ctx are named in the error.
// Their drivers are not closed, and what the kind has claimed stays claimed,
// until Close is called again and finds that they have ended.
func (m *Manager[D, O]) Close(ctx context.Context) error {
	m.mu.Lock()
	if !m.closed {
		m.closed = true
		close(m.closing)
	}
	m.announce()
	for ended := false; (len(m.inFlight) > 0 || m.looping) && !ended; {
		changed := m.changed
		m.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			ended = true
		}
		m.mu.Lock()
	}
	var errs []error
	for e := range m.inFlight {
		errs = append(errs, fmt.Errorf("cannot close %q: its pass does not end: %w", e.name, context.Cause(ctx)))
	}
	overlong := len(errs)
	slices.SortFunc(errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	var idle []*entry[D, O]
	for _, name := range slices.Sorted(maps.Keys(m.entries)) {
		if e := m.entries[name]; !e.flying {
			idle = append(idle, e)
		}
	}
	m.entries, m.due = make(map[string]*entry[D, O]), nil
	m.relist()
	m.mu.Unlock()
	for _, e := range idle {
		if err := m.closeInstance(e); err != nil {
			errs = append(errs, fmt.Errorf("cannot close %q: %w", e.name, err))
		}
	}
	if overlong == 0 {
		m.release()
	}
	return errors.Join(errs...)
}

// closeInstance closes an instance that the manager has let go of, and tells
// the listeners.
func (m *Manager[D, O]) closeInstance(e *entry[D, O]) error {
	err := e.instance.Close()
	told := m.listeners.tell(Closed{Subject: e.instance.subject(time.Now()), Err: err})
	return errors.Join(err, told)
}
