package fsm_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
)

// slowly is a kind that finds out only when something is applied that more than 100
// watts are too many, and notes of what it was told that it existed.
func slowly(t *testing.T, h *house, existed *[]string) lampKind {
	kind := h.kind(t)
	kind.Discover = h.discover
	kind.Validate = func(ctx context.Context, desired, before declarations) (map[string]error, error) {
		if fsm.Preparing(ctx) {
			return map[string]error{"never": errors.New("no such place")}, nil
		}
		*existed = slices.Sorted(maps.Keys(before))
		refused := make(map[string]error)
		for name, d := range desired {
			if d.Spec > 100 {
				refused[name] = errors.New("too bright")
			}
		}
		return refused, nil
	}
	return kind
}

// What is new is begun with before it is known whether it is taken, and nothing else.
func TestPrepare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse()
		h.put("found", bulb{There: true, Power: true, Glows: true, Watts: 15}, lit(15))
		var existed []string
		m := running(t, slowly(t, h, &existed), fsm.Config{})
		ctx := t.Context()
		require.NoError(t, m.Apply(ctx, declarations{"old": lit(40), "found": lit(15)}))
		require.NoError(t, m.Wait(ctx, "old", fsm.PhaseRunning))
		var told heard
		m.Listen(told.listen)

		all := declarations{"old": lit(500), "found": lit(15), "good": lit(60), "bad": lit(500), "never": lit(1), "gone": gone(1)}
		prepared, err := m.Prepare(ctx, all)
		require.NoError(t, err)
		assert.ElementsMatch(t, []string{"good", "bad"}, prepared)
		elapse(time.Minute)
		for name, watts := range map[string]watts{"old": 40, "found": 15, "good": 60, "bad": 500} {
			s, there := m.Instance(name)
			require.True(t, there, name)
			assert.Equal(t, lit(watts), s.Desired, name)
			assert.Equal(t, lampLit, s.State, name)
		}
		assert.Empty(t, m.Refused(), "Apply tells")
		prepared, err = m.Prepare(ctx, all)
		require.NoError(t, err)
		assert.Empty(t, prepared, "they are prepared")

		delete(all, "never")
		require.Error(t, m.Apply(ctx, all))
		assert.Equal(t, []string{"found", "old"}, existed, "what is prepared counts as new")
		assert.Equal(t, []string{"bad", "old"}, slices.Sorted(maps.Keys(m.Refused())))
		elapse(time.Minute)
		assert.Equal(t, []string{"found", "good", "old"}, names(m), "what is refused is removed")
		s, _ := m.Instance("good")
		assert.EqualValues(t, 1, s.Generation, "it is asked for once")

		require.Error(t, m.Apply(ctx, declarations{"good": lit(500)}))
		elapse(time.Minute)
		s, _ = m.Instance("good")
		assert.Equal(t, lit(60), s.Desired, "what was applied is kept, as ever")
	})
}
