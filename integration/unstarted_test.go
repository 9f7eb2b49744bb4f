//go:build integration

package integration

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/integration/harness"
	"github.com/evenkeel/evenkeel/s6"
)

// What s6-supervise cannot start is said, with its cause, and started as soon as
// it can be: s6-supervise itself would wait. Who may not mount anything sees that
// nothing is said where nothing is wrong.
func TestServicesOnAMountWithNoexec(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dir := filepath.Join(w.Root, "mounted")
	require.NoError(t, os.Mkdir(dir, 0o755))
	err := unix.Mount("tmpfs", dir, "tmpfs", unix.MS_NOEXEC, "mode=0755")
	mounted := err == nil
	if !errors.Is(err, unix.EPERM) {
		require.NoError(t, err)
		t.Cleanup(func() {
			w.End()
			assert.NoError(t, unix.Unmount(dir, unix.MNT_DETACH))
		})
	}
	w.Config.ServicesDir = filepath.Join(dir, "services")
	w.Open()
	w.manage()
	all := map[string]*s6.Spec{"a": w.probe("a")}
	w.Declare(running(all))
	if mounted {
		w.Says("a", s6.StateDegraded, "its command cannot be started", w.Config.ServicesDir+"/a/run is on a mount with noexec")
		harness.Eventually(t, "s6-supervise complains", func() bool {
			said, err := w.Tree.Complaint(w.Service("a"))
			require.NoError(t, err)
			return said != ""
		})
		said, err := w.Tree.Complaint(w.Service("a"))
		require.NoError(t, err)
		t.Logf("s6-supervise says %q", said)
		assert.Contains(t, said, "ermission denied")
		require.NoError(t, unix.Mount("", dir, "", unix.MS_REMOUNT, ""))
	}
	w.Await(fsm.PhaseRunning, "a")
	why, err := w.Tree.Unstartable(w.Service("a"))
	require.NoError(t, err)
	assert.Empty(t, why)
	w.single("a")
}
