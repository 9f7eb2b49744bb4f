package fsm_test

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
)

type (
	lampManager  = fsm.Manager[watts, bulb]
	lampKind     = fsm.Kind[watts, bulb]
	declarations = map[string]lampDesired
)

// newManager returns a manager that is closed when the test ends. Its failures
// are put off without jitter.
func newManager(t testing.TB, kind lampKind, config fsm.Config) *lampManager {
	t.Helper()
	config.Backoff.Jitter = -1
	m, err := fsm.NewManager(kind, config)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, m.Close(context.Background())) })
	return m
}

// running returns a manager with a loop that runs until the test ends.
func running(t testing.TB, kind lampKind, config fsm.Config) *lampManager {
	t.Helper()
	m := newManager(t, kind, config)
	loop(t, m)
	return m
}

func loop(t testing.TB, m ...fsm.Runner) (l *fsm.Loop, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	l, done := new(fsm.Loop), make(chan struct{})
	go func() {
		defer close(done)
		if err := l.Run(ctx, m...); !errors.Is(err, fsm.ErrClosed) {
			assert.NoError(t, err)
		}
	}()
	stop = sync.OnceFunc(func() {
		cancel()
		<-done
	})
	t.Cleanup(stop)
	return l, stop
}

// within is a context of fake time.
func within(t testing.TB, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

// fakeTime runs a test in a bubble.
func fakeTime(t *testing.T, name string, test func(*testing.T)) {
	t.Helper()
	t.Run(name, func(t *testing.T) { synctest.Test(t, test) })
}

func names(m *lampManager) (names []string) {
	for _, s := range m.Snapshot() {
		names = append(names, s.Name)
	}
	return names
}

// elapse lets fake time pass and everything that is due then come to rest.
func elapse(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestApplyIsDeclarative(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse()
		m := running(t, h.kind(t), fsm.Config{})
		ctx := t.Context()
		require.NoError(t, m.Apply(ctx, declarations{"c": lit(40), "a": lit(60), "b": off(25)}))
		require.NoError(t, m.Wait(ctx, "a", fsm.PhaseRunning))
		require.NoError(t, m.Wait(ctx, "b", fsm.PhaseStopped))
		require.NoError(t, m.Wait(ctx, "c", fsm.PhaseRunning))
		assert.Equal(t, []string{"a", "b", "c"}, names(m))
		lamp, _, _ := h.look("a")
		assert.Equal(t, bulb{There: true, Power: true, Glows: true, Watts: 60}, lamp)

		h.forget()
		require.NoError(t, m.Apply(ctx, declarations{"a": lit(60), "b": lit(25)}))
		require.NoError(t, m.Wait(ctx, "b", fsm.PhaseRunning))
		require.NoError(t, m.Wait(ctx, "c", fsm.PhaseRemoved))
		assert.Equal(t, []string{"a", "b"}, names(m))
		_, held := m.Instance("c")
		assert.False(t, held)
		lamp, done, _ := h.look("c")
		assert.Equal(t, bulb{}, lamp, "what is not listed is removed")
		assert.Equal(t, []string{"switch_off", "unscrew"}, done)
		_, done, _ = h.look("a")
		assert.Empty(t, done, "what did not change is not touched")

		elapse(0)
		h.mu.Lock()
		opened := maps.Clone(h.opened)
		h.mu.Unlock()
		assert.Equal(t, map[string]int{"a": 1, "b": 1, "c": 0}, opened, "the driver of what is gone is closed")

		require.NoError(t, m.Apply(ctx, nil))
		elapse(time.Minute)
		assert.Empty(t, m.Snapshot())
	})
}

func TestListedAgainDuringRemovalIsMadeAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse()
		var events []fsm.Event
		m := running(t, h.kind(t), fsm.Config{OnTransition: func(tr fsm.Transition) { events = append(events, tr.Event) }})
		ctx := t.Context()
		require.NoError(t, m.Apply(ctx, declarations{"a": lit(40)}))
		require.NoError(t, m.Wait(ctx, "a", fsm.PhaseRunning))

		unscrewing := make(chan struct{})
		h.hook(func(_ context.Context, _, op string) error {
			if op == "unscrew" {
				<-unscrewing
			}
			return nil
		})
		require.NoError(t, m.Apply(ctx, nil))
		elapse(time.Second)
		s, _ := m.Instance("a")
		require.Equal(t, fsm.StateRemoving, s.State)
		h.forget()
		events = nil
		require.NoError(t, m.Apply(ctx, declarations{"a": lit(60)}))
		close(unscrewing)
		require.NoError(t, m.Wait(ctx, "a", fsm.PhaseRunning))
		assert.Equal(t, []fsm.Event{"remove_done", "create", "create_done", "light", "glow"}, events)
		lamp, done, _ := h.look("a")
		assert.Equal(t, []string{"unscrew", "screw_in", "screw_in", "switch_on"}, done)
		assert.EqualValues(t, 60, lamp.Watts)
	})
}

func TestListedAgainInTheLastPassOfRemovalIsMadeAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse()
		m := settled(t, h, 1, fsm.Config{})
		last, release := make(chan struct{}), make(chan struct{})
		h.hook(func(_ context.Context, name, op string) error {
			if s, held := m.Instance(name); held && op == "observe" && s.State == fsm.StateRemoved {
				h.hook(nil)
				close(last)
				<-release
			}
			return nil
		})
		require.NoError(t, m.Apply(t.Context(), nil))
		<-last
		require.NoError(t, m.Apply(t.Context(), declarations{"lamp0": lit(60)}))
		close(release)
		assert.NoError(t, m.Wait(within(t, time.Minute), "lamp0", fsm.PhaseRunning))
	})
}

func TestOpeningADriverBlocksNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse()
		kind := h.kind(t)
		release := make(chan struct{})
		kind.Open = func(name string, wake func()) (fsm.Driver[watts, bulb], error) {
			if name == "slow" {
				<-release
			}
			return h.open(name, wake)
		}
		m := running(t, kind, fsm.Config{})
		require.NoError(t, m.Apply(t.Context(), declarations{"a": lit(1)}))
		require.NoError(t, m.Wait(t.Context(), "a", fsm.PhaseRunning))
		applied := make(chan error)
		go func() { applied <- m.Apply(t.Context(), declarations{"a": lit(2), "slow": lit(2)}) }()
		synctest.Wait()
		h.cut("a")
		h.wake("a")
		assert.NoError(t, m.Wait(within(t, 5*time.Second), "a", fsm.PhaseRunning))
		close(release)
		assert.NoError(t, <-applied)
		assert.NoError(t, m.Wait(t.Context(), "slow", fsm.PhaseRunning))
	})
}

func TestApplyingTheSameAgainLeavesHeldInstancesHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse()
		m := running(t, h.kind(t), fsm.Config{})
		var tries atomic.Int32
		h.hook(func(_ context.Context, name, op string) error {
			if op == "switch_on" && name == "a" {
				tries.Add(1)
				return fsm.Permanent(errors.New("no such bulb"))
			}
			return nil
		})
		require.NoError(t, m.Apply(t.Context(), declarations{"a": lit(40), "b": lit(40)}))
		elapse(time.Minute)
		require.EqualValues(t, 1, tries.Load())
		s, _ := m.Instance("a")
		assert.True(t, s.Held)

		require.NoError(t, m.Apply(t.Context(), declarations{"a": lit(40), "b": lit(60)}))
		require.NoError(t, m.Wait(t.Context(), "b", fsm.PhaseRunning))
		elapse(time.Minute)
		assert.EqualValues(t, 1, tries.Load(), "a change to another instance is none to this one")

		require.NoError(t, m.Apply(t.Context(), declarations{"a": lit(41), "b": lit(60)}))
		elapse(time.Minute)
		assert.EqualValues(t, 2, tries.Load())
		require.NoError(t, m.Retry("a"))
		elapse(0)
		assert.EqualValues(t, 3, tries.Load())
		assert.ErrorIs(t, m.Retry("nobody"), fsm.ErrUnknown)
	})
}

func TestARemovedInstanceIsNotGoneBeforeAPassHasSeenIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse()
		m := running(t, h.kind(t), fsm.Config{})
		require.NoError(t, m.Apply(t.Context(), declarations{"a": off(1)}))
		require.NoError(t, m.Wait(t.Context(), "a", fsm.PhaseStopped))
		unscrewed := false
		h.hook(func(_ context.Context, _, op string) error {
			if _, gone := m.Instance("a"); op == "observe" && gone && unscrewed {
				if s, _ := m.Instance("a"); s.State == fsm.StateRemoved {
					return errors.New("fog")
				}
			}
			unscrewed = unscrewed || op == "unscrew"
			return nil
		})
		require.NoError(t, m.Apply(t.Context(), nil))
		elapse(time.Minute)
		s, held := m.Instance("a")
		require.True(t, held, "a failed read is no absence")
		assert.Equal(t, fsm.StateRemoved, s.State)
		assert.ErrorContains(t, s.Err, "fog")
		h.hook(nil)
		assert.NoError(t, m.Wait(within(t, time.Minute), "a", fsm.PhaseRemoved))
	})
}

// records is a slog.Handler that keeps messages.
type records struct {
	slog.Handler
	mu   sync.Mutex
	said []string
}

func (r *records) Enabled(context.Context, slog.Level) bool { return true }

func (r *records) Handle(_ context.Context, rec slog.Record) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.said = append(r.said, rec.Message)
	return nil
}

func (r *records) count(message string) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, said := range r.said {
		if said == message {
			n++
		}
	}
	return n
}

func TestLogSaysEachThingOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, log := newHouse(), &records{}
		m := newManager(t, h.kind(t), fsm.Config{Logger: slog.New(log)})
		_, stop := loop(t, m)
		h.hook(func(_ context.Context, _, op string) error {
			if op == "switch_on" {
				return errors.New("no power")
			}
			return nil
		})
		require.Error(t, m.Apply(t.Context(), declarations{"a": lit(1), "..": lit(1)}))
		elapse(time.Minute)
		assert.Equal(t, 1, log.count("declaration refused"))
		assert.Equal(t, 2, log.count("transition"), "create, create_done")
		assert.Equal(t, 2, log.count("pass failed"), "the same failure again is news at its tenth time alone")

		h.hook(func(ctx context.Context, _, op string) error {
			if op == "observe" {
				<-ctx.Done()
			}
			return ctx.Err()
		})
		h.wake("a")
		synctest.Wait()
		stop()
		synctest.Wait()
		assert.Equal(t, 2, log.count("pass failed"), "nor is a pass that ended with the loop")
	})
}
