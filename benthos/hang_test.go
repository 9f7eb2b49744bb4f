package benthos_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/benthos/benthostest"
	"github.com/evenkeel/evenkeel/fsm"
)

// stoppable is a Prober of engines that can be stopped: what they are asked
// then is not answered until the questioner loses patience.
type stoppable struct {
	*benthostest.Prober
	patience time.Duration
	takes    atomic.Int64 // each answer, in nanoseconds
	stopped  atomic.Bool
}

func newStoppable(t *testing.T, patience time.Duration) (*memory, *stoppable) {
	m := newMemory(t)
	p := &stoppable{Prober: m.prober, patience: patience}
	p.takes.Store(int64(20 * time.Millisecond))
	m.prober.Set(endpoint, benthostest.Endpoint{})
	m.options.Prober = p
	return m, p
}

func (p *stoppable) wait(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, p.patience)
	defer cancel()
	select {
	case <-time.After(time.Duration(p.takes.Load())):
	case <-ctx.Done():
		return ctx.Err()
	}
	if !p.stopped.Load() {
		return nil
	}
	<-ctx.Done()
	return ctx.Err()
}

func (p *stoppable) Ping(ctx context.Context, addr string) error {
	if err := p.wait(ctx); err != nil {
		return err
	}
	return p.Prober.Ping(ctx, addr)
}

func (p *stoppable) Ready(ctx context.Context, addr string) (benthos.ReadyState, error) {
	if err := p.wait(ctx); err != nil {
		return benthos.ReadyState{}, err
	}
	return p.Prober.Ready(ctx, addr)
}

func (p *stoppable) Version(ctx context.Context, addr string) (benthos.VersionInfo, error) {
	if err := p.wait(ctx); err != nil {
		return benthos.VersionInfo{}, err
	}
	return p.Prober.Version(ctx, addr)
}

func (p *stoppable) Metrics(ctx context.Context, addr string) (benthos.Metrics, error) {
	if err := p.wait(ctx); err != nil {
		return benthos.Metrics{}, err
	}
	return p.Prober.Metrics(ctx, addr)
}

// An engine that is stopped, whichever question it is asked at that moment, is
// degraded once it has had time to answer, whether its questioner's patience or
// that of the pass ends first.
func TestEngineThatIsStopped(t *testing.T) {
	const passTimeout = 10 * time.Second // as by default
	for _, patience := range []time.Duration{time.Second, 5 * time.Second, 15 * time.Second} {
		for _, interval := range []time.Duration{100 * time.Millisecond, time.Second} {
			for after := range 40 {
				t.Run(fmt.Sprintf("patience %v, interval %v, moment %d", patience, interval, after), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						m, p := newStoppable(t, patience)
						m.options.HealthInterval = interval
						manager := m.manage(t)
						require.NoError(t, manager.Apply(t.Context(), active(map[string]*benthos.Config{"a": stream("1s")})))
						require.NoError(t, manager.Wait(t.Context(), "a", fsm.PhaseRunning))
						time.Sleep(time.Duration(after) * 5 * time.Millisecond)
						begun := time.Now()
						p.stopped.Store(true)
						ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
						defer cancel()
						require.NoError(t, manager.Wait(ctx, "a", fsm.PhaseDegraded))
						assert.LessOrEqual(t, time.Since(begun), passTimeout+min(patience, passTimeout)+interval)
						p.stopped.Store(false)
						require.NoError(t, manager.Wait(t.Context(), "a", fsm.PhaseRunning))
					})
				})
			}
		}
	}
}

// What an engine has counted counts although it takes longer to say so than the
// window is long.
func TestEngineThatAnswersSlowly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, p := newStoppable(t, 5*time.Second)
		m.options.ActivityWindow = time.Second
		manager := m.manage(t)
		require.NoError(t, manager.Apply(t.Context(), active(map[string]*benthos.Config{"a": stream("1s")})))
		require.NoError(t, manager.Wait(t.Context(), "a", fsm.PhaseRunning))
		p.takes.Store(int64(2 * time.Second))
		passed := func() (states []fsm.State) {
			s, _ := manager.Instance("a")
			for _, move := range s.History {
				states = append(states, move.To)
			}
			return states
		}
		before := len(passed())
		m.prober.Set(endpoint, benthostest.Endpoint{Metrics: benthos.Metrics{InputReceived: 1}})
		time.Sleep(time.Minute)
		assert.Equal(t, []fsm.State{benthos.StateActive, benthos.StateIdle}, passed()[before:])
	})
}
