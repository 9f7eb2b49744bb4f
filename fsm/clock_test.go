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

// readings are what a stub's driver and Decide take the time to be, after a
// second each.
type readings struct{ taken []time.Time }

func (r *readings) note(ctx context.Context) {
	time.Sleep(time.Second)
	r.taken = append(r.taken, fsm.Now(ctx))
}

// reader returns an instance that notes the readings of its passes, of two
// actions each, and calls also in each observation.
func reader(t *testing.T, also func(context.Context)) (*fsm.Instance[string, int], *readings) {
	var r readings
	i, driver, decides := newStub(t, fsm.InstanceConfig{})
	driver.observe = func(ctx context.Context) (int, error) {
		r.note(ctx)
		if also != nil {
			also(ctx)
		}
		return 0, nil
	}
	driver.do = func(ctx context.Context, _ fsm.Action) error {
		ctx, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		r.note(ctx)
		return nil
	}
	decides.decide = func(in stubInput) fsm.Decision {
		r.taken = append(r.taken, in.Now)
		return fsm.Decision{Do: []fsm.Action{"a", "b"}}
	}
	require.NoError(t, i.SetDesired(fsm.Desired[string]{State: lampLit}))
	require.NoError(t, pass(t, i).Err) // in to_be_created Decide is not asked
	r.taken = nil
	return i, &r
}

func TestAPassHasOneClockReading(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i, r := reader(t, nil)
		for range 2 {
			start := time.Now()
			r.taken = nil
			require.NoError(t, pass(t, i).Err)
			assert.Equal(t, []time.Time{start, start, start, start}, r.taken)
			assert.Equal(t, start, i.Snapshot().ObservedAt)
			assert.Equal(t, 3*time.Second, time.Since(start))
			assert.Equal(t, time.Now(), fsm.Now(t.Context()), "there is none outside of a pass")
		}
	})
}

func TestWhatIsOwnedHasItsOwnersClockReading(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		owned, inner := reader(t, nil)
		owner, outer := reader(t, func(ctx context.Context) { owned.Reconcile(ctx) })
		inner.taken = nil
		start := time.Now()
		require.NoError(t, pass(t, owner).Err)
		assert.Equal(t, []time.Time{start, start, start, start}, outer.taken)
		assert.Equal(t, []time.Time{start, start, start, start}, inner.taken)
		assert.Equal(t, start, owned.Snapshot().ObservedAt)
	})
}

// A manager may live as long as it likes, whatever its context.
func TestAManagersPassesHaveReadingsOfTheirOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r readings
		m, err := fsm.NewManager(fsm.Kind[string, int]{
			Name: "stub", Table: lampTable(t),
			Decide: func(stubInput) fsm.Decision { return fsm.Decision{} },
			Open: func(string, func()) (fsm.Driver[string, int], error) {
				return &stub{observe: func(ctx context.Context) (int, error) { r.note(ctx); return 0, nil }}, nil
			},
		}, fsm.Config{})
		require.NoError(t, err)
		require.NoError(t, m.Apply(t.Context(), map[string]fsm.Desired[string]{"a": {State: lampLit}}))
		i, _ := reader(t, func(ctx context.Context) { require.NoError(t, m.Reconcile(ctx)) })
		r.taken = nil
		start := time.Now()
		require.NoError(t, pass(t, i).Err)
		require.NotEmpty(t, r.taken)
		assert.Equal(t, start.Add(time.Second), r.taken[0])
		require.NoError(t, m.Close(t.Context()))
	})
}
