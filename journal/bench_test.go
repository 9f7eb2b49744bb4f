package journal_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/filesystem"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/journal"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/s6test"
)

// BenchmarkRecorder is a pass of a manager over an unchanged service of a tree in
// memory, without a journal and with one, in turns: percent is what the journal adds in half of them, at most.
func BenchmarkRecorder(b *testing.B) {
	j := journal.Open(journal.Config{FS: filesystem.OS{}, Dir: b.TempDir()})
	defer j.Close(context.Background())
	plain, recorded := passes(b, fsm.Config{}), passes(b, fsm.Config{OnPass: both(j), Listeners: []fsm.Listener{j.Hear}})
	var ratios []float64
	for b.Loop() {
		without, with := plain(b), recorded(b)
		ratios = append(ratios, float64(with)/float64(without))
	}
	slices.Sort(ratios)
	b.ReportMetric(100*(ratios[len(ratios)/2]-1), "percent")
}

// passes returns a function that makes some passes over a service, and returns how
// long they took.
func passes(b *testing.B, config fsm.Config) func(*testing.B) time.Duration {
	tree := s6test.New(s6test.Config{})
	b.Cleanup(func() { _ = tree.Close() })
	tree.Install("sleep", s6test.Program{})
	kind, err := s6.NewKind(tree, s6.KindName)
	require.NoError(b, err)
	kind.Resync = time.Nanosecond // it is always due
	m, err := fsm.NewManager(kind, config)
	require.NoError(b, err)
	b.Cleanup(func() { _ = m.Close(context.Background()) })
	require.NoError(b, m.Apply(b.Context(), map[string]fsm.Desired[*s6.Spec]{"a": {State: s6.Running, Spec: &s6.Spec{Command: []string{"sleep", "1"}}}}))
	for settled := false; !settled; {
		require.NoError(b, m.Reconcile(b.Context()))
		s, there := m.Instance("a")
		settled = there && s.Settled
	}
	return func(b *testing.B) time.Duration {
		begin := time.Now()
		for range 100 {
			if err := m.Reconcile(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
		return time.Since(begin)
	}
}
