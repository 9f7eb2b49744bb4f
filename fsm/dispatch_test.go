package fsm_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
)

// settled returns a manager with n lamps that are lit and at rest, in a bubble.
func settled(t testing.TB, h *house, n int, config fsm.Config) *lampManager {
	t.Helper()
	m := lights(t, h, n, config)
	synctest.Wait()
	h.forget()
	return m
}

// lights returns a manager with n lamps that are lit.
func lights(t testing.TB, h *house, n int, config fsm.Config) *lampManager {
	t.Helper()
	m := running(t, h.kind(t), config)
	want := declarations{}
	for k := range n {
		want[fmt.Sprint("lamp", k)] = lit(40)
	}
	require.NoError(t, m.Apply(t.Context(), want))
	for name := range want {
		require.NoError(t, m.Wait(t.Context(), name, fsm.PhaseRunning))
	}
	return m
}

// hanging makes a hook that has observations of the named lamps hang, whatever
// becomes of their context, until it is released.
func hanging(names ...string) (hook func(context.Context, string, string) error, release func()) {
	released := make(chan struct{})
	hangs := map[string]bool{}
	for _, name := range names {
		hangs[name] = true
	}
	return func(_ context.Context, name, op string) error {
		if hangs[name] && op == "observe" {
			<-released
		}
		return nil
	}, sync.OnceFunc(func() { close(released) })
}

func TestIdleInstancesAreLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse()
		m := settled(t, h, 10, fsm.Config{})
		elapse(60 * time.Second)
		for _, s := range m.Snapshot() {
			_, done, looks := h.look(s.Name)
			assert.Empty(t, done)
			assert.LessOrEqual(t, looks, 13, "observed at the resync only")
			assert.GreaterOrEqual(t, looks, 11, "but observed at the resync")
		}
	})
}

func TestAWokenInstanceIsPassedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse()
		m := settled(t, h, 3, fsm.Config{})
		time.Sleep(1037 * time.Millisecond)
		h.wake("lamp1")
		woken := time.Now()
		elapse(0)
		s, _ := m.Instance("lamp1")
		assert.Equal(t, woken, s.ObservedAt, "between two ticks")
		for _, name := range []string{"lamp0", "lamp2"} {
			s, _ := m.Instance(name)
			assert.NotEqual(t, woken, s.ObservedAt, "the others were not woken")
		}
	})
}

func TestAWakeDuringAPassIsNotLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse()
		m := settled(t, h, 1, fsm.Config{})
		hook, release := hanging("lamp0")
		h.hook(hook)
		h.wake("lamp0")
		synctest.Wait()
		h.wake("lamp0")
		h.wake("lamp0")
		_, _, before := h.look("lamp0")
		release()
		elapse(0)
		_, _, after := h.look("lamp0")
		assert.Equal(t, before+2, after, "the pass under way and one more")
		s, _ := m.Instance("lamp0")
		assert.True(t, s.Settled)
	})
}

// TestStormOfWakes is made on real time, with real parallelism.
func TestStormOfWakes(t *testing.T) {
	h := newHouse()
	m := lights(t, h, 8, fsm.Config{Parallel: 4})
	var storm sync.WaitGroup
	var wakes atomic.Int64
	for k := range 8 {
		for range 3 {
			storm.Go(func() {
				for range 300 {
					h.wake(fmt.Sprint("lamp", k))
					wakes.Add(1)
				}
			})
		}
		storm.Go(func() {
			for n := range 50 {
				h.cut(fmt.Sprint("lamp", (k+n)%8))
				assert.NoError(t, m.Retry(fmt.Sprint("lamp", k)))
				_ = m.Reconcile(t.Context())
				m.Snapshot()
			}
		})
	}
	storm.Wait()
	for k := range 8 {
		h.wake(fmt.Sprint("lamp", k))
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for k := range 8 {
		require.NoError(t, m.Wait(ctx, fmt.Sprint("lamp", k), fsm.PhaseRunning))
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	assert.Empty(t, h.twice, "a pass was entered twice")
	assert.EqualValues(t, 8*3*300, wakes.Load())
}

// crowd makes a hook in which each operation takes 10 ms, and counts how many
// go on at once.
func crowd() (hook func(context.Context, string, string) error, most *atomic.Int32) {
	var inside atomic.Int32
	most = new(atomic.Int32)
	return func(context.Context, string, string) error {
		now := inside.Add(1)
		for old := most.Load(); now > old && !most.CompareAndSwap(old, now); old = most.Load() {
		}
		time.Sleep(10 * time.Millisecond)
		inside.Add(-1)
		return nil
	}, most
}

func TestParallelIsABound(t *testing.T) {
	fakeTime(t, "loop", func(t *testing.T) {
		h := newHouse()
		hook, most := crowd()
		h.hook(hook)
		settled(t, h, 20, fsm.Config{Parallel: 3})
		h.hook(nil)
		assert.EqualValues(t, 3, most.Load())
	})
	fakeTime(t, "Reconcile", func(t *testing.T) {
		h := newHouse()
		hook, most := crowd()
		h.hook(hook)
		m := newManager(t, h.kind(t), fsm.Config{Parallel: 3})
		want := declarations{}
		for k := range 20 {
			want[fmt.Sprint("lamp", k)] = lit(40)
		}
		require.NoError(t, m.Apply(t.Context(), want))
		require.NoError(t, m.Reconcile(t.Context()))
		h.hook(nil)
		assert.EqualValues(t, 3, most.Load())
	})
}

func TestParallelHoldsAfterAPassThatOverran(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse()
		settled(t, h, 12, fsm.Config{Parallel: 2, PassTimeout: time.Second})
		hook, release := hanging("lamp0", "lamp1", "lamp2")
		h.hook(hook)
		for _, name := range []string{"lamp0", "lamp1", "lamp2"} {
			h.wake(name)
		}
		elapse(5 * time.Second)
		release()
		elapse(5 * time.Second)
		hook, most := crowd()
		h.hook(hook)
		for k := range 12 {
			h.wake(fmt.Sprint("lamp", k))
		}
		elapse(time.Second)
		h.hook(nil)
		assert.EqualValues(t, 2, most.Load())
	})
}

func TestAPlaceThatIsLeftIsTakenAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse()
		m := settled(t, h, 2, fsm.Config{Parallel: 1})
		h.hook(func(_ context.Context, _, op string) error {
			if op == "close" {
				time.Sleep(30 * time.Millisecond)
			}
			return nil
		})
		require.NoError(t, m.Apply(t.Context(), declarations{"lamp1": lit(40)}))
		require.NoError(t, m.Wait(t.Context(), "lamp0", fsm.PhaseRemoved))
		h.wake("lamp1")
		free := time.Now().Add(30 * time.Millisecond)
		elapse(40 * time.Millisecond)
		s, _ := m.Instance("lamp1")
		assert.Equal(t, free, s.ObservedAt)
	})
}

func TestReconcileStepsWithoutALoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse()
		m := newManager(t, h.kind(t), fsm.Config{Parallel: 2})
		want := declarations{}
		for k := range 7 {
			want[fmt.Sprint("lamp", k)] = lit(40)
		}
		require.NoError(t, m.Apply(t.Context(), want))
		require.NoError(t, m.Reconcile(t.Context()))
		for _, s := range m.Snapshot() {
			_, _, looks := h.look(s.Name)
			assert.Equal(t, 1, looks, "one pass each")
			assert.Equal(t, fsm.StateCreating, s.State)
		}
		for range 10 {
			time.Sleep(100 * time.Millisecond)
			require.NoError(t, m.Reconcile(t.Context()))
		}
		for _, s := range m.Snapshot() {
			assert.Equal(t, lampLit, s.State)
		}
		h.forget()
		require.NoError(t, m.Reconcile(t.Context()))
		_, _, looks := h.look("lamp0")
		assert.Zero(t, looks, "nothing is due")
	})
}

func TestSeveralManagersInOneLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, g := newHouse(), newHouse()
		m, n := newManager(t, h.kind(t), fsm.Config{}), newManager(t, g.kind(t), fsm.Config{})
		l, stop := loop(t, m, n)
		require.NoError(t, m.Apply(t.Context(), declarations{"a": lit(1)}))
		require.NoError(t, n.Apply(t.Context(), declarations{"a": off(1)}))
		require.NoError(t, m.Wait(t.Context(), "a", fsm.PhaseRunning))
		require.NoError(t, n.Wait(t.Context(), "a", fsm.PhaseStopped))
		elapse(10 * time.Second)
		ticks, late := l.Ticks()
		assert.InDelta(t, 200, ticks, 10)
		assert.Zero(t, late)
		stop()
		h.wake("a")
		_, _, before := h.look("a")
		elapse(time.Minute)
		_, _, after := h.look("a")
		assert.Equal(t, before, after, "nothing is passed once the loop has ended")

		loop(t, m)
		elapse(0)
		_, _, after = h.look("a")
		assert.Equal(t, before+1, after, "and goes on with another loop")
	})
}
