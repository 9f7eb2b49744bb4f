//go:build integration

package integration

import (
	"fmt"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/integration/harness"
	"github.com/evenkeel/evenkeel/s6"
)

// idleFor is for how long BenchmarkIdle looks on.
const idleFor = 15 * time.Second

// BenchmarkIdle measures what it costs to keep services that sleep, with their
// loggers: the time of this process as part of a core, how often it was woken, and
// how many passes it made. It fails if the process has forked.
func BenchmarkIdle(b *testing.B) {
	for _, n := range []int{100, 400, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			w := start(b)
			specs := make(map[string]*s6.Spec)
			for k := range n {
				specs[fmt.Sprint("sleeper-", k)] = &s6.Spec{Command: []string{"sleep", "1000000"}}
			}
			w.run(specs)
			harness.Pause(b, 3*fsm.DefaultResync, "each is looked at until nothing has changed")
			runtime.GC()
			before, began := used(b), time.Now()
			harness.Pause(b, idleFor, "it is measured what nothing costs")
			after, took := used(b), time.Since(began)
			require.Equal(b, before.forked, after.forked, "it has forked")
			b.ReportMetric(100*float64(after.cpu-before.cpu)/float64(took), "%-of-a-core")
			b.ReportMetric(float64(after.woken-before.woken)/took.Seconds(), "wake-ups/s")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// usage is what this process has used so far.
type usage struct {
	cpu    time.Duration
	woken  int64 // how often a thread has waited for something
	forked int64 // pages that children have touched, which none does without
}

func used(b *testing.B) usage {
	b.Helper()
	var self, children syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &self))
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_CHILDREN, &children))
	return usage{
		cpu:    time.Duration(self.Utime.Nano() + self.Stime.Nano()),
		woken:  self.Nvcsw,
		forked: children.Minflt,
	}
}
