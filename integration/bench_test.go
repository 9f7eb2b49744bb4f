//go:build integration

package integration

import (
	"context"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6"
)

// BenchmarkReadingOneService compares what a pass asks of a tree about one
// service, its status and whether it is supervised, with forking s6-svstat for
// it.
func BenchmarkReadingOneService(b *testing.B) {
	w := start(b)
	w.run(map[string]*s6.Spec{"a": w.probe("a")})
	service := w.service("a")
	svstat := filepath.Join(w.tree.Tools().Dir, "s6-svstat")

	const forks = 50
	began := time.Now()
	for range forks {
		require.NoError(b, exec.Command(svstat, "-o", "up,pid", service).Run())
	}
	forked := time.Since(began) / forks

	b.ReportAllocs()
	for b.Loop() {
		supervisor, err := w.tree.Supervisor(service)
		if err != nil || !supervisor.Held {
			b.Fatal(supervisor, err)
		}
		status, err := w.tree.Status(service)
		if err != nil || !status.Up() {
			b.Fatal(status, err)
		}
	}
	b.ReportMetric(float64(forked)/(float64(b.Elapsed())/float64(b.N)), "x-faster")
}

// BenchmarkPassOverUnchangedService is what a service costs that runs as it
// should, each time it is looked at.
func BenchmarkPassOverUnchangedService(b *testing.B) {
	w := newWorld(b)
	w.open()
	kind, err := s6.NewKind(w.tree, s6.KindName)
	require.NoError(b, err)
	instance, err := fsm.NewInstance(&kind, "a", fsm.InstanceConfig{}, nil)
	require.NoError(b, err)
	defer func() { require.NoError(b, instance.Close()) }()
	instance.SetDesired(fsm.Desired[*s6.Spec]{State: s6.Running, Spec: w.probe("a")})
	ctx := context.Background()
	eventually(b, patience, "it runs", func() bool {
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
