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

// passes returns the passes among what was heard.
func (h *heard) passes() (all []fsm.Reconciled) {
	for _, n := range h.taken() {
		if r, is := n.(fsm.Reconciled); is {
			all = append(all, r)
		}
	}
	return all
}

// ofPass reports whether a notice is of a pass, of what is owned as well.
func ofPass(n fsm.Notice) bool {
	if o, owned := n.(fsm.Owned); owned {
		return ofPass(o.Notice)
	}
	_, is := n.(fsm.Reconciled)
	return is
}

// What is told of a pass is enough to decide again what was decided.
func TestAPassIsToldWithWhatItDecidedOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h heard
		i, driver, decides := newStub(t, fsm.InstanceConfig{Listener: h.listen, Passes: true})
		pass(t, i)
		told := h.passes()
		require.Len(t, told, 1)
		assert.False(t, told[0].Decided, "nothing was asked of it")
		_, ok := fsm.InputOf[string, int](told[0])
		assert.False(t, ok)

		require.NoError(t, i.SetDesired(fsm.Desired[string]{State: lampOff, Spec: "warm"}))
		pass(t, i)
		h.taken()
		driver.observe = func(context.Context) (int, error) { time.Sleep(time.Second); return 7, nil }
		driver.do = func(_ context.Context, a fsm.Action) error {
			if a == "three" {
				return errBroken
			}
			return nil
		}
		var asked stubInput
		decided := fsm.Decision{Do: []fsm.Action{"one", "two", "three", "four"}, Reason: fsm.Because("so")}
		decides.decide = func(in stubInput) fsm.Decision { asked = in; return decided }
		began := time.Now()
		pass(t, i)
		told = h.passes()
		require.Len(t, told, 1)
		r := told[0]
		assert.Equal(t, fsm.Subject{At: began, Kind: "stub", Instance: "a"}, r.About())
		assert.Equal(t, time.Second, r.Took)
		assert.Equal(t, decided, r.Decision)
		assert.True(t, r.Decided && !r.Fired && !r.PutOff)
		assert.Equal(t, 2, r.Did, "the third failed")
		require.ErrorIs(t, r.Err, errBroken)
		assert.Same(t, i.Snapshot(), r.After)
		in, ok := fsm.InputOf[string, int](r)
		require.True(t, ok)
		assert.Equal(t, asked, in)
		_, ok = fsm.InputOf[int, int](r)
		assert.False(t, ok, "it is another kind's")

		pass(t, i)
		again := h.passes()[0]
		assert.True(t, again.Decided && again.PutOff && again.Did == 0, "%+v", again)

		driver.observe = func(context.Context) (int, error) { return 0, errBroken }
		pass(t, i)
		failed := h.passes()[0]
		assert.False(t, failed.Decided)
		assert.EqualError(t, failed.Err, "cannot observe: broken")
	})
}

// The snapshot of a pass that was given up has what was asked before, and is
// nothing to decide on again.
func TestAPassThatWasGivenUpHasNotDecided(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h heard
		i, driver, decides := newStub(t, fsm.InstanceConfig{Listener: h.listen, Passes: true})
		require.NoError(t, i.SetDesired(fsm.Desired[string]{State: lampOff}))
		pass(t, i)
		h.taken()
		ctx, cancel := context.WithCancel(t.Context())
		driver.do = func(ctx context.Context, _ fsm.Action) error { cancel(); return ctx.Err() }
		decides.says(fsm.Decision{Do: []fsm.Action{"one"}})
		require.NoError(t, i.SetDesired(fsm.Desired[string]{State: lampLit}))
		i.Reconcile(ctx)
		r := h.passes()[0]
		assert.False(t, r.Decided)
		require.ErrorIs(t, r.Err, context.Canceled)
	})
}

func TestOnlyWhoAsksIsToldOfPasses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told, passes heard
		h := newHouse()
		m := rooms(t, flickering(t, h), fsm.Config{
			Listeners: []fsm.Listener{told.listen},
			OnPass:    func(r fsm.Reconciled) { passes.listen(r) },
		})
		require.NoError(t, m.Apply(t.Context(), map[string]roomDesired{"hall": bright(40)}))
		require.NoError(t, m.Wait(t.Context(), "hall", fsm.PhaseRunning))
		synctest.Wait()
		of := make(map[string]int)
		for _, r := range passes.passes() {
			assert.Equal(t, "hall", r.Instance)
			of[r.Kind]++
			owner := r.Owner
			owner.At = time.Time{}
			if r.Kind == m.Kind() {
				assert.Zero(t, owner)
			} else {
				assert.Equal(t, fsm.Subject{Kind: m.Kind(), Instance: "hall"}, owner)
			}
		}
		assert.Equal(t, "room", m.Kind())
		assert.Positive(t, of["room"])
		assert.Positive(t, of["lamp"], "which the room owns")
		for _, n := range told.taken() {
			assert.False(t, ofPass(n), "%v", n)
		}

		quiet := rooms(t, newHouse().kind(t), fsm.Config{Listeners: []fsm.Listener{told.listen}})
		require.NoError(t, quiet.Apply(t.Context(), map[string]roomDesired{"hall": bright(40)}))
		require.NoError(t, quiet.Wait(t.Context(), "hall", fsm.PhaseRunning))
		for _, n := range told.taken() {
			assert.False(t, ofPass(n), "%v", n)
		}
	})
}

func TestAPanicOfWhoIsToldOfPassesIsTheInstances(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, err := fsm.NewManager(newHouse().kind(t), fsm.Config{OnPass: func(fsm.Reconciled) { panic("boom") }})
		require.NoError(t, err)
		t.Cleanup(func() { assert.NoError(t, m.Close(context.Background())) })
		require.NoError(t, m.Apply(t.Context(), declarations{"a": off(40)}))
		require.NoError(t, m.Reconcile(t.Context()))
		s, _ := m.Instance("a")
		var p *fsm.PanicError
		require.True(t, errors.As(s.Err, &p), "%v", s.Err)
		assert.Equal(t, "boom", p.Value)
	})
}
