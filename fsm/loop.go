package fsm

import (
	"context"
	"sync"
	"time"
)

// DefaultTick is how often a Loop ticks where it is not told. It is the time from an
// action to the pass that looks at its effect.
const DefaultTick = 100 * time.Millisecond

// Runner is what a Loop runs: a Manager of any kind.
type Runner interface {
	begin() error
	end()
	// dispatch starts what is due, and returns when it is to be called again; the
	// zero time says when there is a wake-up.
	dispatch(ctx context.Context) (next time.Time)
	wakeups() <-chan struct{}
	ended() <-chan struct{}
}

// Loop runs several managers; Manager.Run runs one. It starts passes over what is
// due, looks at nothing else, and sleeps until the next instance is due, a pass
// outlasts its time-out or a driver reports something. The zero Loop works. A Loop
// must not be copied after Run was called. A manager belongs to one Loop, for each
// of its wake-ups is heard once.
type Loop struct {
	// Tick is the time between the ticks by which Ticks measures how far the loop is
	// behind; zero means DefaultTick.
	Tick time.Duration

	mu  sync.Mutex // guards all
	all []*ticks
}

// Run runs the managers until ctx ends or each of them has been closed; the
// error is then nil. Passes that are under way see their context end; Close of
// their manager waits for them, and for Run to let go of the manager. The error
// wraps ErrRunning if one of the managers is already being run, and ErrClosed
// if one is closed; then none is run.
func (l *Loop) Run(ctx context.Context, managers ...Runner) error {
	for n, m := range managers {
		if err := m.begin(); err != nil {
			for _, begun := range managers[:n] {
				begun.end()
			}
			return err
		}
	}
	var all sync.WaitGroup
	for _, m := range managers {
		all.Go(func() {
			defer m.end()
			l.run(ctx, m)
		})
	}
	all.Wait()
	return nil
}

// Ticks returns how many ticks there were, those of all managers together, and
// how many were missed because the machine or the process was held up. Missed
// ticks are not caught up. A tick at which nothing was due is never missed: the
// loop sleeps through it.
func (l *Loop) Ticks() (ticks, late uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, t := range l.all {
		made, missed := t.sum(time.Now())
		ticks, late = ticks+made, late+missed
	}
	return ticks, late
}

// begin begins to count the ticks of a manager.
func (l *Loop) begin() *ticks {
	every := l.Tick
	if every <= 0 {
		every = DefaultTick
	}
	t := newTicks(every, time.Now())
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, t)
	return t
}

func (l *Loop) run(ctx context.Context, m Runner) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // of the passes that it has started
	t := l.begin()
	defer func() { t.end(time.Now()) }()
	// The timer has no channel of its own: one that is due is run by whoever looks at it,
	// and the race detector crashes when a synctest bubble runs another then (Go 1.26).
	due := make(chan struct{}, 1)
	timer := time.AfterFunc(0, func() {
		select {
		case due <- struct{}{}:
		default:
		}
	})
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-m.ended():
			return
		case <-m.wakeups():
		case <-due:
		}
		if ctx.Err() != nil {
			return
		}
		begun := time.Now()
		t.wake(begun)
		next := m.dispatch(ctx)
		now := time.Now()
		t.sleep(now, next)
		if next.IsZero() {
			timer.Stop()
		} else {
			timer.Reset(next.Sub(now))
		}
	}
}
