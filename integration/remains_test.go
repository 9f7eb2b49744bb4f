//go:build integration

package integration

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/integration/harness"
	"github.com/evenkeel/evenkeel/s6"
)

// removeAll deletes a directory in which others may write meanwhile.
func removeAll(t *testing.T, dir string) {
	harness.Eventually(t, dir+" is deleted", func() error { return os.RemoveAll(dir) })
}

// TestWhatIsDeletedUnderALiveProcess: what ran in it ends before another begins.
func TestWhatIsDeletedUnderALiveProcess(t *testing.T) {
	t.Parallel()
	remove := func(t *testing.T, w *world) { removeAll(t, w.Service("a")) }
	for name, deletion := range map[string]func(t *testing.T, w *world){
		"rm -rf": remove,
		"rm -rf after SIGKILL of s6-supervise": func(t *testing.T, w *world) {
			harness.Slay(t, w.supervisor(w.Service("a")))
			remove(t, w)
		},
		"rm -rf after SIGKILL of s6-svscan": func(t *testing.T, w *world) {
			harness.Slay(t, w.svscan())
			remove(t, w)
		},
		"mv": func(t *testing.T, w *world) {
			require.NoError(t, os.Rename(w.Service("a"), filepath.Join(w.Root, "elsewhere")))
		},
	} {
		for _, kind := range []string{"slow", "deaf"} {
			t.Run(name+", "+kind, func(t *testing.T) {
				t.Parallel()
				w := start(t)
				spec := w.slowProbe("a")
				if kind == "deaf" {
					spec = w.deafProbe("a")
					spec.StopTimeout = 600 * time.Millisecond
				}
				specs := map[string]*s6.Spec{"a": spec, "b": w.probe("b")}
				w.run(specs)
				old, other := w.pid("a"), w.pid("b")
				deletion(t, w)
				harness.Gone(t, old)
				harness.Eventually(t, "another runs", func() bool {
					status, err := w.Tree.Status(w.Service("a"))
					return err == nil && status.Up() && status.PID != old
				})
				w.Await(fsm.PhaseRunning, "a", "b")
				w.single("a")
				w.single("b")
				assert.Equal(t, other, w.pid("b"))
			})
		}
	}
}

// TestWhatIsDeletedIsFoundByItsPlace: another program has not seen the process,
// and the supervisor is gone.
func TestWhatIsDeletedIsFoundByItsPlace(t *testing.T) {
	t.Parallel()
	w := start(t)
	specs := map[string]*s6.Spec{"a": with(w.deafProbe("a"), func(s *s6.Spec) { s.StopTimeout, s.Dir = 600*time.Millisecond, "/" })}
	w.run(specs)
	old := w.pid("a")
	w.Unmanage()
	supervisor := w.supervisor(w.Service("a"))
	harness.Slay(t, w.svscan())
	harness.Slay(t, supervisor)
	removeAll(t, w.Service("a"))
	w.manage()
	w.run(specs)
	harness.Gone(t, old)
	w.single("a")
}

// TestWhatIsDeletedEndsWithTheTree: nobody manages it, and the tree is shut down.
func TestWhatIsDeletedEndsWithTheTree(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.run(map[string]*s6.Spec{"a": w.probe("a"), "b": w.probe("b")})
	w.Unmanage()
	harness.Slay(t, w.svscan())
	harness.Slay(t, w.supervisor(w.Service("a")))
	removeAll(t, w.Service("a"))
	removeAll(t, w.Service("b"))
	ctx, cancel := w.Context()
	defer cancel()
	require.NoError(t, w.Tree.Shutdown(ctx))
	harness.NoneLeft(t, w.Root)
}

// TestWhatIsDeletedAndNobodys: nobody asks for it any more when the next program
// begins. It ends once, and in its own time, and the others go on.
func TestWhatIsDeletedAndNobodys(t *testing.T) {
	t.Parallel()
	w := start(t)
	counts := func(name string) *s6.Spec {
		return w.probeAs(name, `trap 'echo >>"$PROBE/terms"; sleep 0.3 9>&-; exit 0' TERM`, runsUntilTrapped)
	}
	w.run(map[string]*s6.Spec{"a": counts("a"), "b": counts("b"), "c": w.probe("c")})
	a, b, c := w.pid("a"), w.pid("b"), w.pid("c")
	supervisors := []int{w.supervisor(w.Service("a")), w.supervisor(w.Service("b")), w.supervisor(filepath.Join(w.Service("a"), "log"))}
	dirs := []string{w.Service("a"), w.Service("b")}
	w.Leave()
	harness.Slay(t, supervisors[1])
	for _, dir := range dirs {
		removeAll(t, dir)
	}
	w.Open()
	w.manage()
	w.run(map[string]*s6.Spec{"c": w.probe("c")})
	harness.Gone(t, a)
	harness.Gone(t, b)
	for _, pid := range supervisors {
		harness.Gone(t, pid)
	}
	for _, name := range []string{"a", "b"} {
		terms, err := os.ReadFile(filepath.Join(w.Root, "probes", name, "terms"))
		require.NoError(t, err)
		assert.Equal(t, "\n", string(terms), "it was told once")
		harness.Eventually(t, "the link of "+name+" is gone", func() bool {
			_, err := os.Lstat(filepath.Join(w.Config.ScanDir, name))
			return errors.Is(err, fs.ErrNotExist)
		})
	}
	assert.Equal(t, c, w.pid("c"))
	w.single("c")
}

// TestDeletedInstanceLock: without the lock a second process would not wait, so
// the one that runs restarts to take it again.
func TestDeletedInstanceLock(t *testing.T) {
	t.Parallel()
	w := start(t)
	specs := map[string]*s6.Spec{"a": w.probe("a")}
	w.run(specs)
	old := w.pid("a")
	require.NoError(t, os.Remove(filepath.Join(w.Service("a"), "data", "lock")))
	harness.Gone(t, old)
	w.Became("a", s6.StateDegraded, "its instance lock was deleted")
	harness.Eventually(t, "another holds the lock", func() bool {
		state, err := w.Tree.Process(w.Service("a"))
		return err == nil && state.PID != 0
	})
	w.Await(fsm.PhaseRunning, "a")
	w.single("a")
}
