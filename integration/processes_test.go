//go:build integration

package integration

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/internal/proc"
)

// patience is how long anything may take that has no time of its own. It is a
// bound against hanging, not a measure.
const patience = 30 * time.Second

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

// lasts polls cond until it has held for a while.
func lasts(t testing.TB, duration time.Duration, what string, cond func() bool) {
	t.Helper()
	var since time.Time
	eventually(t, patience, what, func() bool {
		switch {
		case !cond():
			since = time.Time{}
		case since.IsZero():
			since = time.Now()
		}
		return !since.IsZero() && time.Since(since) >= duration
	})
}

// processesOf lists the processes that work in a directory, or name it in
// their arguments or environment.
func processesOf(root string) (found []proc.Process) {
	for _, p := range processes() {
		if p.PID == os.Getpid() {
			continue
		}
		if p.In(root) || strings.Contains(strings.Join(p.Args, "\x00"), root) ||
			strings.Contains(strings.Join(environ(p.PID), "\x00"), root) {
			found = append(found, p)
		}
	}
	return found
}

// processes returns the process table.
func processes() []proc.Process {
	all, err := proc.System.All()
	if err != nil {
		panic(err) // nothing can be tested where there is no /proc
	}
	return all
}

// children lists the processes that a process started.
func children(pid int) []proc.Process {
	return slices.DeleteFunc(processes(), func(p proc.Process) bool { return p.Parent != pid })
}

func alive(pid int) bool {
	_, err := proc.System.Read(pid)
	return err == nil
}

// kill sends a signal to a process of this test.
func kill(t testing.TB, pid int, signal syscall.Signal) {
	t.Helper()
	require.Positive(t, pid)
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

// environ returns a process's environment, as far as it can be seen.
func environ(pid int) []string {
	all, _ := proc.System.Environ(pid)
	return all
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
	for _, p := range left {
		t.Errorf("process left behind: %v", p)
	}
	// Supervisors first, for they start their services anew.
	slices.SortStableFunc(left, func(a, b proc.Process) int { return rank(a) - rank(b) })
	for range 3 {
		for _, p := range left {
			_ = syscall.Kill(p.PID, syscall.SIGKILL)
		}
		time.Sleep(20 * time.Millisecond)
		left = processesOf(root)
	}
}

func rank(p proc.Process) int {
	switch {
	case p.Is("s6-svscan"):
		return 0
	case p.Is("s6-supervise"):
		return 1
	}
	return 2
}
