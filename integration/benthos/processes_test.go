//go:build integration

package benthos

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/evenkeel/evenkeel/integration/harness"
	"github.com/evenkeel/evenkeel/internal/proc"
)

// engines lists the engine processes that work in a directory itself: those of
// one instance.
func engines(dir string) (pids []int) {
	for _, p := range harness.Under(dir) {
		if p.Dir == dir && isEngine(p) {
			pids = append(pids, p.PID)
		}
	}
	return pids
}

// isEngine reports whether a process is an engine by now, and not the shell that
// becomes one.
func isEngine(p proc.Process) bool { return len(p.Args) > 2 && p.Args[2] == "config/benthos.yaml" }

// doubles watches a services directory for instances with two engine processes
// at once. The function that it returns ends the watch and fails for each.
func doubles(t testing.TB, services string) (end func()) {
	stop, found := make(chan struct{}), make(chan []string)
	go func() {
		var seen []string
		for {
			select {
			case <-stop:
				found <- seen
				return
			case <-time.After(20 * time.Millisecond):
			}
			of := make(map[string][]int)
			for _, p := range harness.Under(services) {
				if isEngine(p) {
					of[p.Dir] = append(of[p.Dir], p.PID)
				}
			}
			for dir, pids := range of {
				// They were read one after the other.
				pids = slices.DeleteFunc(pids, func(pid int) bool { return !harness.Alive(pid) })
				if len(pids) > 1 {
					seen = append(seen, fmt.Sprintf("%s: %v", dir, pids))
				}
			}
		}
	}()
	return func() {
		t.Helper()
		close(stop)
		assert.Empty(t, <-found, "two processes of one instance")
	}
}
