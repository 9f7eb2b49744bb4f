package harness

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

// ProcessesOf lists the processes that work in a directory, or name it in their
// arguments or environment, apart from this one.
func ProcessesOf(root string) []proc.Process {
	names := func(words []string) bool { return strings.Contains(strings.Join(words, "\x00"), root) }
	return slices.DeleteFunc(processes(), func(p proc.Process) bool {
		kernels := len(p.Args) == 0
		return kernels || p.PID == os.Getpid() || !p.In(root) && !names(p.Args) && !names(Environ(p.PID))
	})
}

// Under lists the processes that work in a directory or below it.
func Under(dir string) []proc.Process {
	found, err := proc.System.Under(dir)
	if err != nil {
		panic(err) // nothing can be tested where there is no /proc
	}
	return found
}

// Running lists the processes that run a program in a directory or below it.
func Running(dir, program string) []proc.Process {
	return slices.DeleteFunc(Under(dir), func(p proc.Process) bool { return !p.Is(program) })
}

// processes returns the process table.
func processes() []proc.Process {
	all, err := proc.System.All()
	if err != nil {
		panic(err) // nothing can be tested where there is no /proc
	}
	return all
}

// Children lists the processes that a process started.
func Children(pid int) []proc.Process {
	return slices.DeleteFunc(processes(), func(p proc.Process) bool { return p.Parent != pid })
}

// Alive reports whether a process has not ended.
func Alive(pid int) bool {
	_, err := proc.System.Read(pid)
	return err == nil
}

// Kill sends a signal to a process of this test.
func Kill(t testing.TB, pid int, signal syscall.Signal) {
	t.Helper()
	require.Greater(t, pid, 1)
	require.NoError(t, syscall.Kill(pid, signal))
}

// Stop stops a process of this test, and waits until it has stopped: of two
// signals that a busy machine delivers together the later one may come first.
func Stop(t testing.TB, pid int) {
	t.Helper()
	Kill(t, pid, syscall.SIGSTOP)
	Eventually(t, fmt.Sprintf("process %d is stopped", pid), func() bool { return Stopped(pid) })
}

// Stopped reports whether a process has been stopped by a signal.
func Stopped(pid int) bool {
	p, err := proc.System.Read(pid)
	return err == nil && p.State == "T"
}

// Gone waits until a process has ended. A process that has released its locks
// may stay in the process table for a moment.
func Gone(t testing.TB, pid int) {
	t.Helper()
	Eventually(t, fmt.Sprintf("the end of process %d", pid), func() error {
		p, err := proc.System.Read(pid)
		if err != nil {
			return nil
		}
		return fmt.Errorf("%v is in state %s", p, p.State)
	})
}

// Slay kills a process of this test and waits until it has ended.
func Slay(t testing.TB, pid int) {
	t.Helper()
	Kill(t, pid, syscall.SIGKILL)
	Gone(t, pid)
}

// Environ returns a process's environment, as far as it can be seen.
func Environ(pid int) []string {
	all, _ := proc.System.Environ(pid)
	return all
}

// NoneLeft fails for every process of a directory that does not go away, and
// ends it.
func NoneLeft(t testing.TB, root string) {
	t.Helper()
	defer KillAll(root)
	Eventually(t, "no process is left in "+root, func() error {
		if left := ProcessesOf(root); len(left) > 0 {
			return fmt.Errorf("there are %v", left)
		}
		return nil
	})
}

// KillAll ends the processes of a directory: supervisors first, for they start
// their services again.
func KillAll(root string) {
	rank := func(p proc.Process) int {
		return slices.IndexFunc([]string{"s6-svscan", "s6-supervise", ""}, func(program string) bool { return program == "" || p.Is(program) })
	}
	for end := time.Now().Add(Patience); time.Now().Before(end); time.Sleep(lastPoll) {
		left := ProcessesOf(root)
		if len(left) == 0 {
			return
		}
		slices.SortStableFunc(left, func(a, b proc.Process) int { return rank(a) - rank(b) })
		for _, p := range left {
			_ = syscall.Kill(p.PID, syscall.SIGKILL)
		}
	}
}
