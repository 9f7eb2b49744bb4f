//go:build integration

package integration

import (
	"context"
	"fmt"
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

// BenchmarkRecovery measures how long a service whose process was killed takes, for
// the first time in a while, to have another process, by how it had become ready; and
// how many times faster that is than s6 alone does it.
func BenchmarkRecovery(b *testing.B) {
	w := start(b)
	w.startBare()
	all := append([]string{bare}, returning...)
	took := make(map[string][]time.Duration)
	for n := 0; b.Loop(); n++ {
		w.startReturning(fmt.Sprint(n))
		for _, name := range all {
			took[name] = append(took[name], w.recovery(name))
		}
		w.Await(fsm.PhaseRunning, returning...)
	}
	for _, name := range all {
		slices.Sort(took[name])
		typical := took[name][len(took[name])/2]
		b.ReportMetric(float64(took[name][0].Microseconds())/1000, name+"-ms-at-best")
		b.ReportMetric(float64(typical.Microseconds())/1000, name+"-ms")
		if name != bare {
			b.ReportMetric(float64(took[bare][len(took[bare])/2])/float64(typical), name+"-x-faster")
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
