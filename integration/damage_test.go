//go:build integration

package integration

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/integration/harness"
	"github.com/evenkeel/evenkeel/s6"
)

// statusOf is a service's status file.
func (w *world) statusOf(name string) string {
	return filepath.Join(w.Service(name), "supervise", "status")
}

// A machine that lost its power leaves files that are empty.
func TestDamagedStatusAfterALossOfPower(t *testing.T) {
	t.Parallel()
	w := start(t)
	specs := map[string]*s6.Spec{"a": w.probe("a"), "b": w.probe("b")}
	w.run(specs)
	torn := []string{w.statusOf("a"), w.statusOf("a/log"), w.statusOf("b")}
	w.Unmanage()
	ctx, cancel := w.Context()
	defer cancel()
	require.NoError(t, w.Tree.Shutdown(ctx))
	require.NoError(t, w.Tree.Close())
	for _, file := range torn {
		require.NoError(t, os.Truncate(file, 0))
	}
	// The scan directory was on a filesystem in memory.
	require.NoError(t, os.RemoveAll(w.Config.ScanDir))
	w.Open()
	w.manage()
	w.run(specs)
	w.single("a")
	w.single("b")
}

func TestDamagedStatusUnderALiveSupervisor(t *testing.T) {
	t.Parallel()
	w := start(t)
	specs := map[string]*s6.Spec{"a": w.probe("a"), "b": w.probe("b"), "c": w.probe("c")}
	w.run(specs)
	before := map[string]int{"a": w.pid("a"), "c": w.pid("c")}
	for name := range specs {
		require.NoError(t, os.Truncate(w.statusOf(name), 0))
	}
	other := with(specs["c"], func(s *s6.Spec) { s.ConfigFiles = map[string]string{"another": ""} })
	w.run(map[string]*s6.Spec{"a": specs["a"], "c": other})
	harness.Eventually(t, "there is a status again", func() bool {
		status, err := w.Tree.Status(w.Service("a"))
		return err == nil && status.Up()
	})
	assert.Equal(t, before["a"], w.pid("a"))
	harness.Eventually(t, "the changed one is another process", func() bool {
		status, err := w.Tree.Status(w.Service("c"))
		return err == nil && status.Up() && status.PID != before["c"]
	})
	w.Await(fsm.PhaseRunning, "a", "c")
	w.single("a")
	w.single("c")
	w.Await(fsm.PhaseRemoved, "b")
	assert.False(t, harness.Exists(t, w.Service("b")))
}

// The status is what a supervisor that was killed has left, as where the disk
// was full when the next one began.
func TestStaleStatusThatNamesTheHolderOfTheLock(t *testing.T) {
	t.Parallel()
	w := start(t)
	specs := map[string]*s6.Spec{"a": w.probe("a")}
	w.run(specs)
	old := w.pid("a")
	stale, err := os.ReadFile(w.statusOf("a"))
	require.NoError(t, err)
	w.Unmanage()
	killed := w.supervisor(w.Service("a"))
	harness.Slay(t, killed)
	harness.Eventually(t, "another supervisor has written its status", func() bool {
		status, err := w.Tree.Status(w.Service("a"))
		next := w.supervisor(w.Service("a"))
		return err == nil && next != 0 && next != killed && status.Up() && status.PID != old
	})
	require.NoError(t, os.WriteFile(w.statusOf("a"), stale, 0o644))
	w.manage()
	w.run(specs)
	harness.Gone(t, old)
	harness.Eventually(t, "the supervisor's own process runs", func() bool {
		status, err := w.Tree.Status(w.Service("a"))
		return err == nil && status.Up() && status.PID != old
	})
	w.Await(fsm.PhaseRunning, "a")
	w.single("a")
}
