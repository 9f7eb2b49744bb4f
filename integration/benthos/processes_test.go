//go:build integration

package benthos

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

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
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

// process is an entry of the process table.
type process struct {
	pid  int
	args []string
	cwd  string
}

func (p process) String() string { return fmt.Sprintf("%d %q in %s", p.pid, p.args, p.cwd) }

// is reports whether a process runs the named program.
func (p process) is(program string) bool {
	return len(p.args) > 0 && filepath.Base(p.args[0]) == program
}

// readProcess looks a process up; ok is false for one that is not there or has
// ended and only waits to be reaped.
func readProcess(pid int) (p process, ok bool) {
	dir := "/proc/" + strconv.Itoa(pid)
	stat, err := os.ReadFile(dir + "/stat")
	if err != nil {
		return p, false
	}
	state := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))[0]
	if state == "Z" || state == "X" {
		return p, false
	}
	cmdline, err := os.ReadFile(dir + "/cmdline")
	if err != nil {
		return p, false
	}
	p.pid = pid
	p.args = strings.Split(strings.TrimSuffix(string(cmdline), "\x00"), "\x00")
	p.cwd, err = os.Readlink(dir + "/cwd")
	return p, err == nil
}

// processesOf lists the processes that work in a directory or name it in their
// arguments.
func processesOf(root string) (found []process) {
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		p, ok := readProcess(pid)
		if ok && (strings.HasPrefix(p.cwd+"/", root+"/") || strings.Contains(strings.Join(p.args, "\x00"), root)) {
			found = append(found, p)
		}
	}
	return found
}

// engines lists the engine processes that work in a directory itself: those of
// one instance.
func engines(dir string) (pids []int) {
	for _, p := range processesOf(dir) {
		if p.cwd == dir && len(p.args) > 1 && p.args[1] == "-c" {
			pids = append(pids, p.pid)
		}
	}
	return pids
}

func alive(pid int) bool {
	_, ok := readProcess(pid)
	return ok
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
	var left []process
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
	rank := func(p process) int {
		return slices.IndexFunc([]string{"s6-svscan", "s6-supervise", ""}, func(program string) bool { return program == "" || p.is(program) })
	}
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		left := processesOf(root)
		if len(left) == 0 {
			return
		}
		slices.SortStableFunc(left, func(a, b process) int { return rank(a) - rank(b) })
		for _, p := range left {
			_ = syscall.Kill(p.pid, syscall.SIGKILL)
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
				if len(p.args) > 1 && p.args[1] == "-c" {
					of[p.cwd] = append(of[p.cwd], p.pid)
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
