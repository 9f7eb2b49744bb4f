package fsm_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
)

func TestHungDriversBlockNoOther(t *testing.T) {
	for _, deaf := range []bool{false, true} {
		fakeTime(t, fmt.Sprint("deaf to its context ", deaf), func(t *testing.T) {
			h := newHouse()
			m := newManager(t, h.kind(t), fsm.Config{Parallel: 2, PassTimeout: time.Second})
			released := make(chan struct{})
			t.Cleanup(func() { close(released) })
			h.hook(func(ctx context.Context, name, op string) error {
				if name[0] != 'h' || op != "screw_in" {
					return nil
				}
				if deaf {
					<-released
				} else {
					<-ctx.Done()
				}
				return ctx.Err()
			})
			loop(t, m)
			want := declarations{}
			for k := range 7 {
				want[fmt.Sprint("hung", k)] = lit(40)
				want[fmt.Sprint("well", k)] = lit(40)
			}
			require.NoError(t, m.Apply(t.Context(), want))
			for k := range 7 {
				assert.NoError(t, m.Wait(within(t, 15*time.Second), fmt.Sprint("well", k), fsm.PhaseRunning))
			}
			if deaf {
				err := m.Wait(within(t, time.Second), "hung0", fsm.PhaseRunning)
				assert.ErrorContains(t, err, "a pass has been under way for ")
				return
			}
			s, _ := m.Instance("hung0")
			assert.ErrorIs(t, s.Err, context.DeadlineExceeded)
			assert.False(t, s.Held)
		})
	}
}

func TestAPanicTouchesNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse()
		m := settled(t, h, 4, fsm.Config{})
		h.hook(func(_ context.Context, name, op string) error {
			if name == "lamp1" && op == "observe" {
				panic("boom")
			}
			return nil
		})
		for k := range 4 {
			h.wake(fmt.Sprint("lamp", k))
		}
		elapse(time.Minute)
		for _, s := range m.Snapshot() {
			if s.Name != "lamp1" {
				assert.True(t, s.Settled, s.Name)
				assert.NoError(t, s.Err)
				continue
			}
			var p *fsm.PanicError
			assert.ErrorAs(t, s.Err, &p)
			assert.False(t, s.Settled)
			assert.Equal(t, lampLit, s.State)
		}
		h.hook(nil)
		require.NoError(t, m.Wait(within(t, time.Minute), "lamp1", fsm.PhaseRunning), "and it comes back")
	})
}

func TestAPanicOfCloseTouchesNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse()
		m := settled(t, h, 2, fsm.Config{})
		h.hook(func(_ context.Context, _, op string) error {
			if op == "close" {
				panic("boom")
			}
			return nil
		})
		require.NoError(t, m.Apply(t.Context(), declarations{"lamp0": lit(40)}))
		require.NoError(t, m.Wait(within(t, time.Minute), "lamp1", fsm.PhaseRemoved))
		elapse(time.Minute)
		s, _ := m.Instance("lamp0")
		assert.True(t, s.Settled)
		h.hook(nil)
	})
}

func TestReconcileWithHungDrivers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse()
		m := newManager(t, h.kind(t), fsm.Config{Parallel: 2, PassTimeout: time.Second})
		require.NoError(t, m.Apply(t.Context(), declarations{
			"a": lit(1), "b": lit(1), "c": lit(1), "hung0": lit(1), "hung1": lit(1), "hung2": lit(1),
		}))
		hook, release := hanging("hung0", "hung1", "hung2")
		t.Cleanup(release)
		h.hook(hook)
		for range 10 {
			err := m.Reconcile(within(t, 4*time.Second))
			if err != nil {
				assert.ErrorIs(t, err, context.DeadlineExceeded)
				assert.ErrorContains(t, err, "cannot reconcile all that is due")
			}
			time.Sleep(time.Second)
		}
		for _, name := range []string{"a", "b", "c"} {
			s, _ := m.Instance(name)
			assert.Equal(t, lampLit, s.State, name)
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		assert.Empty(t, h.twice)
	})
}

func TestErrorsAreNoNewsToTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse()
		m := settled(t, h, 3, fsm.Config{})
		h.hook(func(_ context.Context, name, op string) error {
			if name == "lamp1" {
				return errors.New("fog")
			}
			return nil
		})
		elapse(time.Minute)
		s, _ := m.Instance("lamp1")
		assert.ErrorContains(t, s.Err, "cannot observe: fog")
		assert.Equal(t, lampLit, s.State)
		assert.LessOrEqual(t, time.Until(s.NextTry), 30*time.Second)
		_, done, looks := h.look("lamp0")
		assert.Empty(t, done)
		assert.GreaterOrEqual(t, looks, 11)
		h.hook(nil)
	})
}
