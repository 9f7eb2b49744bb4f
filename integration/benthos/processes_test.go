//go:build integration

package benthos

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/internal/proc"
)

// patience is how long anything may take that has no time of its own. It is a
// bound against hanging, not a measure.
const patience = 60 * time.Second

// eventually polls cond until it holds.
func eventually(t testing.TB, within time.Duration, what string, cond func() bool) {
	t.Helper()
	for end := time.Now().Add(within); ; time.Sleep(5 * time.Millisecond) {
		if cond() {
			return
		}
		if time.Now().After(end) {
			require.FailNow(t, "it did not come about in "+within.String(), what)
		}
	}
}

// held polls for as long as nothing may change.
func held(t testing.TB, duration time.Duration, what string, cond func() bool) {
	t.Helper()
	for end := time.Now().Add(duration); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if !cond() {
			require.FailNow(t, "it did not last", what)
		}
	}
}

// processesOf lists the processes that work in a directory or name it in their
// arguments.
func processesOf(root string) []proc.Process {
	all, err := proc.System.All()
	if err != nil {
		panic(err) // nothing can be tested where there is no /proc
	}
	return slices.DeleteFunc(all, func(p proc.Process) bool {
		return p.PID == os.Getpid() || !p.In(root) && !strings.Contains(strings.Join(p.Args, "\x00"), root)
	})
}

// engines lists the engine processes that work in a directory itself: those of
// one instance.
func engines(dir string) (pids []int) {
	for _, p := range processesOf(dir) {
		if p.Dir == dir && len(p.Args) > 1 && p.Args[1] == "-c" {
			pids = append(pids, p.PID)
		}
	}
	return pids
}

func alive(pid int) bool {
	_, err := proc.System.Read(pid)
	return err == nil
}

// kill sends a signal to a process of this test.
func kill(t testing.TB, pid int, signal syscall.Signal) {
	t.Helper()
	require.Greater(t, pid, 1)
	require.NoError(t, syscall.Kill(pid, signal))
}

// gone waits until a process has ended. One that has let go of its locks may
// be in the process table for a moment yet.
func gone(t testing.TB, pid int) {
	t.Helper()
	eventually(t, 5*time.Second, fmt.Sprintf("the end of process %d", pid), func() bool { return !alive(pid) })
}

// slay kills a process of this test and waits until it has ended.
func slay(t testing.TB, pid int) {
	t.Helper()
	kill(t, pid, syscall.SIGKILL)
	gone(t, pid)
}

// noneLeft fails for every process of a directory that does not go away, and
// ends it.
func noneLeft(t testing.TB, root string) {
	t.Helper()
	var left []proc.Process
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if left = processesOf(root); len(left) == 0 {
			return
		}
	}
	killAll(root)
	assert.Empty(t, left, "processes left behind")
}

// killAll ends the processes of a directory: supervisors first, for they start
// their services anew.
func killAll(root string) {
	rank := func(p proc.Process) int {
		return slices.IndexFunc([]string{"s6-svscan", "s6-supervise", ""}, func(program string) bool { return program == "" || p.Is(program) })
	}
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		left := processesOf(root)
		if len(left) == 0 {
			return
		}
		slices.SortStableFunc(left, func(a, b proc.Process) int { return rank(a) - rank(b) })
		for _, p := range left {
			_ = syscall.Kill(p.PID, syscall.SIGKILL)
		}
	}
}

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
			case <-time.After(5 * time.Millisecond):
			}
			of := make(map[string][]int)
			for _, p := range processesOf(services) {
				if len(p.Args) > 1 && p.Args[1] == "-c" {
					of[p.Dir] = append(of[p.Dir], p.PID)
				}
			}
			for dir, pids := range of {
				// They were looked at one after the other.
				pids = slices.DeleteFunc(pids, func(pid int) bool { return !alive(pid) })
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
