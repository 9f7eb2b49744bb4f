package fsm_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
)

func TestWaitDemandsAFreshPass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse()
		m := settled(t, h, 1, fsm.Config{})
		elapse(1234 * time.Millisecond)
		h.cut("lamp0")
		begin := time.Now()
		require.NoError(t, m.Wait(t.Context(), "lamp0", fsm.PhaseRunning), "what was seen before the call is no answer")
		lamp, _, _ := h.look("lamp0")
		assert.True(t, lamp.Glows)
		assert.Less(t, time.Since(begin), 3*time.Second, "nor is the resync waited for")
	})
}

func TestWaitIsForWhatWasLastAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse()
		m := settled(t, h, 1, fsm.Config{})
		jams := 3
		h.hook(func(_ context.Context, _, op string) error {
			if op == "set" && jams > 0 {
				jams--
				return errors.New("jammed")
			}
			return nil
		})
		require.NoError(t, m.Apply(t.Context(), declarations{"lamp0": lit(75)}))
		require.NoError(t, m.Wait(t.Context(), "lamp0", fsm.PhaseRunning))
		lamp, _, _ := h.look("lamp0")
		assert.EqualValues(t, 75, lamp.Watts, "it was lit all the time, but not as asked")
	})
}

func TestWaitForAPhaseNobodyAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse()
		m := settled(t, h, 1, fsm.Config{})
		h.hook(func(_ context.Context, _, op string) error {
			if op == "switch_on" {
				return errors.New("no power")
			}
			return nil
		})
		h.cut("lamp0")
		require.NoError(t, m.Wait(within(t, time.Minute), "lamp0", fsm.PhaseDegraded))
		h.hook(nil)
	})
}

func TestWaitErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse()
		h.hook(func(_ context.Context, _, op string) error {
			if op == "switch_on" {
				return errors.New("no power")
			}
			return nil
		})
		m := running(t, h.kind(t), fsm.Config{})
		require.NoError(t, m.Apply(t.Context(), declarations{"a": lit(1)}))
		err := m.Wait(within(t, 3*time.Second), "a", fsm.PhaseRunning)
		assert.ErrorIs(t, err, context.DeadlineExceeded)
		assert.EqualError(t, err, `"a" did not become running: it is off: it is off: cannot switch_on: no power: context deadline exceeded`)

		err = m.Wait(t.Context(), "b", fsm.PhaseRunning)
		assert.ErrorIs(t, err, fsm.ErrUnknown)
		assert.EqualError(t, err, `cannot wait for "b" to be running: no such instance`)
		assert.NoError(t, m.Wait(t.Context(), "b", fsm.PhaseRemoved))

		require.NoError(t, m.Apply(t.Context(), nil))
		err = m.Wait(within(t, time.Minute), "a", fsm.PhaseRunning)
		assert.ErrorIs(t, err, fsm.ErrUnknown, "it is gone while it is waited for")
	})
}

// An instance that is removed while it is waited for, and made again, is another
// one: it has made few passes, where the first had made many.
func TestWaitGoesOnWithTheNextOfTheName(t *testing.T) {
	for range 50 {
		synctest.Test(t, func(t *testing.T) {
			h := newHouse()
			m := running(t, h.kind(t), fsm.Config{})
			require.NoError(t, m.Apply(t.Context(), declarations{"a": off(1)}))
			for range 50 {
				h.wake("a")
				synctest.Wait()
			}
			var waiting sync.WaitGroup
			for range 8 {
				waiting.Go(func() {
					err := m.Wait(within(t, time.Minute), "a", fsm.PhaseRunning)
					if !errors.Is(err, fsm.ErrUnknown) { // it looked in time to see that
						assert.NoError(t, err)
					}
				})
			}
			synctest.Wait()
			gone := make(chan struct{})
			h.hook(func(_ context.Context, _, op string) error {
				if op == "close" {
					close(gone)
				}
				return nil
			})
			require.NoError(t, m.Remove(t.Context(), "a"))
			<-gone
			require.NoError(t, m.Apply(t.Context(), declarations{"a": lit(1)}))
			h.hook(nil)
			waiting.Wait()
		})
	}
}

// What a pass that was given up leaves as it was is no answer to what was asked
// since.
func TestWaitLearnsNothingFromAPassThatIsGivenUp(t *testing.T) {
	for what, ask := range map[string]func(*lampManager) error{
		"declared": func(m *lampManager) error { return m.Apply(context.Background(), declarations{"a": lit(2)}) },
		"retried":  func(m *lampManager) error { return m.Retry("a") },
	} {
		fakeTime(t, what, func(t *testing.T) {
			h := newHouse()
			h.hook(func(_ context.Context, _, op string) error {
				if op == "switch_on" {
					return fsm.Permanent(errBroken)
				}
				return nil
			})
			m := newManager(t, h.kind(t), fsm.Config{})
			_, stop := loop(t, m)
			require.NoError(t, m.Apply(t.Context(), declarations{"a": lit(1)}))
			require.ErrorIs(t, m.Wait(t.Context(), "a", fsm.PhaseRunning), fsm.ErrHeld)
			stop()
			synctest.Wait()

			h.hook(func(ctx context.Context, _, _ string) error {
				<-ctx.Done()
				return ctx.Err()
			})
			require.NoError(t, ask(m))
			waited := make(chan error)
			go func() { waited <- m.Wait(within(t, time.Minute), "a", fsm.PhaseRunning) }()
			synctest.Wait()
			_, stop = loop(t, m)
			synctest.Wait()
			stop()
			synctest.Wait()
			h.hook(nil)
			s, _ := m.Instance("a")
			assert.Equal(t, lit(1), s.Desired, "for which it is held")
			loop(t, m)
			assert.NoError(t, <-waited)
		})
	}
}

func TestCloseEndsWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse()
		m := settled(t, h, 1, fsm.Config{})
		var waiting sync.WaitGroup
		for _, phase := range []fsm.Phase{fsm.PhaseStopped, fsm.PhaseRemoved} {
			waiting.Go(func() {
				assert.ErrorIs(t, m.Wait(t.Context(), "lamp0", phase), fsm.ErrClosed)
			})
		}
		synctest.Wait()
		require.NoError(t, m.Close(t.Context()))
		waiting.Wait()
	})
}

func TestCloseLetsGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse()
		m := settled(t, h, 3, fsm.Config{})
		require.NoError(t, m.Close(t.Context()))
		for _, name := range []string{"lamp0", "lamp1", "lamp2"} {
			lamp, done, _ := h.look(name)
			assert.True(t, lamp.Glows, "nothing is stopped or removed")
			assert.Empty(t, done)
		}
		h.mu.Lock()
		assert.Equal(t, map[string]int{"lamp0": 0, "lamp1": 0, "lamp2": 0}, h.opened)
		h.mu.Unlock()
		assert.Empty(t, m.Snapshot())
		h.wake("lamp0")
		elapse(time.Minute)
		_, _, looks := h.look("lamp0")
		assert.Zero(t, looks)

		assert.ErrorIs(t, m.Apply(t.Context(), declarations{"a": lit(1)}), fsm.ErrClosed)
		assert.ErrorIs(t, m.Wait(t.Context(), "a", fsm.PhaseRemoved), fsm.ErrClosed)
		assert.ErrorIs(t, m.Retry("lamp0"), fsm.ErrUnknown)
		assert.NoError(t, m.Reconcile(t.Context()))
		assert.NoError(t, m.Close(t.Context()), "twice is once")
	})
}

func TestCloseWaitsAndNamesWhatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse()
		m := settled(t, h, 4, fsm.Config{})
		hook, release := hanging("lamp1", "lamp3")
		t.Cleanup(release)
		h.hook(func(ctx context.Context, name, op string) error {
			if name == "lamp2" && op == "observe" {
				time.Sleep(2 * time.Second)
			}
			if name == "lamp0" && op == "close" {
				return errors.New("jammed")
			}
			return hook(ctx, name, op)
		})
		for _, name := range []string{"lamp1", "lamp2", "lamp3"} {
			h.wake(name)
		}
		synctest.Wait()
		begin := time.Now()
		err := m.Close(within(t, 5*time.Second))
		assert.Equal(t, 5*time.Second, time.Since(begin))
		assert.ErrorIs(t, err, context.DeadlineExceeded)
		assert.EqualError(t, err, `cannot close "lamp1": its pass does not end: context deadline exceeded`+"\n"+
			`cannot close "lamp3": its pass does not end: context deadline exceeded`+"\n"+
			`cannot close "lamp0": jammed`)
		h.mu.Lock()
		assert.Equal(t, map[string]int{"lamp0": 0, "lamp1": 1, "lamp2": 0, "lamp3": 1}, h.opened,
			"the driver of a pass that goes on is not closed under it")
		h.mu.Unlock()
		release()
		synctest.Wait()
	})
}

func TestCloseWaitsForADriverThatIsBeingClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse()
		m := settled(t, h, 1, fsm.Config{})
		closed := false
		h.hook(func(_ context.Context, _, op string) error {
			if op == "close" {
				time.Sleep(time.Second)
				closed = true
			}
			return nil
		})
		require.NoError(t, m.Apply(t.Context(), nil))
		require.NoError(t, m.Wait(t.Context(), "lamp0", fsm.PhaseRemoved))
		require.NoError(t, m.Close(t.Context()))
		assert.True(t, closed)
	})
}

func TestCloseWhileADriverIsBeingOpened(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse()
		kind := h.kind(t)
		kind.Open = func(name string, wake func()) (fsm.Driver[watts, bulb], error) {
			time.Sleep(time.Second)
			return h.open(name, wake)
		}
		m := newManager(t, kind, fsm.Config{})
		loop(t, m)
		applied := make(chan error)
		go func() { applied <- m.Apply(t.Context(), declarations{"a": lit(1), "b": lit(1)}) }()
		elapse(1500 * time.Millisecond)
		require.NoError(t, m.Close(t.Context()))
		assert.ErrorIs(t, <-applied, fsm.ErrClosed)
		h.mu.Lock()
		defer h.mu.Unlock()
		assert.Equal(t, map[string]int{"a": 0, "b": 0}, h.opened, "no driver is left open")
	})
}

func TestADriverThatIsOpenedTooLateMayWaitForItsWaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse()
		kind := h.kind(t)
		kind.Open = func(name string, wake func()) (fsm.Driver[watts, bulb], error) {
			h.hook(func(_ context.Context, _, op string) error {
				if op == "close" {
					var waker sync.WaitGroup
					waker.Go(wake)
					waker.Wait()
				}
				return nil
			})
			time.Sleep(time.Second)
			return h.open(name, wake)
		}
		m := newManager(t, kind, fsm.Config{})
		applied := make(chan error)
		go func() { applied <- m.Apply(t.Context(), declarations{"a": lit(1)}) }()
		synctest.Wait()
		require.NoError(t, m.Close(t.Context()))
		assert.ErrorIs(t, <-applied, fsm.ErrClosed)
	})
}

func TestALoopComesToRestWhileItsManagerIsClosing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse()
		m := settled(t, h, 3, fsm.Config{})
		hook, release := hanging("lamp1")
		t.Cleanup(release)
		h.hook(hook)
		h.wake("lamp1")
		synctest.Wait()
		h.forget()
		// The others fall due while Close waits: a loop that went round for
		// them would let no fake time pass.
		err := m.Close(within(t, time.Minute))
		assert.ErrorContains(t, err, `cannot close "lamp1"`)
		_, _, looks := h.look("lamp0")
		assert.Zero(t, looks, "no pass begins once Close was called")
	})
}

// TestCloseRaces is made on real time, with real parallelism.
func TestCloseRaces(t *testing.T) {
	for range 50 {
		h := newHouse()
		m, err := fsm.NewManager(flickering(t, h), fsm.Config{Parallel: 2})
		require.NoError(t, err)
		_, stop := loop(t, m)
		var all sync.WaitGroup
		for _, want := range []declarations{{"a": lit(1), "b": lit(2)}, {"b": off(2), "c": lit(3)}, nil} {
			all.Go(func() {
				for range 20 {
					if err := m.Apply(t.Context(), want); err != nil {
						assert.ErrorIs(t, err, fsm.ErrClosed)
					}
				}
			})
			all.Go(func() {
				for range 50 {
					h.wake("a")
					h.wake("b")
					m.Snapshot()
					m.Instance("b")
					_ = m.Retry("c")
					_ = m.Restart(t.Context(), "a")
					m.Listen(func(fsm.Notice) { h.look("a") })()
				}
			})
			all.Go(func() {
				for range 20 {
					_ = m.Set(t.Context(), "d", want["b"])
					m.Declared()
					_ = m.Remove(t.Context(), "d")
					_ = m.Wait(t.Context(), "d", fsm.PhaseRemoved)
				}
			})
		}
		for range 2 {
			all.Go(func() { assert.NoError(t, m.Close(t.Context())) })
		}
		all.Wait()
		stop()
		h.mu.Lock()
		for name, open := range h.opened {
			assert.Zero(t, open, "the driver of %s is left open", name)
		}
		h.mu.Unlock()
	}
}
