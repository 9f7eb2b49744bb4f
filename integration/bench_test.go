//go:build integration

package integration

import (
	"context"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/integration/harness"
	"github.com/evenkeel/evenkeel/s6"
)

// BenchmarkReadingOneService compares what a pass asks of a tree about one
// service, its status and whether it is supervised, with forking s6-svstat.
func BenchmarkReadingOneService(b *testing.B) {
	w := start(b)
	w.run(map[string]*s6.Spec{"a": w.probe("a")})
	service := w.Service("a")
	svstat := filepath.Join(w.Tree.Tools().Dir, "s6-svstat")

	const forks = 50
	began := time.Now()
	for range forks {
		require.NoError(b, exec.Command(svstat, "-o", "up,pid", service).Run())
	}
	forked := time.Since(began) / forks

	b.ReportAllocs()
	for b.Loop() {
		supervisor, err := w.Tree.Supervisor(service)
		if err != nil || !supervisor.Held {
			b.Fatal(supervisor, err)
		}
		status, err := w.Tree.Status(service)
		if err != nil || !status.Up() {
			b.Fatal(status, err)
		}
	}
	b.ReportMetric(float64(forked)/(float64(b.Elapsed())/float64(b.N)), "x-faster")
}

// BenchmarkRecovery measures how long a service whose process was killed takes
// to run again, by how it had become ready. A service without readiness is the
// baseline.
func BenchmarkRecovery(b *testing.B) {
	w := start(b)
	w.startReturning()
	took := make(map[string][]time.Duration)
	for b.Loop() {
		for _, name := range returning {
			took[name] = append(took[name], w.recovery(name))
		}
	}
	for _, name := range returning {
		best := slices.Min(took[name])
		b.ReportMetric(float64(best.Microseconds())/1000, name+"-ms-at-best")
		if name != "plain" {
			b.ReportMetric(float64(slices.Min(took["plain"]))/float64(best), name+"-x-faster")
		}
	}
	b.ReportMetric(0, "ns/op")
}

// BenchmarkPassOverUnchangedService measures the cost of a pass over a service
// that runs as it should.
func BenchmarkPassOverUnchangedService(b *testing.B) {
	w := newWorld(b)
	w.Open()
	kind, err := s6.NewKind(w.Tree, s6.KindName)
	require.NoError(b, err)
	instance, err := fsm.NewInstance(&kind, "a", fsm.InstanceConfig{}, nil)
	require.NoError(b, err)
	defer func() { require.NoError(b, instance.Close()) }()
	instance.SetDesired(fsm.Desired[*s6.Spec]{State: s6.Running, Spec: w.probe("a")})
	ctx := context.Background()
	harness.Eventually(b, "it runs", func() bool {
		require.NoError(b, instance.Reconcile(ctx).Err)
		s := instance.Snapshot()
		return s.Phase == fsm.PhaseRunning && s.Settled
	})
	b.ReportAllocs()
	for b.Loop() {
		if result := instance.Reconcile(ctx); result.Err != nil || result.Fired {
			b.Fatal(result)
		}
	}
	require.True(b, instance.Snapshot().Settled)
}
