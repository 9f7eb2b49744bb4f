package fsm_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
)

// trouble is what befalls the lamps of a model run.
type trouble struct {
	mu    sync.Mutex // guards both below
	fails map[string]error
	hangs map[string]chan struct{}
}

func (tr *trouble) hook(ctx context.Context, name, op string) error {
	tr.mu.Lock()
	err, hang := tr.fails[name], tr.hangs[name]
	tr.mu.Unlock()
	if op == "close" {
		return nil
	}
	if hang != nil {
		<-hang
		return ctx.Err()
	}
	if errors.Is(err, errPanic) {
		panic(err)
	}
	if fsm.IsPermanent(err) && op == "observe" {
		return nil
	}
	return err
}

func (tr *trouble) calm() {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	for _, hang := range tr.hangs {
		close(hang)
	}
	clear(tr.hangs)
	clear(tr.fails)
}

var errPanic = errors.New("panic")

// befall gives one lamp some trouble, or ends its trouble.
func (tr *trouble) befall(random *rand.Rand, name string) (what string) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	if hang := tr.hangs[name]; hang != nil {
		close(hang)
		delete(tr.hangs, name)
		return "is released"
	}
	switch random.IntN(6) {
	case 0:
		tr.hangs[name] = make(chan struct{})
		return "hangs"
	case 1:
		tr.fails[name] = errors.New("fails")
		return "fails"
	case 2:
		tr.fails[name] = fsm.Permanent(errors.New("fails for good"))
		return "fails for good"
	case 3:
		tr.fails[name] = errPanic
		return "panics"
	}
	delete(tr.fails, name)
	return "is well"
}

// TestRandomLives has lamps suffer at random whatever a manager may meet, then
// lets calm return: every instance must come to what was asked of it last, and
// none may ever have been in two passes at once.
func TestRandomLives(t *testing.T) {
	for seed := range uint64(40) {
		fakeTime(t, fmt.Sprint("seed ", seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 1))
			h, tr := newHouse(), &trouble{fails: map[string]error{}, hangs: map[string]chan struct{}{}}
			kind := h.kind(t)
			kind.Discover, kind.Compare = h.discover, compareLamp
			h.put("c", bulb{There: true, Power: true, Glows: true, Watts: 10}, lit(10))
			h.hook(tr.hook)
			m := running(t, kind, fsm.Config{Parallel: 2, PassTimeout: time.Second})
			t.Cleanup(tr.calm)

			var story []string
			want := declarations{}
			all := []string{"a", "b", "c", "d", "e", "f"}
			for range 80 {
				name := all[random.IntN(len(all))]
				switch random.IntN(6) {
				case 0, 1:
					want = randomDeclarations(random, all)
					require.NoError(t, m.Apply(t.Context(), want))
					story = append(story, fmt.Sprint("apply ", want))
				case 2, 3:
					story = append(story, name+" "+tr.befall(random, name))
				case 4:
					h.cut(name)
					story = append(story, name+" goes dark")
				case 5:
					h.wake(name)
					_ = m.Retry(name)
					story = append(story, name+" is woken")
				}
				time.Sleep(time.Duration(random.Int64N(int64(2 * time.Second))))
			}
			require.NoError(t, m.Apply(t.Context(), want))
			tr.calm()
			for _, name := range all {
				_ = m.Retry(name)
			}
			elapse(2 * time.Minute)

			checkCalm(t, h, m, want)
			if t.Failed() {
				t.Logf("what happened: %s", story)
			}
		})
	}
}

func randomDeclarations(random *rand.Rand, names []string) declarations {
	want := declarations{}
	for _, name := range names {
		w := watts(random.IntN(3) * 20)
		switch random.IntN(5) {
		case 0, 1:
			want[name] = lit(w)
		case 2:
			want[name] = off(w)
		case 3:
			want[name] = gone(w)
		}
	}
	return want
}

func checkCalm(t *testing.T, h *house, m *lampManager, want declarations) {
	t.Helper()
	maps.DeleteFunc(want, func(_ string, d lampDesired) bool { return d.State == fsm.StateRemoved })
	assert.Equal(t, slices.Sorted(maps.Keys(want)), append([]string(nil), names(m)...))
	for _, s := range m.Snapshot() {
		target, _ := lampTable(t).Target(want[s.Name].State)
		assert.Equal(t, want[s.Name], s.Desired, s.Name)
		assert.Equal(t, target, s.Phase, "%s: %s %v", s.Name, s.Reason, s.Err)
		assert.True(t, s.Settled, s.Name)
		assert.NoError(t, s.Err, s.Name)
		lamp, _, _ := h.look(s.Name)
		assert.True(t, lamp.There)
		assert.Equal(t, s.State == lampLit, lamp.Glows, s.Name)
		if lamp.Glows {
			assert.Equal(t, want[s.Name].Spec, lamp.Watts, s.Name)
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	assert.Equal(t, slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(h.lamps)), "what is not wanted is gone")
	for name, open := range h.opened {
		expect := 0
		if _, listed := want[name]; listed {
			expect = 1
		}
		assert.Equal(t, expect, open, "drivers of %s that are open", name)
	}
	assert.Empty(t, h.twice, "a pass was entered twice")
}
