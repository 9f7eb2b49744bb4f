package fsm_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
)

// still is a driver that has nothing to do.
type still struct{}

func (still) Observe(context.Context, lampDesired) (bulb, error) {
	return bulb{There: true}, nil
}
func (still) Do(context.Context, fsm.Action, lampDesired) error { return nil }

func stillKind(t testing.TB) lampKind {
	t.Helper()
	kind := newHouse().kind(t)
	kind.Open = func(string, func()) (fsm.Driver[watts, bulb], error) { return still{}, nil }
	return kind
}

// BenchmarkDecide is Decide alone.
func BenchmarkDecide(b *testing.B) {
	in := lampInput{Now: time.Now(), State: lampOff, Desired: off(40), Observed: bulb{There: true}}
	b.ReportAllocs()
	for b.Loop() {
		decideLamp(in)
	}
}

// settledStill returns an instance with nothing to do.
func settledStill(t testing.TB) *fsm.Instance[watts, bulb] {
	t.Helper()
	kind := stillKind(t)
	i, err := fsm.NewInstance(&kind, "a", fsm.InstanceConfig{}, nil)
	require.NoError(t, err)
	require.NoError(t, i.SetDesired(off(40)))
	for !i.Snapshot().Settled {
		require.NoError(t, i.Reconcile(t.Context()).Err)
	}
	return i
}

// The two are the snapshot, and the context that carries the clock reading.
func TestAPassOverWhatDidNotChangeAllocatesTwice(t *testing.T) {
	i := settledStill(t)
	ctx := t.Context()
	assert.LessOrEqual(t, testing.AllocsPerRun(100, func() { i.Reconcile(ctx) }), 2.0)
}

// BenchmarkPass is a pass over an instance that did not change, its driver's
// work not counted.
func BenchmarkPass(b *testing.B) {
	i := settledStill(b)
	b.ReportAllocs()
	for b.Loop() {
		i.Reconcile(b.Context())
	}
}

// BenchmarkIdleTick is what stepping a manager costs in which nothing is due.
func BenchmarkIdleTick(b *testing.B) {
	for _, n := range []int{1, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			kind := stillKind(b)
			kind.Resync = time.Hour
			m, err := fsm.NewManager(kind, fsm.Config{})
			require.NoError(b, err)
			want := declarations{}
			for k := range n {
				want[fmt.Sprint("lamp", k)] = off(40)
			}
			require.NoError(b, m.Apply(b.Context(), want))
			for range 8 {
				require.NoError(b, m.Reconcile(b.Context()))
			}
			for _, s := range m.Snapshot() {
				require.True(b, s.Settled)
			}
			b.ReportAllocs()
			for b.Loop() {
				if err := m.Reconcile(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
			b.StopTimer()
			require.NoError(b, m.Close(context.Background()))
		})
	}
}

// BenchmarkWake is how long it takes from a wake to the end of the pass, by way
// of a running loop, with so many idle instances beside it.
func BenchmarkWake(b *testing.B) {
	for _, n := range []int{1, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			passed := make(chan struct{}, 1)
			kind := stillKind(b)
			kind.Resync = time.Hour
			kind.Decide = func(in lampInput) fsm.Decision {
				d := decideLamp(in)
				if in.Desired.Spec == 1 && d.Fire == "" {
					passed <- struct{}{}
				}
				return d
			}
			var wake func()
			open := kind.Open
			kind.Open = func(name string, w func()) (fsm.Driver[watts, bulb], error) {
				if name == "lamp0" {
					wake = w
				}
				return open(name, w)
			}
			want := declarations{}
			for k := range n {
				want[fmt.Sprint("lamp", k)] = off(0)
			}
			want["lamp0"] = off(1)
			m, err := fsm.NewManager(kind, fsm.Config{})
			require.NoError(b, err)
			loop(b, m)
			b.Cleanup(func() { require.NoError(b, m.Close(context.Background())) })
			require.NoError(b, m.Apply(b.Context(), want))
			<-passed
			b.ReportAllocs()
			for b.Loop() {
				wake()
				<-passed
			}
		})
	}
}
