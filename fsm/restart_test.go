package fsm_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
)

// flicker is the driver of a lamp that can be restarted: it goes dark.
type flicker struct{ *lampDriver }

func (f flicker) Restart(ctx context.Context, _ lampDesired) error {
	leave, err := f.enter(ctx, f.name, "restart")
	defer leave()
	f.cut(f.name)
	return err
}

func flickering(t testing.TB, h *house) lampKind {
	kind := h.kind(t)
	kind.Open = func(name string, wake func()) (fsm.Driver[watts, bulb], error) {
		driver, err := h.open(name, wake)
		return flicker{driver.(*lampDriver)}, err
	}
	return kind
}

func TestRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse()
		m := running(t, flickering(t, h), fsm.Config{})
		require.NoError(t, m.Apply(t.Context(), declarations{"a": lit(40), "b": off(40)}))
		require.NoError(t, m.Wait(t.Context(), "a", fsm.PhaseRunning))
		_, before, _ := h.look("a")
		begin := time.Now()
		require.NoError(t, m.Restart(t.Context(), "a"))
		require.NoError(t, m.Wait(t.Context(), "a", fsm.PhaseRunning))
		lamp, after, _ := h.look("a")
		assert.True(t, lamp.Glows)
		assert.Greater(t, len(after), len(before), "it went dark and was lit again")
		assert.Less(t, time.Since(begin), fsm.DefaultResync, "it is looked at at once")

		assert.ErrorIs(t, m.Restart(t.Context(), "b"), fsm.ErrNoRestart)
		assert.ErrorIs(t, m.Restart(t.Context(), "c"), fsm.ErrUnknown)
		h.hook(func(_ context.Context, _, op string) error {
			if op == "restart" {
				return errBroken
			}
			return nil
		})
		assert.EqualError(t, m.Restart(t.Context(), "a"), `cannot restart "a": broken`)
		assert.Empty(t, h.twice)

		require.NoError(t, m.Close(t.Context()))
		assert.ErrorIs(t, m.Restart(t.Context(), "a"), fsm.ErrClosed)
	})
}

// duringAPass returns a manager in the middle of a pass over its one lamp, a,
// that goes on once it is released.
func duringAPass(t *testing.T) (h *house, m *lampManager, release func()) {
	h = newHouse()
	m = running(t, flickering(t, h), fsm.Config{})
	require.NoError(t, m.Apply(t.Context(), declarations{"a": lit(40)}))
	require.NoError(t, m.Wait(t.Context(), "a", fsm.PhaseRunning))
	hook, release := hanging("a")
	h.hook(hook)
	h.wake("a")
	synctest.Wait()
	return h, m, release
}

func TestRestartIsNoPartOfAPass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, m, release := duringAPass(t)

		short, enough := context.WithTimeout(t.Context(), time.Second)
		defer enough()
		assert.ErrorIs(t, m.Restart(short, "a"), context.DeadlineExceeded)
		restarted := make(chan error)
		go func() { restarted <- m.Restart(t.Context(), "a") }()
		synctest.Wait()
		release()
		require.NoError(t, <-restarted)
		assert.Empty(t, h.twice, "it waits until the pass has ended")
	})
}

func TestRestartOfADriverThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse()
		m := running(t, flickering(t, h), fsm.Config{PassTimeout: 3 * time.Second})
		require.NoError(t, m.Apply(t.Context(), declarations{"a": lit(40)}))
		require.NoError(t, m.Wait(t.Context(), "a", fsm.PhaseRunning))
		released := make(chan struct{})
		h.hook(func(_ context.Context, _, op string) error {
			if op == "restart" {
				<-released
			}
			return nil
		})
		begin := time.Now()
		assert.ErrorIs(t, m.Restart(t.Context(), "a"), context.DeadlineExceeded)
		assert.Equal(t, 3*time.Second, time.Since(begin))
		assert.ErrorIs(t, m.Restart(within(t, time.Second), "a"), context.DeadlineExceeded, "it is not called twice at once")
		close(released)
		require.NoError(t, m.Wait(t.Context(), "a", fsm.PhaseRunning))
		assert.NoError(t, m.Restart(t.Context(), "a"))
		assert.Empty(t, h.twice)
	})
}

func TestCloseEndsARestartThatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, m, release := duringAPass(t)
		t.Cleanup(release)
		var restarted error
		go func() { restarted = m.Restart(context.Background(), "a") }()
		synctest.Wait()
		require.Error(t, m.Close(within(t, time.Second)), "the pass does not end")
		synctest.Wait()
		assert.ErrorIs(t, restarted, fsm.ErrClosed)
	})
}

func TestRestartOfAKindThatDoesNotKnowHow(t *testing.T) {
	i, _, _ := asked(t, fsm.InstanceConfig{})
	assert.EqualError(t, i.Restart(t.Context()), "it cannot be restarted: kind stub does not know how")
}

func TestAManagerIsRunOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse()
		m, other := newManager(t, h.kind(t), fsm.Config{}), newManager(t, h.kind(t), fsm.Config{})
		ended := make(chan error)
		go func() { ended <- m.Run(context.Background()) }()
		synctest.Wait()
		assert.ErrorIs(t, m.Run(t.Context()), fsm.ErrRunning)
		assert.ErrorIs(t, new(fsm.Loop).Run(t.Context(), other, m), fsm.ErrRunning)
		go func() { ended <- other.Run(context.Background()) }()
		synctest.Wait()
		require.NoError(t, other.Apply(t.Context(), declarations{"a": lit(40)}))
		require.NoError(t, other.Wait(t.Context(), "a", fsm.PhaseRunning), "it was let go of")

		require.NoError(t, m.Close(t.Context()))
		assert.NoError(t, <-ended, "Close ends the loop")
		assert.ErrorIs(t, m.Run(t.Context()), fsm.ErrClosed)
		require.NoError(t, other.Close(t.Context()))
		assert.NoError(t, <-ended)
	})
}

func TestARunThatEndedCanBeginAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse()
		m := newManager(t, h.kind(t), fsm.Config{})
		for range 2 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			assert.NoError(t, m.Run(ctx))
			cancel()
		}
	})
}

// A restart that waits for a pass comes before the next one, however soon that
// is due: passes that follow each other at once cannot keep it waiting.
func TestRestartComesBeforeTheNextPass(t *testing.T) {
	for range 300 {
		synctest.Test(t, func(t *testing.T) {
			h := newHouse()
			m := running(t, flickering(t, h), fsm.Config{})
			require.NoError(t, m.Apply(t.Context(), declarations{"a": lit(40)}))
			require.NoError(t, m.Wait(t.Context(), "a", fsm.PhaseRunning))
			released := make(chan struct{})
			ops := make(chan string, 2)
			h.hook(func(_ context.Context, name, op string) error {
				select {
				case ops <- op:
				default: // only the first count
				}
				select {
				case <-released:
				default:
					h.wake(name)
					<-released
				}
				return nil
			})
			h.wake("a")
			synctest.Wait()
			restarted := make(chan error)
			go func() { restarted <- m.Restart(t.Context(), "a") }()
			synctest.Wait()
			close(released)
			require.NoError(t, <-restarted)
			require.Equal(t, "observe", <-ops)
			require.Equal(t, "restart", <-ops)
		})
	}
}

// One that gives up in the moment in which the pass ends leaves the instance to
// the next pass.
func TestRestartThatGivesUpStopsNoPasses(t *testing.T) {
	for range 30 {
		synctest.Test(t, func(t *testing.T) {
			_, m, release := duringAPass(t)
			ctx, cancel := context.WithCancel(t.Context())
			restarted := make(chan error)
			go func() { restarted <- m.Restart(ctx, "a") }()
			synctest.Wait()
			go release()
			cancel()
			<-restarted
			s, _ := m.Instance("a")
			before := s.ObservedAt
			elapse(2 * fsm.DefaultResync)
			s, _ = m.Instance("a")
			assert.True(t, s.ObservedAt.After(before))
		})
	}
}
