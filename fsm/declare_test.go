package fsm_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
)

func TestSetLeavesTheOthersAsTheyAre(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse()
		h.put("cellar", bulb{There: true}, off(25)) // of an earlier run
		kind := h.kind(t)
		kind.Discover = h.discover
		m := running(t, kind, fsm.Config{})
		require.NoError(t, m.Set(t.Context(), "a", lit(40)))
		require.NoError(t, m.Set(t.Context(), "b", lit(60)))
		require.NoError(t, m.Wait(t.Context(), "a", fsm.PhaseRunning))
		require.NoError(t, m.Wait(t.Context(), "b", fsm.PhaseRunning))
		assert.Equal(t, declarations{"a": lit(40), "b": lit(60)}, declarations(m.Declared()))
		h.forget()

		require.NoError(t, m.Set(t.Context(), "b", lit(75)))
		require.NoError(t, m.Wait(t.Context(), "b", fsm.PhaseRunning))
		_, done, _ := h.look("a")
		assert.Empty(t, done)
		cellar, done, _ := h.look("cellar")
		assert.True(t, cellar.There, "what exists and was never declared is not touched")
		assert.Empty(t, done)

		require.NoError(t, m.Remove(t.Context(), "a"))
		require.NoError(t, m.Wait(t.Context(), "a", fsm.PhaseRemoved))
		assert.Equal(t, declarations{"b": lit(75)}, declarations(m.Declared()))
		require.NoError(t, m.Remove(t.Context(), "cellar"))
		require.NoError(t, m.Wait(t.Context(), "cellar", fsm.PhaseRemoved))
		cellar, _, _ = h.look("cellar")
		assert.False(t, cellar.There)
		assert.ErrorIs(t, m.Remove(t.Context(), "attic"), fsm.ErrUnknown)
	})
}

// TestStanding applied again changes nothing, whoever asked for it.
func TestStanding(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse()
		lit25 := bulb{There: true, Power: true, Glows: true, Watts: 25}
		h.put("cellar", lit25, lit(25)) // of an earlier run
		h.put("attic", lit25, lampDesired{Spec: 25})
		kind := h.kind(t)
		kind.Discover = h.discover
		m := running(t, kind, fsm.Config{})
		require.NoError(t, m.Set(t.Context(), "a", lit(40)))
		require.NoError(t, m.Set(t.Context(), "b", lit(60)))
		require.NoError(t, m.Wait(t.Context(), "a", fsm.PhaseRunning))
		require.NoError(t, m.Wait(t.Context(), "b", fsm.PhaseRunning))
		require.NoError(t, m.Remove(t.Context(), "b"))
		standing, err := m.Standing(t.Context())
		require.NoError(t, err)
		assert.Equal(t, declarations{"a": lit(40), "cellar": lit(25), "attic": {Spec: 25}}, declarations(standing))
		require.NoError(t, m.Wait(t.Context(), "b", fsm.PhaseRemoved))
		h.forget()
		var refused *fsm.RefusedError
		require.ErrorAs(t, m.Apply(t.Context(), standing), &refused)
		assert.Equal(t, "attic", refused.Name, "nobody can ask for what is not known")
		require.NoError(t, m.Wait(t.Context(), "cellar", fsm.PhaseRunning))
		time.Sleep(time.Minute)
		for _, name := range []string{"a", "attic", "cellar"} {
			lamp, done, _ := h.look(name)
			assert.True(t, lamp.Glows, name)
			assert.Empty(t, done, name)
		}
		assert.Equal(t, declarations{"a": lit(40), "cellar": lit(25)}, declarations(m.Declared()))
	})
}

func TestSetIsRefusedForOneNameAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse()
		h.put("cellar", bulb{There: true, Power: true, Glows: true, Watts: 25}, lit(25))
		kind := h.kind(t)
		kind.Discover = h.discover
		kind.Validate = func(_ context.Context, all, _ map[string]lampDesired) (map[string]error, error) {
			refused := make(map[string]error)
			for name, d := range all {
				if d.Spec > 100 {
					refused[name] = errors.New("too bright")
				}
			}
			return refused, nil
		}
		m := running(t, kind, fsm.Config{})
		require.NoError(t, m.Set(t.Context(), "a", lit(40)))
		var refused *fsm.RefusedError
		require.ErrorAs(t, m.Set(t.Context(), "a", lit(500)), &refused)
		assert.Equal(t, "a", refused.Name)
		assert.ErrorContains(t, m.Refused()["a"], "too bright")
		require.NoError(t, m.Set(t.Context(), "b", lit(60)), "what is refused of another is no matter")
		assert.ErrorContains(t, m.Refused()["a"], "too bright", "that stands")
		assert.Equal(t, lit(40), m.Declared()["a"], "it keeps what was asked before")

		require.ErrorAs(t, m.Set(t.Context(), "cellar", lit(500)), &refused)
		assert.Equal(t, lit(25), m.Declared()["cellar"], "and so does what an earlier run has left")
		require.Error(t, m.Set(t.Context(), "c", lit(500)))
		_, held := m.Instance("c")
		assert.False(t, held)

		require.NoError(t, m.Set(t.Context(), "a", lit(100)))
		require.NoError(t, m.Wait(t.Context(), "a", fsm.PhaseRunning))
		assert.NotContains(t, m.Refused(), "a")
		require.NoError(t, m.Close(t.Context()))
		assert.ErrorIs(t, m.Set(t.Context(), "a", lit(1)), fsm.ErrClosed)
	})
}

// Of two lamps with the same watts the newer is refused.
func TestSetIsSeenBesideWhatAnEarlierRunHasLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse()
		h.put("old", bulb{There: true, Power: true, Glows: true, Watts: 40}, lit(40))
		kind := h.kind(t)
		kind.Discover = h.discover
		kind.Validate = func(_ context.Context, all, before declarations) (map[string]error, error) {
			refused := make(map[string]error)
			for name, d := range all {
				for other := range all {
					if other != name && all[other].Spec == d.Spec && before[other] == all[other] {
						refused[name] = errors.New("its watts are those of " + other)
					}
				}
			}
			return refused, nil
		}
		m := running(t, kind, fsm.Config{})
		assert.ErrorContains(t, m.Set(t.Context(), "new", lit(40)), "those of old")
		require.NoError(t, m.Set(t.Context(), "new", lit(60)))
		require.NoError(t, m.Set(t.Context(), "old", lit(40)))
		assert.Equal(t, declarations{"new": lit(60), "old": lit(40)}, declarations(m.Declared()))
	})
}

func TestWhatWasRefusedAndIsNotWantedAnyMoreIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse()
		m := settled(t, h, 1, fsm.Config{})
		bad := lampDesired{State: "bright"}
		require.Error(t, m.Set(t.Context(), "a", bad))
		require.Error(t, m.Set(t.Context(), "lamp0", bad))
		require.NoError(t, m.Remove(t.Context(), "a"))
		require.NoError(t, m.Remove(t.Context(), "lamp0"))
		assert.Empty(t, m.Refused())
		assert.EqualError(t, m.Remove(t.Context(), "a"), `cannot remove "a": no such instance`)
		assert.ErrorIs(t, m.Wait(t.Context(), "a", fsm.PhaseRunning), fsm.ErrUnknown)
	})
}

func TestWaitHearsOfARefusalAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse()
		m := settled(t, h, 1, fsm.Config{})
		time.Sleep(time.Second)
		waited := make(chan error, 1)
		go func() { waited <- m.Wait(t.Context(), "lamp0", fsm.PhaseStopped) }()
		synctest.Wait()
		begin := time.Now()
		require.Error(t, m.Set(t.Context(), "lamp0", lampDesired{State: "bright"}))
		assert.ErrorAs(t, <-waited, new(*fsm.RefusedError))
		assert.Zero(t, time.Since(begin))
	})
}

func TestARemovalIsNotRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse()
		h.put("a", bulb{There: true, Power: true, Glows: true, Watts: 500}, lit(500))
		kind := h.kind(t)
		kind.Discover = h.discover
		kind.Validate = func(_ context.Context, all, _ declarations) (map[string]error, error) {
			refused := make(map[string]error)
			for name, d := range all {
				if d.Spec > 100 {
					refused[name] = errors.New("too bright")
				}
			}
			return refused, nil
		}
		m := running(t, kind, fsm.Config{})
		require.NoError(t, m.Remove(t.Context(), "a"))
		require.NoError(t, m.Wait(t.Context(), "a", fsm.PhaseRemoved))
		require.NoError(t, m.Apply(t.Context(), declarations{"b": gone(500)}))
		assert.Empty(t, m.Refused())
	})
}

func TestWaitReturnsAtOnceWhereItIsOfNoUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse()
		h.hook(func(_ context.Context, _, op string) error {
			if op == "switch_on" {
				return fsm.Permanent(errors.New("no socket"))
			}
			return nil
		})
		m := running(t, h.kind(t), fsm.Config{})
		require.NoError(t, m.Apply(t.Context(), declarations{"a": lit(1)}))
		err := m.Wait(t.Context(), "a", fsm.PhaseRunning)
		assert.ErrorIs(t, err, fsm.ErrHeld)
		assert.EqualError(t, err, `"a" will not become running: it is off: it is off: cannot switch_on: no socket: it is held until something changes`)

		h.hook(nil)
		require.NoError(t, m.Retry("a"))
		require.NoError(t, m.Wait(t.Context(), "a", fsm.PhaseRunning))

		require.Error(t, m.Apply(t.Context(), declarations{"a": {State: "bright"}, "b": {State: "bright"}}))
		var refused *fsm.RefusedError
		require.NoError(t, m.Wait(t.Context(), "a", fsm.PhaseRunning), "as it was asked before")
		assert.ErrorAs(t, m.Wait(t.Context(), "a", fsm.PhaseStopped), &refused)
		assert.ErrorAs(t, m.Wait(t.Context(), "b", fsm.PhaseRunning), &refused)
		assert.ErrorIs(t, m.Wait(t.Context(), "c", fsm.PhaseRunning), fsm.ErrUnknown)
	})
}
