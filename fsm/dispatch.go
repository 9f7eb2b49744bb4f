package fsm

import (
	"container/heap"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/fsm/internal/clock"
)

func (m *Manager[D, O]) wake(e *entry[D, O]) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.entries[e.name] == e {
		m.wakeLocked(e)
	}
}

func (m *Manager[D, O]) wakeLocked(e *entry[D, O]) {
	if e.flying || e.seizers > 0 {
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

// nudge makes the loop look at the queue.
func (m *Manager[D, O]) nudge() {
	select {
	case m.kick <- struct{}{}:
	default:
	}
}

// Run runs the manager in a Loop of its own until ctx ends or the manager is
// closed. The error wraps ErrRunning if the manager is already being run, here
// or by another Loop.
func (m *Manager[D, O]) Run(ctx context.Context) error { return new(Loop).Run(ctx, m) }

// begin records that a loop runs the manager.
func (m *Manager[D, O]) begin() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.closed:
		return fmt.Errorf("cannot run the manager of %s: %w", m.kind.Name, ErrClosed)
	case m.looping:
		return fmt.Errorf("cannot run the manager of %s: %w", m.kind.Name, ErrRunning)
	}
	m.looping = true
	return nil
}

// end records that the loop has ended.
func (m *Manager[D, O]) end() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.looping = false
	m.announce()
}

// wakeups tells a loop that something may be due sooner than it thought; ended
// tells it that the manager is closed.
func (m *Manager[D, O]) wakeups() <-chan struct{} { return m.kick }
func (m *Manager[D, O]) ended() <-chan struct{}   { return m.closing }

// dispatch starts passes over what is due, as many as there are places. It
// returns when the next instance is due, or a pass that is under way has to give up
// its place; the zero time if there is neither. Where no place is free, a pass that
// ends sends a wake-up.
func (m *Manager[D, O]) dispatch(ctx context.Context) (next time.Time) {
	m.giveUpPlaces()
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return time.Time{}
	}
	now := time.Now()
	for len(m.due) > 0 && !m.due[0].due.After(now) && m.active < m.config.Parallel {
		m.start(ctx, heap.Pop(&m.due).(*entry[D, O]))
	}
	for e := range m.inFlight {
		if over := e.started.Add(m.config.PassTimeout); !e.overrun && (next.IsZero() || over.Before(next)) {
			next = over
		}
	}
	if len(m.due) > 0 && m.active < m.config.Parallel && (next.IsZero() || m.due[0].due.Before(next)) {
		next = m.due[0].due
	}
	return next
}

// giveUpPlaces takes its place away from each pass that outlasts its time-out,
// so that a driver that hangs takes nothing from the others.
func (m *Manager[D, O]) giveUpPlaces() {
	var over []*entry[D, O]
	m.mu.Lock()
	now := time.Now()
	for e := range m.inFlight {
		if !e.overrun && now.Sub(e.started) >= m.config.PassTimeout {
			e.overrun = true
			m.active--
			over = append(over, e)
		}
	}
	m.mu.Unlock()
	slices.SortFunc(over, func(a, b *entry[D, O]) int { return strings.Compare(a.name, b.name) })
	for _, e := range over {
		_ = m.listeners.tell(Overran{Subject: e.instance.subject(now), After: m.config.PassTimeout}) // the pass that hangs cannot be failed for a listener that panics
	}
}

func (m *Manager[D, O]) start(ctx context.Context, e *entry[D, O]) {
	m.occupy(e)
	go func() {
		growStack()
		ctx, cancel := context.WithTimeout(ctx, m.config.PassTimeout)
		defer cancel()
		// A reading of its own, whatever ctx carries: a manager may run for long.
		m.finish(e, e.instance.Reconcile(clock.At(ctx, time.Now())))
	}()
}

func (m *Manager[D, O]) finish(e *entry[D, O], res Result) {
	if m.config.Gate != nil {
		defer m.config.Gate.Passed(e.name)
	}
	if !m.land(e, e.instance.Snapshot(), res.Next) {
		return
	}
	_ = m.closeInstance(e) // its error is in the notice
	m.mu.Lock()
	defer m.mu.Unlock()
	m.vacate(e)
}

// land records that a pass has ended, and reports whether the instance is gone.
// The caller then closes it and vacates its place. It does so without the lock:
// a driver may wait for a goroutine that is about to wake it.
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
	if e.seizers == 0 { // they schedule it
		m.schedule(e, next)
	}
	return false
}

// occupy gives an entry a place. No other pass enters it meanwhile.
func (m *Manager[D, O]) occupy(e *entry[D, O]) {
	e.flying, e.woken, e.overrun, e.started = true, false, false, time.Now()
	m.inFlight[e] = struct{}{}
	m.active++
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

// announce tells everyone who waits that something has changed.
func (m *Manager[D, O]) announce() {
	close(m.changed)
	m.changed = make(chan struct{})
}

// Reconcile makes one pass over every instance that is due now, and returns
// when those passes have ended, or when ctx ends. It is for programs and tests
// that step by themselves; a Loop does the same all the time.
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

// startSome starts passes as long as there are places, and returns what is
// left. An entry that is no longer in the queue is gone or in a pass.
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
		m.start(ctx, e)
	}
	return todo
}
