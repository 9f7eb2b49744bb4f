//go:build integration

package integration

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/integration/harness"
	"github.com/evenkeel/evenkeel/internal/proc"
	"github.com/evenkeel/evenkeel/s6"
)

// withoutTracing takes the capability to look into processes of others from the
// rest of the test, as Docker does from containers, and from what it starts.
func withoutTracing(t *testing.T) {
	t.Helper()
	runtime.LockOSThread() // and never unlock it: the thread ends with the test
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var caps [2]unix.CapUserData
	require.NoError(t, unix.Capget(&header, &caps[0]))
	if caps[0].Effective&(1<<unix.CAP_SETPCAP) != 0 {
		require.NoError(t, unix.Prctl(unix.PR_CAPBSET_DROP, unix.CAP_SYS_PTRACE, 0, 0, 0))
	}
	caps[0].Effective &^= 1 << unix.CAP_SYS_PTRACE
	caps[0].Permitted &^= 1 << unix.CAP_SYS_PTRACE
	require.NoError(t, unix.Capset(&header, &caps[0]))
}

// A feature needs no capability that nobody checks: readiness is announced for a
// process of another user, and for one whose program nobody may read.
func TestAnnounceReadyNeedsNoCapability(t *testing.T) {
	withoutTracing(t)
	w := newWorld(t)
	w.Open()
	w.manage()
	sleep, err := exec.LookPath("sleep")
	require.NoError(t, err)
	secret := filepath.Join(w.Root, "sleep")
	program, err := os.ReadFile(sleep)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(secret, program, 0o711))
	harness.OpenToAll(t, secret)
	require.NoError(t, os.Chmod(secret, 0o111))
	spec := &s6.Spec{Command: []string{secret, "1000000"}, Ready: s6.Readiness{Announced: true}}
	if os.Getuid() == 0 {
		spec.User = "nobody"
	}
	w.Declare(running(map[string]*s6.Spec{"a": spec, "b": spec}))
	var pid int
	harness.Eventually(t, "it runs, and cannot be looked into", func() bool {
		s, err := w.Tree.Status(w.Service("a"))
		if err != nil || !s.Up() {
			return false
		}
		pid = s.PID
		p, err := proc.System.Read(pid)
		if _, unreadable := proc.System.Holds(pid, "nothing"); unreadable == nil {
			return false
		}
		return err != nil || p.Is("sleep")
	})
	w.Await(fsm.PhaseStarting, "a")
	require.NoError(t, w.Tree.AnnounceReady(w.Service("a"), pid))
	w.Await(fsm.PhaseRunning, "a")
	require.NoError(t, w.Tree.AnnounceReady(w.Service("a"), pid), "twice is no harm")
	harness.Eventually(t, "the other runs, too", func() bool {
		s, err := w.Tree.Status(w.Service("b"))
		return err == nil && s.Up()
	})
	assert.ErrorContains(t, w.Tree.AnnounceReady(w.Service("b"), pid), "the service's process is")
	s, err := w.Tree.Status(w.Service("b"))
	require.NoError(t, err)
	assert.False(t, s.Ready)
}
