package fsm

import (
	"container/heap"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// entry is an instance as its manager schedules it. Manager.mu guards all but
// name and instance.
type entry[D, O any] struct {
	name     string
	instance *Instance[D, O]

	due     time.Time
	index   int // in the queue; -1 while not in it
	flying  bool
	woken   bool // while flying
	started time.Time
	overrun bool // took longer than the time-out and lost its place
}

// queue is a heap of entries by due time.
type queue[D, O any] []*entry[D, O]

func (q queue[D, O]) Len() int           { return len(q) }
func (q queue[D, O]) Less(a, b int) bool { return q[a].due.Before(q[b].due) }
func (q queue[D, O]) Swap(a, b int) {
	q[a], q[b] = q[b], q[a]
	q[a].index, q[b].index = a, b
}

func (q *queue[D, O]) Push(x any) {
	e := x.(*entry[D, O])
	e.index = len(*q)
	*q = append(*q, e)
}

func (q *queue[D, O]) Pop() any {
	last := len(*q) - 1
	e := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	e.index = -1
	return e
}

// by appends the entries at and below a place in the heap that are due, without
// looking at what lies below one that is not.
func (q queue[D, O]) by(now time.Time, at int, due []*entry[D, O]) []*entry[D, O] {
	if at >= len(q) || q[at].due.After(now) {
		return due
	}
	due = append(due, q[at])
	return q.by(now, 2*at+2, q.by(now, 2*at+1, due))
}

func (m *Manager[D, O]) wake(e *entry[D, O]) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.entries[e.name] == e {
		m.wakeLocked(e)
	}
}

func (m *Manager[D, O]) wakeLocked(e *entry[D, O]) {
	if e.flying {
		e.woken = true
		return
	}
	m.schedule(e, time.Now())
}

func (m *Manager[D, O]) schedule(e *entry[D, O], due time.Time) {
	if m.closed {
		return
	}
	e.due = due
	if e.index >= 0 {
		heap.Fix(&m.due, e.index)
	} else {
		heap.Push(&m.due, e)
	}
	m.nudge()
}

// nudge has the loop look at the queue.
func (m *Manager[D, O]) nudge() {
	select {
	case m.kick <- struct{}{}:
	default:
	}
}

// wakeups tells a loop that something may be due sooner than it thought.
func (m *Manager[D, O]) wakeups() <-chan struct{} { return m.kick }

// dispatch starts passes over what is due, as many as there are places, and
// returns when the next is due, the zero time if nothing is scheduled or no
// place is free; a pass that ends sends a wake-up.
func (m *Manager[D, O]) dispatch(ctx context.Context) (next time.Time) {
	m.giveUpPlaces()
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return time.Time{}
	}
	now := time.Now()
	for len(m.due) > 0 && !m.due[0].due.After(now) && m.active < m.config.Parallel {
		m.start(ctx, heap.Pop(&m.due).(*entry[D, O]), now)
	}
	if len(m.due) > 0 && m.active < m.config.Parallel {
		next = m.due[0].due
	}
	return next
}

// giveUpPlaces takes the places of passes that outlast their time-out, so that
// a driver that hangs takes nothing from the others.
func (m *Manager[D, O]) giveUpPlaces() {
	var over []string
	m.mu.Lock()
	now := time.Now()
	for e := range m.inFlight {
		if !e.overrun && now.Sub(e.started) > m.config.PassTimeout {
			e.overrun = true
			m.active--
			over = append(over, e.name)
		}
	}
	m.mu.Unlock()
	for _, name := range over {
		m.config.Logger.Error("pass does not end", "kind", m.kind.Name, "name", name, "after", m.config.PassTimeout)
	}
}

func (m *Manager[D, O]) start(ctx context.Context, e *entry[D, O], now time.Time) {
	e.flying, e.woken, e.overrun, e.started = true, false, false, now
	m.inFlight[e] = struct{}{}
	m.active++
	go func() {
		ctx, cancel := context.WithTimeout(ctx, m.config.PassTimeout)
		defer cancel()
		before := e.instance.Snapshot()
		m.finish(e, before, e.instance.Reconcile(ctx))
	}()
}

func (m *Manager[D, O]) finish(e *entry[D, O], before *Snapshot[D, O], res Result) {
	after := e.instance.Snapshot()
	if after.Err != nil && (before.Err == nil || before.Err.Error() != after.Err.Error()) {
		m.config.Logger.Warn("pass failed", "kind", m.kind.Name, "name", e.name, "error", after.Err, "held", after.Held)
	}
	if !m.land(e, after, res.Next) {
		return
	}
	if err := e.instance.Close(); err != nil {
		m.config.Logger.Warn("cannot close driver", "kind", m.kind.Name, "name", e.name, "error", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.vacate(e)
}

// land books a pass that has ended. It reports whether the instance is gone;
// the caller then closes it, without the lock, for a driver may wait for
// somebody who is about to wake it, and vacates its place.
func (m *Manager[D, O]) land(e *entry[D, O], after *Snapshot[D, O], next time.Time) (gone bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, generation := e.instance.wanted()
	gone = after.State == StateRemoved && after.Desired.State == StateRemoved &&
		after.Generation == generation && after.Settled
	if gone {
		delete(m.entries, e.name)
		m.relist()
		m.announce()
		return true
	}
	m.vacate(e)
	if e.woken {
		next = time.Now()
	}
	m.schedule(e, next)
	return false
}

// vacate takes an entry out of those that are in a pass.
func (m *Manager[D, O]) vacate(e *entry[D, O]) {
	delete(m.inFlight, e)
	e.flying = false
	if !e.overrun {
		m.active--
	}
	m.nudge()
	m.announce()
}

// announce tells all who wait that something has changed.
func (m *Manager[D, O]) announce() {
	close(m.changed)
	m.changed = make(chan struct{})
}

// Reconcile makes one pass over every instance that is due now and returns
// when those passes have ended. A Loop does the same all the time; this is for
// programs and tests that step by themselves. It returns early when ctx ends.
func (m *Manager[D, O]) Reconcile(ctx context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	batch := m.due.by(time.Now(), 0, nil)
	for todo := slices.Clone(batch); ; {
		todo = m.startSome(ctx, todo)
		flying := slices.ContainsFunc(batch, func(e *entry[D, O]) bool { return e.flying })
		if m.closed || len(todo) == 0 && !flying {
			return nil
		}
		changed := m.changed
		m.mu.Unlock()
		select {
		case <-changed:
		case <-time.After(m.config.PassTimeout + recheck):
			m.giveUpPlaces()
		case <-ctx.Done():
		}
		m.mu.Lock()
		if ctx.Err() != nil {
			return fmt.Errorf("cannot reconcile all that is due: %w", ctx.Err())
		}
	}
}

// startSome starts passes as long as there are places and returns what is left.
// What is not in the queue any more is gone, or in a pass already.
func (m *Manager[D, O]) startSome(ctx context.Context, todo []*entry[D, O]) []*entry[D, O] {
	for ; len(todo) > 0 && !m.closed; todo = todo[1:] {
		e := todo[0]
		if e.index < 0 {
			continue
		}
		if m.active >= m.config.Parallel {
			break
		}
		heap.Remove(&m.due, e.index)
		m.start(ctx, e, time.Now())
	}
	return todo
}

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

// Close lets go of all instances as they are: nothing is stopped or removed.
// It waits for passes that are under way until ctx ends; those that outlast it
// are named in the error and their drivers are not closed.
func (m *Manager[D, O]) Close(ctx context.Context) error {
	m.mu.Lock()
	m.closed = true
	m.announce()
	for ended := false; len(m.inFlight) > 0 && !ended; {
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
		if err := e.instance.Close(); err != nil {
			errs = append(errs, fmt.Errorf("cannot close %q: %w", e.name, err))
		}
	}
	return errors.Join(errs...)
}
