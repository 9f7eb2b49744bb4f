package fsm

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// DefaultTick is how often a Loop ticks where it is not told.
const DefaultTick = 100 * time.Millisecond

// Runner is what a Loop runs: a Manager of any kind.
type Runner interface {
	begin() error
	end()
	dispatch(ctx context.Context) (next time.Time)
	wakeups() <-chan struct{}
	ended() <-chan struct{}
}

// Loop runs several managers; Manager.Run runs one. It ticks, and wakes between
// ticks when a driver reports something or an instance is due. Each time it
// starts passes over what is due, and looks at nothing else. The zero Loop
// works. A Loop must not be copied after Run was called. A manager belongs to
// one Loop, for each of its wake-ups is heard once.
type Loop struct {
	// Tick is the time between ticks; zero means DefaultTick.
	Tick time.Duration

	ticks, late atomic.Uint64
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
// ticks are not caught up.
func (l *Loop) Ticks() (ticks, late uint64) { return l.ticks.Load(), l.late.Load() }

func (l *Loop) run(ctx context.Context, m Runner) {
	every := l.Tick
	if every <= 0 {
		every = DefaultTick
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // of the passes that it has started
	tick := time.Now().Add(every)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-m.ended():
			return
		case <-m.wakeups():
		case <-timer.C:
		}
		if ctx.Err() != nil {
			return
		}
		now := time.Now()
		if behind := now.Sub(tick); behind >= 0 {
			l.ticks.Add(1)
			l.late.Add(uint64(behind / every))
			tick = now.Add(every - behind%every)
		}
		until := tick
		if next := m.dispatch(ctx); !next.IsZero() && next.Before(until) {
			until = next
		}
		timer.Reset(time.Until(until))
	}
}
