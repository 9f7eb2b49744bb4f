//go:build integration

package integration

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/integration/harness"
	"github.com/evenkeel/evenkeel/internal/proc"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

func TestSupervisorIsKilled(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"plain", "slow", "deaf"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			w := start(t)
			spec := map[string]func(string) *s6.Spec{"plain": w.probe, "slow": w.slowProbe, "deaf": w.deafProbe}[kind]("a")
			spec.StopTimeout = 1500 * time.Millisecond
			w.run(map[string]*s6.Spec{"a": spec, "b": w.probe("b")})
			old, b := w.pid("a"), w.pid("b")
			degradedFor := func(reason string) {
				harness.Eventually(t, reason, func() bool {
					s := w.Snapshot("a")
					return s.Phase == fsm.PhaseDegraded && strings.Contains(s.Reason.String(), reason)
				})
			}
			scanner := w.svscan() // which would start another at once
			harness.Stop(t, scanner)
			harness.Slay(t, w.supervisor(w.Service("a")))
			if kind == "deaf" { // others have ended before that is seen
				degradedFor(fmt.Sprintf("one of its processes has lost its supervisor: pid %d", old))
			}
			degradedFor("s6-svscan has started no supervisor for it")
			harness.Kill(t, scanner, syscall.SIGCONT)

			harness.Eventually(t, "it is supervised again, as a new process", func() bool {
				s := w.Snapshot("a")
				pid := s.Observed.PID()
				return s.Phase == fsm.PhaseRunning && pid != 0 && pid != old
			})
			harness.Gone(t, old)
			w.single("a")
			assert.Equal(t, b, w.pid("b"))
		})
	}
}

func TestSupervisorIsKilledWhileTheServiceStops(t *testing.T) {
	t.Parallel()
	w := start(t)
	spec := w.deafProbe("a")
	spec.StopTimeout = 3 * time.Second
	w.run(map[string]*s6.Spec{"a": spec})
	old := w.pid("a")
	w.Declare(nil)
	harness.Eventually(t, "it is being stopped", func() bool { return w.Snapshot("a").Phase == fsm.PhaseStopping })
	harness.Slay(t, w.supervisor(w.Service("a")))
	service := w.Service("a")
	w.Await(fsm.PhaseRemoved, "a")
	harness.Gone(t, old)
	assert.False(t, harness.Exists(t, service))
	assert.Equal(t, []int{old}, w.starts("a"), "nothing was started")
}

func TestScannerIsKilled(t *testing.T) {
	t.Parallel()
	w := start(t)
	a, b := w.counting("a"), w.probe("b")
	stopped := w.probe("c")
	all := running(map[string]*s6.Spec{"a": a, "b": b})
	all["c"] = fsm.Desired[*s6.Spec]{State: s6.Stopped, Spec: stopped}
	w.Declare(all)
	w.Await(fsm.PhaseRunning, "a", "b")
	w.Await(fsm.PhaseStopped, "c")
	pidA, pidB := w.pid("a"), w.pid("b")
	old := w.svscan()
	harness.Slay(t, old)

	harness.Eventually(t, "there is another", func() bool { return w.Tree.Served() == nil })
	assert.NotEqual(t, old, w.svscan())
	harness.Holds(t, 1500*time.Millisecond, "services go on", func() bool { return harness.Alive(pidA) && harness.Alive(pidB) })
	w.Await(fsm.PhaseRunning, "a", "b")
	assert.Equal(t, pidA, w.pid("a"))
	assert.Equal(t, pidB, w.pid("b"))

	// Everything can be asked for under the new s6-svscan, and it works.
	all["a"] = fsm.Desired[*s6.Spec]{State: s6.Running, Spec: with(a, func(s *s6.Spec) { s.Log.FileSize = 65536 })}
	all["b"] = fsm.Desired[*s6.Spec]{State: s6.Running, Spec: version(b, "2")}
	all["c"] = fsm.Desired[*s6.Spec]{State: s6.Running, Spec: stopped}
	all["d"] = fsm.Desired[*s6.Spec]{State: s6.Running, Spec: w.probe("d")}
	w.Declare(all)
	w.Await(fsm.PhaseRunning, "a", "b", "c", "d")
	assert.Equal(t, pidA, w.pid("a"))
	assert.NotEqual(t, pidB, w.pid("b"))
	harness.Slay(t, pidA)
	harness.Eventually(t, "it is back", func() bool { return len(w.starts("a")) == 2 })
	w.Await(fsm.PhaseRunning, "a")
	harness.Eventually(t, "all are the new one's", func() bool {
		owned := 0
		for _, p := range harness.Children(w.svscan()) {
			if p.Is("s6-supervise") {
				owned++
			}
		}
		return owned == 8
	})
	for name := range all {
		w.single(name)
	}
	w.logsGrow("a")

	w.Declare(nil)
	for name := range all {
		w.Await(fsm.PhaseRemoved, name)
	}
	w.complete("a", w.texts("a"))
}

func TestScannerIsKilledWhileTheProgramIsAway(t *testing.T) {
	t.Parallel()
	w := start(t)
	specs := map[string]*s6.Spec{"a": w.counting("a"), "b": w.slowProbe("b")}
	w.run(specs)
	a, b := w.pid("a"), w.pid("b")
	scanner := w.svscan()
	w.Leave()
	harness.Slay(t, scanner)
	w.Open()
	w.manage()
	w.run(specs)
	assert.Equal(t, a, w.pid("a"))
	assert.Equal(t, b, w.pid("b"))
	w.logsGrow("a")

	// At once, while the old supervisors are still there.
	w.Declare(running(map[string]*s6.Spec{"a": specs["a"]}))
	w.Await(fsm.PhaseRemoved, "b")
	harness.Gone(t, b)
	assert.NoFileExists(t, filepath.Join(w.Root, "probes", "b", "doubles"))
}

// TestStoppedServiceGetsItsLoggerBack: its supervisor and that of its logger are
// of two s6-svscan that were killed, so that no process holds a pipe between
// them.
func TestStoppedServiceGetsItsLoggerBack(t *testing.T) {
	t.Parallel()
	w := start(t)
	specs := map[string]*s6.Spec{"a": w.counting("a")}
	w.run(specs)
	stopped := desired{"a": {State: s6.Stopped, Spec: specs["a"]}}
	w.Declare(stopped)
	w.Await(fsm.PhaseStopped, "a")
	first, service := w.svscan(), w.Service("a")
	old := w.supervisor(service)
	w.Leave()
	harness.Slay(t, first)
	harness.Slay(t, old)
	second := exec.Command(filepath.Join(w.Config.Tools.Dir, "s6-svscan"), w.Config.ScanDir)
	require.NoError(t, second.Start())
	harness.Eventually(t, "the service has a supervisor again", func() bool {
		holder, err := supervise.LockHolder(filepath.Join(service, "supervise", "lock"))
		return err == nil && holder.PID != 0 && holder.PID != old
	})
	require.NoError(t, second.Process.Kill())
	require.Error(t, second.Wait(), "it was killed")

	w.Open()
	w.manage()
	w.Declare(stopped)
	harness.Eventually(t, "both supervisors are the new one's, and a logger is there", func() error {
		children := harness.Children(w.svscan())
		for _, dir := range []string{service, filepath.Join(service, "log")} {
			if pid := w.supervisor(dir); !slices.ContainsFunc(children, func(p proc.Process) bool { return p.PID == pid }) {
				return fmt.Errorf("%s is supervised by %d, which is none of %v", dir, pid, children)
			}
		}
		logger, err := w.Tree.Logger("a")
		if err == nil && logger.PID == 0 {
			err = errors.New("there is no logger")
		}
		return err
	})
	w.run(specs)
	w.logsGrow("a")
	w.single("a")
}

func TestEverythingOfS6IsKilled(t *testing.T) {
	t.Parallel()
	w := start(t)
	specs := map[string]*s6.Spec{"a": w.counting("a"), "b": w.slowProbe("b"), "c": w.deafProbe("c")}
	specs["c"].StopTimeout = 300 * time.Millisecond
	w.run(specs)
	var old []int
	for name := range specs {
		old = append(old, w.pid(name))
	}
	for _, p := range harness.ProcessesOf(w.Root) {
		if p.Is("s6-svscan") || p.Is("s6-supervise") || p.Is("s6-log") {
			_ = syscall.Kill(p.PID, syscall.SIGKILL) // it may have been released meanwhile
			harness.Gone(t, p.PID)
		}
	}
	harness.Eventually(t, "the services run again", func() bool {
		for name := range specs {
			if len(w.starts(name)) < 2 {
				return false
			}
		}
		return true
	})
	w.Await(fsm.PhaseRunning, "a", "b", "c")
	for name := range specs {
		w.single(name)
	}
	for _, pid := range old {
		harness.Gone(t, pid)
	}
	w.logsGrow("a")
}

func TestShutdownAfterSupervisorsWereKilled(t *testing.T) {
	t.Parallel()
	w := start(t)
	specs := map[string]*s6.Spec{
		"a": w.counting("a"), "b": w.deafProbe("b"),
		"c": w.probeAs("c", `for s in TERM INT; do trap "echo $s >>$PROBE/signals; exit 0" $s; done`, runsUntilTrapped),
	}
	specs["b"].StopTimeout = 300 * time.Millisecond
	specs["c"].StopSignal = "INT"
	w.run(specs)
	for name := range specs {
		harness.Slay(t, w.supervisor(w.Service(name)))
	}
	w.Unmanage()
	ctx, cancel := w.Context()
	defer cancel()
	require.NoError(t, w.Tree.Shutdown(ctx))
	for name := range specs {
		for _, pid := range w.starts(name) {
			harness.Gone(t, pid)
		}
	}
	signals, err := os.ReadFile(filepath.Join(w.Root, "probes", "c", "signals"))
	require.NoError(t, err)
	assert.Equal(t, "INT\n", string(signals))
}

// A process that the status does not name yet is no stray.
func TestSupervisedProcessIsNotSignalledAsAStray(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.run(map[string]*s6.Spec{"a": w.probe("a")})
	pid := w.pid("a")
	w.Unmanage()
	err := w.Tree.Signal(w.Service("a"), pid, syscall.SIGTERM)
	require.ErrorIs(t, err, syscall.EPERM)
	assert.ErrorContains(t, err, fmt.Sprintf("it is supervised, by process %d", w.supervisor(w.Service("a"))))
	err = w.Tree.Signal(w.Service("a"), os.Getpid(), syscall.SIGTERM)
	require.ErrorIs(t, err, syscall.ESRCH)

	harness.Slay(t, w.supervisor(w.Service("a")))
	require.NoError(t, w.Tree.Signal(w.Service("a"), pid, syscall.SIGTERM))
	harness.Eventually(t, "it ends", func() bool { return !harness.Alive(pid) })
}
