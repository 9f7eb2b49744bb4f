package fsm_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
)

func TestApplyRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse()
		h.put("found", bulb{There: true, Power: true, Glows: true, Watts: 15}, lit(15))
		h.put("stray", bulb{There: true, Power: true, Glows: true, Watts: 15}, lit(15))
		kind := h.kind(t)
		kind.Discover = h.discover
		tooBright := errors.New("too bright")
		kind.Validate = func(_ context.Context, desired, _ declarations) (map[string]error, error) {
			refused := map[string]error{"nobody": tooBright}
			for name, d := range desired {
				refused[name] = nil
				switch {
				case d.Spec > 100:
					refused[name] = tooBright
				case d.Spec == 99:
					refused[name] = fsm.Warning(errors.New("rather bright"))
				}
			}
			return refused, nil
		}
		m := running(t, kind, fsm.Config{})
		ctx := t.Context()
		require.NoError(t, m.Apply(ctx, declarations{"a": lit(40), "b": lit(40), "nobody": lit(1), "found": lit(15), "stray": lit(15)}))
		for _, name := range []string{"a", "b", "nobody", "found", "stray"} {
			require.NoError(t, m.Wait(ctx, name, fsm.PhaseRunning))
		}
		assert.Empty(t, m.Refused())
		h.forget()

		err := m.Apply(ctx, declarations{
			"a": lit(500), "b": {State: "glowing"}, "x/y": lit(1), "new": lit(500),
			"found": lit(15), "nobody": lit(1),
		})
		require.Error(t, err)
		assert.ErrorIs(t, err, tooBright)
		assert.ErrorIs(t, err, fsm.ErrName)
		var refused *fsm.RefusedError
		require.ErrorAs(t, err, &refused)
		assert.Equal(t, "a", refused.Name)
		assert.Equal(t, strings.Join([]string{
			`refused "a": too bright`,
			`refused "b": "glowing" cannot be asked for, only one of ["lit" "off" "removed"]`,
			`refused "new": too bright`,
			`refused "x/y": name "x/y": not a valid instance name: it must not contain a slash`,
		}, "\n"), err.Error())
		assert.Equal(t, []string{"a", "b", "new", "x/y"}, slices.Sorted(maps.Keys(m.Refused())))

		elapse(time.Minute)
		assert.Equal(t, []string{"a", "b", "found", "nobody"}, names(m), "what was refused goes on, what was not listed is gone")
		for _, name := range []string{"a", "b", "found", "nobody"} {
			s, _ := m.Instance(name)
			assert.True(t, s.Settled)
			assert.Equal(t, lampLit, s.State)
			_, done, _ := h.look(name)
			assert.Empty(t, done)
		}
		var told heard
		m.Listen(told.listen)
		require.NoError(t, m.Apply(ctx, declarations{"a": lit(99)}))
		assert.Empty(t, m.Refused(), "of the last Apply only")
		// What it was warned of may be told when the change is under way.
		assert.True(t, slices.ContainsFunc(told.taken(), func(n fsm.Notice) bool {
			w, ok := n.(fsm.Warned)
			return ok && w.Instance == "a"
		}))
		require.NoError(t, m.Wait(ctx, "a", fsm.PhaseRunning))
		require.NoError(t, m.Set(ctx, "b", lit(99)))
		assert.Equal(t, lit(99), m.Declared()["b"], "a warning refuses nothing")
	})
}

func TestRefusedAndDiscoveredKeepsWhatItWasAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse()
		h.put("found", bulb{There: true, Power: true, Glows: true, Watts: 15}, lit(15))
		h.put("unlisted", bulb{There: true, Power: true, Glows: true, Watts: 15}, lit(15))
		kind := h.kind(t)
		kind.Discover = h.discover
		m := running(t, kind, fsm.Config{})
		err := m.Apply(t.Context(), declarations{"found": {State: "glowing", Spec: 99}})
		var refused *fsm.RefusedError
		require.ErrorAs(t, err, &refused)
		elapse(time.Minute)
		assert.Equal(t, []string{"found"}, names(m))
		s, _ := m.Instance("found")
		assert.Equal(t, lit(15), s.Desired)
		assert.True(t, s.Settled)
		_, done, _ := h.look("found")
		assert.Empty(t, done, "it is adopted as it is")
		lamp, _, _ := h.look("unlisted")
		assert.Equal(t, bulb{}, lamp)
	})
}

func TestRefusedAndHeldKeepsWhatWasAskedLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse()
		kind := h.kind(t)
		kind.Discover = h.discover
		m := running(t, kind, fsm.Config{})
		require.NoError(t, m.Apply(t.Context(), declarations{"a": lit(40)}))
		require.NoError(t, m.Wait(t.Context(), "a", fsm.PhaseRunning))
		h.hook(func(_ context.Context, _, op string) error {
			if op == "set" {
				return errors.New("jammed")
			}
			return nil
		})
		require.NoError(t, m.Apply(t.Context(), declarations{"a": lit(60)}))
		elapse(time.Second)
		require.Error(t, m.Apply(t.Context(), declarations{"a": {State: "glowing"}}))
		elapse(time.Second)
		s, _ := m.Instance("a")
		assert.Equal(t, lit(60), s.Desired, "not what was done so far, which is all that can be discovered")
		h.hook(nil)
	})
}

func TestNothingIsAppliedOnAnError(t *testing.T) {
	for _, which := range []string{"discover", "validate"} {
		fakeTime(t, which, func(t *testing.T) {
			h := newHouse()
			kind := h.kind(t)
			var broken error
			fails := func(what string) error {
				if what == which {
					return broken
				}
				return nil
			}
			kind.Discover = func(context.Context) (map[string]lampDesired, map[string]error, error) {
				return nil, nil, fails("discover")
			}
			kind.Validate = func(_ context.Context, _, _ declarations) (map[string]error, error) { return nil, fails("validate") }
			m := running(t, kind, fsm.Config{})
			require.NoError(t, m.Apply(t.Context(), declarations{"a": lit(40)}))
			require.NoError(t, m.Wait(t.Context(), "a", fsm.PhaseRunning))
			broken = errors.New("disk on fire")
			err := m.Apply(t.Context(), declarations{"b": lit(40)})
			assert.ErrorIs(t, err, broken)
			assert.ErrorContains(t, err, "cannot apply: cannot ")
			_, err = m.Plan(t.Context(), declarations{"b": lit(40)})
			assert.ErrorIs(t, err, broken)
			elapse(time.Minute)
			assert.Equal(t, []string{"a"}, names(m))
			s, _ := m.Instance("a")
			assert.True(t, s.Settled)
			assert.Equal(t, lampLit, s.State)
		})
	}
}

func TestADriverThatCannotBeOpenedIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse()
		kind := h.kind(t)
		noSocket := errors.New("no socket")
		kind.Open = func(name string, wake func()) (fsm.Driver[watts, bulb], error) {
			switch name {
			case "bad":
				return nil, noSocket
			case "worse":
				panic("no house")
			}
			wake()
			return h.open(name, wake)
		}
		m := running(t, kind, fsm.Config{})
		err := m.Apply(t.Context(), declarations{"bad": lit(1), "good": lit(2), "worse": lit(3)})
		assert.EqualError(t, err, `refused "bad": cannot open lamp "bad": no socket`+"\n"+`refused "worse": cannot open lamp "worse": panic: no house`)
		assert.ErrorIs(t, m.Refused()["bad"], noSocket)
		require.NoError(t, m.Wait(t.Context(), "good", fsm.PhaseRunning), "a driver may wake its instance while it is opened")
		assert.Equal(t, []string{"good"}, names(m))
	})
}

// TestAnErrorAboutOneNameIsNoneAboutAll: what exists under one name and cannot
// be read is told, and stays as it is. All others are managed.
func TestAnErrorAboutOneNameIsNoneAboutAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse()
		h.put("dark", bulb{There: true}, off(40))
		h.put("left", bulb{There: true, Power: true, Glows: true, Watts: 15}, lit(15))
		kind := h.kind(t)
		locked := errors.New("the door is locked")
		kind.Discover = func(ctx context.Context) (map[string]lampDesired, map[string]error, error) {
			found, _, err := h.discover(ctx)
			delete(found, "dark")
			return found, map[string]error{"dark": locked}, err
		}
		var told []string
		m := running(t, kind, fsm.Config{Listeners: []fsm.Listener{func(n fsm.Notice) {
			if r, ok := n.(fsm.Refused); ok {
				told = append(told, r.Instance+": "+r.Err.Error())
			}
		}}})
		all := declarations{"a": lit(40)}
		plan, err := m.Plan(t.Context(), all)
		require.NoError(t, err)
		assert.Contains(t, plan, fsm.Change{Name: "dark", Kind: fsm.ChangeRefused, Why: "the door is locked", Err: locked})
		require.NoError(t, m.Apply(t.Context(), all), "nobody has asked for it")
		require.NoError(t, m.Wait(t.Context(), "a", fsm.PhaseRunning))
		elapse(time.Minute)
		assert.Equal(t, []string{"a"}, names(m))
		gone, _, _ := h.look("left")
		assert.Equal(t, bulb{}, gone, "what can be read and is not listed is removed")
		stays, done, _ := h.look("dark")
		assert.Equal(t, bulb{There: true}, stays)
		assert.Empty(t, done)
		assert.Equal(t, []string{"dark: the door is locked"}, told)
		assert.ErrorIs(t, m.Refused()["dark"], locked)

		require.NoError(t, m.Set(t.Context(), "b", lit(40)))
		assert.ErrorIs(t, m.Remove(t.Context(), "dark"), locked)
		require.NoError(t, m.Remove(t.Context(), "b"))
		require.NoError(t, m.Apply(t.Context(), declarations{"dark": off(40)}), "Validate has accepted it")
		assert.Empty(t, m.Refused())
	})
}
