//go:build integration

package integration

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
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

// process is an entry of the process table.
type process struct {
	pid, parent int
	args        []string
	cwd         string
}

func (p process) String() string { return fmt.Sprintf("%d %q in %s", p.pid, p.args, p.cwd) }

// is reports whether a process runs the named program.
func (p process) is(program string) bool {
	return len(p.args) > 0 && filepath.Base(p.args[0]) == program
}

// readProcess looks a process up; ok is false for one that is not there or
// has ended and only waits to be reaped.
func readProcess(pid int) (p process, ok bool) {
	dir := "/proc/" + strconv.Itoa(pid)
	stat, err := os.ReadFile(dir + "/stat")
	if err != nil {
		return p, false
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if fields[0] == "Z" || fields[0] == "X" {
		return p, false
	}
	p.pid = pid
	p.parent, _ = strconv.Atoi(fields[1])
	cmdline, err := os.ReadFile(dir + "/cmdline")
	if err != nil {
		return p, false
	}
	p.args = strings.Split(strings.TrimSuffix(string(cmdline), "\x00"), "\x00")
	p.cwd, err = os.Readlink(dir + "/cwd")
	return p, err == nil
}

// processesOf lists the processes that work in a directory, or name it in
// their arguments or environment.
func processesOf(root string) (found []process) {
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		p, ok := readProcess(pid)
		if !ok {
			continue
		}
		environ, _ := os.ReadFile("/proc/" + e.Name() + "/environ")
		if strings.HasPrefix(p.cwd+"/", root+"/") || strings.Contains(strings.Join(p.args, "\x00"), root) ||
			bytes.Contains(environ, []byte(root)) {
			found = append(found, p)
		}
	}
	return found
}

// children lists the processes that a process started.
func children(pid int) (found []process) {
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		if child, err := strconv.Atoi(e.Name()); err == nil {
			if p, ok := readProcess(child); ok && p.parent == pid {
				found = append(found, p)
			}
		}
	}
	return found
}

func alive(pid int) bool {
	_, ok := readProcess(pid)
	return ok
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
	data, _ := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	return strings.Split(strings.TrimSuffix(string(data), "\x00"), "\x00")
}

// noneLeft fails for every process of a directory that does not go away, and
// ends it.
func noneLeft(t testing.TB, root string) {
	t.Helper()
	var left []process
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if left = processesOf(root); len(left) == 0 {
			return
		}
	}
	for _, p := range left {
		t.Errorf("process left behind: %v", p)
	}
	// Supervisors first, for they start their services anew.
	slices.SortStableFunc(left, func(a, b process) int { return rank(a) - rank(b) })
	for range 3 {
		for _, p := range left {
			_ = syscall.Kill(p.pid, syscall.SIGKILL)
		}
		time.Sleep(20 * time.Millisecond)
		left = processesOf(root)
	}
}

func rank(p process) int {
	switch {
	case p.is("s6-svscan"):
		return 0
	case p.is("s6-supervise"):
		return 1
	}
	return 2
}
