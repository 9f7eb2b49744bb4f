package fsm_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
)

// changeOf tells from what was done to a lamp what kind of change that was.
func changeOf(done []string) fsm.ChangeKind {
	has := func(op string) bool { return slices.Contains(done, op) }
	switch {
	case has("unscrew"):
		return fsm.ChangeRemove
	case has("set"):
		return fsm.ChangeLive
	case len(done) > 0 && done[0] == "screw_in" && done[len(done)-1] == "screw_in", len(done) > 1 && done[1] == "screw_in":
		return fsm.ChangeCreate
	case has("switch_on"):
		return fsm.ChangeStart
	case has("switch_off"):
		return fsm.ChangeStop
	}
	return fsm.ChangeNone
}

func TestPlanAgreesWithWhatApplyThenDoes(t *testing.T) {
	choices := []*lampDesired{nil, new(lit(40)), new(lit(60)), new(off(40)), new(gone(40)), new(lit(999))}
	for _, held := range []bool{true, false} {
		for b, before := range choices[:5] {
			for a, after := range choices {
				fakeTime(t, fmt.Sprintf("held %t, %d then %d", held, b, a), func(t *testing.T) {
					planThenApply(t, held, before, after)
				})
			}
		}
	}
}

// declared is a declaration of one lamp, or of none.
func declared(d *lampDesired) declarations {
	if d == nil {
		return declarations{}
	}
	return declarations{"a": *d}
}

// planThenApply has a lamp as it was before, by this manager or by an earlier
// run of the program, and compares the plan for it with what is done.
func planThenApply(t *testing.T, held bool, before, after *lampDesired) {
	t.Helper()
	h := newHouse()
	kind := h.kind(t)
	kind.Discover, kind.Compare = h.discover, compareLamp
	kind.Validate = func(_ context.Context, desired, _ declarations) (map[string]error, error) {
		if desired["a"].Spec > 500 {
			return map[string]error{"a": errors.New("too bright")}, nil
		}
		return nil, nil
	}
	m := running(t, kind, fsm.Config{})
	if held {
		require.NoError(t, m.Apply(t.Context(), declared(before)))
		elapse(time.Minute)
	} else if before != nil && before.State != fsm.StateRemoved {
		glows := before.State == lampLit
		h.put("a", bulb{There: true, Power: glows, Glows: glows, Watts: before.Spec}, *before)
	}
	h.forget()

	plan, err := m.Plan(t.Context(), declared(after))
	require.NoError(t, err)
	_, done, _ := h.look("a")
	assert.Empty(t, done, "a plan does nothing")
	err = m.Apply(t.Context(), declared(after))
	elapse(time.Minute)
	_, done, _ = h.look("a")
	did := changeOf(done)

	switch {
	case after != nil && after.Spec == 999:
		require.Error(t, err)
		assert.Equal(t, []fsm.Change{{Name: "a", Kind: fsm.ChangeRefused, Why: "too bright", Err: plan[0].Err}}, plan)
		assert.EqualError(t, plan[0].Err, "too bright")
		assert.Equal(t, fsm.ChangeNone, did)
	case len(plan) == 0:
		require.NoError(t, err)
		assert.Equal(t, fsm.ChangeNone, did)
	default:
		require.NoError(t, err)
		require.Len(t, plan, 1)
		assert.Equal(t, "a", plan[0].Name)
		assert.NotEmpty(t, plan[0].Why)
		assert.Equal(t, did, plan[0].Kind, "%s; done: %v", plan[0].Why, done)
	}
}

func TestPlanIsSortedAndComplete(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse()
		kind := h.kind(t)
		m := running(t, kind, fsm.Config{})
		require.NoError(t, m.Apply(t.Context(), declarations{"stay": lit(1), "drop": lit(1), "quench": lit(1), "light": off(1)}))
		elapse(10 * time.Second)
		plan, err := m.Plan(t.Context(), declarations{"stay": lit(1), "quench": off(1), "light": lit(1), "new": lit(1), "a/b": lit(1)})
		require.NoError(t, err)
		kinds := map[string]fsm.ChangeKind{}
		var order []string
		for _, c := range plan {
			kinds[c.Name] = c.Kind
			order = append(order, c.Name)
		}
		assert.Equal(t, map[string]fsm.ChangeKind{
			"stay": fsm.ChangeNone, "drop": fsm.ChangeRemove, "quench": fsm.ChangeStop, "light": fsm.ChangeStart,
			"new": fsm.ChangeCreate, "a/b": fsm.ChangeRefused,
		}, kinds, "without Compare, by states")
		assert.Equal(t, slices.Sorted(maps.Keys(kinds)), order)
	})
}

func TestPlanBeforeTheFirstPass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse()
		h.put("a", bulb{There: true, Power: true, Glows: true, Watts: 40}, lit(40))
		kind := h.kind(t)
		kind.Discover = h.discover
		m := newManager(t, kind, fsm.Config{})
		plan, err := m.Plan(t.Context(), declarations{"a": off(40)})
		require.NoError(t, err)
		assert.Equal(t, []fsm.Change{{Name: "a", Kind: fsm.ChangeNone, Why: "its state is not known before it is adopted"}}, plan)
		require.NoError(t, m.Apply(t.Context(), declarations{"a": lit(40)}))
		plan, err = m.Plan(t.Context(), nil)
		require.NoError(t, err)
		assert.Equal(t, []fsm.Change{{Name: "a", Kind: fsm.ChangeRemove, Why: "it is not wanted any more"}}, plan,
			"it exists, though no pass has seen it")
		h.hook(func(_ context.Context, _, op string) error {
			if op == "observe" {
				panic("fog")
			}
			return nil
		})
		plan, err = m.Plan(t.Context(), declarations{"a": off(40), "b": lit(40)})
		require.NoError(t, err)
		assert.ErrorAs(t, plan[0].Err, new(*fsm.PanicError))
		plan[0].Err = nil
		assert.Equal(t, []fsm.Change{
			{Name: "a", Kind: fsm.ChangeUnknown, Why: "panic: fog"}, {Name: "b", Kind: fsm.ChangeCreate, Why: "it is not there"},
		}, plan, "an error about one name is not one about all")
		h.hook(nil)
	})
}
