package s6_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/s6test"
)

// BenchmarkDecide is the decision over a service that is as it is to be.
func BenchmarkDecide(b *testing.B) {
	in := input(s6.StateRunning, s6.Running, healthy())
	b.ReportAllocs()
	for b.Loop() {
		s6.Decide(in)
	}
}

// BenchmarkPassInMemory is a whole pass over an unchanged service of a tree in
// memory: what the library itself costs, and the filesystem in memory.
func BenchmarkPassInMemory(b *testing.B) {
	tree := s6test.New(s6test.Config{})
	defer tree.Close()
	tree.Install("sleep", s6test.Program{})
	d := desired{State: s6.Running, Spec: plainSpec}
	settle(b, tree, map[string]desired{"a": d})
	kind, err := s6.NewKind(tree, s6.KindName)
	require.NoError(b, err)
	i, err := fsm.NewInstance(&kind, "a", fsm.InstanceConfig{}, nil)
	require.NoError(b, err)
	defer i.Close()
	require.NoError(b, i.SetDesired(d))
	for !i.Snapshot().Settled {
		next := i.Reconcile(b.Context()).Next
		<-time.After(time.Until(next))
	}
	b.ReportAllocs()
	for b.Loop() {
		i.Reconcile(b.Context())
	}
	require.Equal(b, s6.StateRunning, i.Snapshot().State)
}

// BenchmarkManagersPassInMemory is the same as a manager makes it, in a goroutine
// of its own, with what the manager itself costs.
func BenchmarkManagersPassInMemory(b *testing.B) {
	tree := s6test.New(s6test.Config{})
	defer tree.Close()
	tree.Install("sleep", s6test.Program{})
	want := map[string]desired{"a": {State: s6.Running, Spec: plainSpec}}
	settle(b, tree, want)
	kind, err := s6.NewKind(tree, s6.KindName)
	require.NoError(b, err)
	kind.Resync = time.Nanosecond // it is always due
	m, err := fsm.NewManager(kind, fsm.Config{})
	require.NoError(b, err)
	defer m.Close(b.Context())
	require.NoError(b, m.Apply(b.Context(), want))
	settled := func() bool { s, ok := m.Instance("a"); return ok && s.Settled }
	for !settled() {
		require.NoError(b, m.Reconcile(b.Context()))
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := m.Reconcile(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	require.True(b, settled())
}
