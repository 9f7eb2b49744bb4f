//go:build integration

package integration

import (
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

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/integration/harness"
	"github.com/evenkeel/evenkeel/internal/proc"
	"github.com/evenkeel/evenkeel/s6"
)

// parent returns the spec of a service whose process starts another one, that
// does not end with it.
func parent() *s6.Spec {
	return &s6.Spec{Command: []string{"sh", "-c", "sleep 7771 & wait"}, Ready: s6.Readiness{Stays: 10 * time.Millisecond}}
}

// deafParent returns the same for one that ends only when it is killed.
func deafParent() *s6.Spec {
	spec := parent()
	spec.Command[2] = `sh -c 'trap "" TERM; while :; do sleep 7772; done' & wait`
	return spec
}

// work lists what works in the directory of a service, apart from its
// supervisors, its logger and its finish script.
func (w *world) work(name string) []proc.Process {
	return slices.DeleteFunc(harness.Under(filepath.Join(w.Config.ServicesDir, name)), func(p proc.Process) bool {
		script := len(p.Args) > 1 && p.Args[1] == "./finish"
		return p.Is("s6-supervise") || p.Is("s6-log") || script || p.Is("sleep") && strings.HasPrefix(p.Args[1], "0.")
	})
}

// replaced waits until what works for a service is a process that is not known
// yet, and what that has started.
func (w *world) replaced(name string, known map[int]bool) {
	w.T.Helper()
	harness.Eventually(w.T, "another process of "+name+", and nothing of those before", func() error {
		status, err := w.Tree.Status(w.Service(name))
		if err != nil || !status.Up() {
			return fmt.Errorf("it is %+v, %v", status, err)
		}
		all := w.work(name)
		for _, p := range all {
			if known[p.PID] || p.Group != status.PID {
				return fmt.Errorf("%v is of group %d, and not of %d", p, p.Group, status.PID)
			}
		}
		if len(all) < 2 {
			return fmt.Errorf("there are %v", all)
		}
		return nil
	})
	for _, p := range w.work(name) {
		known[p.PID] = true
	}
}

// A service is not taken to be one process: what its process has started ends
// with it.
func TestServiceIsNotTakenToBeOneProcess(t *testing.T) {
	t.Parallel()
	for kind, of := range map[string]struct {
		spec  func() *s6.Spec
		times int // each takes half of the finish timeout where it is deaf
	}{
		"children that hear": {parent, 3},
		"a deaf child":       {deafParent, 1},
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			w := start(t)
			all := map[string]*s6.Spec{"a": of.spec()}
			w.run(all)
			known := make(map[int]bool)
			w.replaced("a", known)
			for range of.times {
				harness.Kill(t, w.pid("a"), syscall.SIGKILL)
				w.replaced("a", known)
			}

			t.Log("while no program runs")
			w.Leave()
			killed, err := os.ReadFile(filepath.Join(w.Config.ServicesDir, "a", "data", "started"))
			require.NoError(t, err)
			pid, err := strconv.Atoi(strings.Fields(string(killed))[1])
			require.NoError(t, err)
			harness.Kill(t, pid, syscall.SIGKILL)
			w.Open()
			w.replaced("a", known)
			w.manage()
			w.run(all)

			t.Log("its supervisor is killed")
			harness.Slay(t, w.supervisor(w.Service("a")))
			w.replaced("a", known)

			t.Log("it is stopped")
			w.Await(fsm.PhaseRunning, "a")
			down := running(all)
			one := down["a"]
			one.State = s6.Stopped
			down["a"] = one
			w.Declare(down)
			w.Await(fsm.PhaseStopped, "a")
			assert.Empty(t, w.work("a"))
		})
	}
}

// It is written down again which process runs, so that the finish script knows what
// to end while no program runs.
func TestWhatRunsIsWrittenDownAgain(t *testing.T) {
	t.Parallel()
	w := start(t)
	all := map[string]*s6.Spec{"a": parent()}
	w.run(all)
	known := make(map[int]bool)
	w.replaced("a", known)
	pid, record := w.pid("a"), filepath.Join(w.Config.ServicesDir, "a", "data", "started")
	before, err := os.ReadFile(record)
	require.NoError(t, err)
	require.NoError(t, os.Remove(record))
	harness.Eventually(t, "the record of a", func() error {
		after, err := os.ReadFile(record)
		if err == nil && !strings.HasPrefix(string(after), strings.TrimSpace(string(before))+" ") {
			err = fmt.Errorf("it is %q and was %q", after, before)
		}
		return err
	})
	assert.Equal(t, pid, w.pid("a"))
	w.Leave()
	harness.Kill(t, pid, syscall.SIGKILL)
	w.Open()
	w.replaced("a", known)
	w.manage()
	w.run(all)
}

// Nothing of it outlives the tree, not even where supervisors were killed and
// processes with them.
func TestShutdownLeavesNothingThatWasStarted(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.run(map[string]*s6.Spec{"a": parent(), "b": deafParent(), "c": deafParent()})
	for _, name := range []string{"a", "b", "c"} {
		w.replaced(name, make(map[int]bool))
	}
	w.Unmanage()
	harness.Slay(t, w.svscan())
	harness.Slay(t, w.supervisor(w.Service("c")))
	ctx, cancel := w.Context()
	defer cancel()
	require.NoError(t, w.Tree.Shutdown(ctx))
	for _, name := range []string{"a", "b", "c"} {
		assert.Empty(t, w.work(name), name)
	}
}

// Nobody else's group is ended: not one that has got the id of a process that
// is written down.
func TestGroupOfSomebodyElse(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.run(map[string]*s6.Spec{"a": parent(), "other": parent()})
	other := w.pid("other")
	pids := func() (pids []int) {
		for _, p := range w.work("other") {
			pids = append(pids, p.PID)
		}
		return pids
	}
	harness.Eventually(t, "it has started another process", func() bool {
		return len(pids()) == 2 && slices.ContainsFunc(w.work("other"), func(p proc.Process) bool { return p.Is("sleep") })
	})
	before := pids()
	seen := time.Now().Add(-time.Hour)
	members, err := w.Tree.Group(w.Service("a"), other, seen)
	require.NoError(t, err)
	assert.Empty(t, members, "they have started since")
	require.NoError(t, w.Tree.SignalGroup(w.Service("a"), other, seen, syscall.SIGKILL))
	require.NoError(t, w.Tree.SignalGroup(w.Service("a"), other, time.Time{}, syscall.SIGKILL))
	assert.Equal(t, before, pids())
	members, err = w.Tree.Group(w.Service("other"), other, time.Time{})
	require.NoError(t, err)
	assert.Len(t, members, 2, "they have the instance lock open")
	members, err = w.Tree.Group(w.Service("a"), other, time.Now())
	require.NoError(t, err)
	assert.Len(t, members, 2, "where the leader was seen alive, they are known")
}
