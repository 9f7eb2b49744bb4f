package runner

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/s6/supervise"
)

// hold starts a process that has a lock.
func hold(t *testing.T, path string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), lockEnv+"="+path)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	said, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "<nil>\n", said)
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	return cmd
}

// TestSupervisorOfTheManagerIsKilled: the program that lost its supervisor goes
// on and has the lock. It is killed, even one that hears nothing, and the second
// one has its place.
func TestSupervisorOfTheManagerIsKilled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	first := hold(t, path)
	require.NoError(t, first.Process.Signal(syscall.SIGSTOP))
	var stderr bytes.Buffer
	require.NoError(t, TakeOver(t.Context(), path, "fivebenthos", &stderr))
	assert.Equal(t, fmt.Sprintf("fivebenthos: process %d has lost its supervisor and was killed: what it kept is adopted\n", first.Process.Pid), stderr.String())
	err := first.Wait()
	var ended *exec.ExitError
	require.ErrorAs(t, err, &ended)
	assert.Equal(t, syscall.SIGKILL, ended.Sys().(syscall.WaitStatus).Signal())
}

func TestTakeOverWhereNobodyIs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	var stderr bytes.Buffer
	require.NoError(t, TakeOver(t.Context(), path, "fivebenthos", &stderr))
	assert.Empty(t, stderr.String())
}

func TestTakeOverFromNobodyThatCanBeNamed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	other, err := supervise.AcquireLock(path) // of which the kernel names no process
	require.NoError(t, err)
	defer other.Close()
	assert.ErrorContains(t, TakeOver(t.Context(), path, "fivebenthos", os.Stderr), "it is in another PID namespace")
}

func TestTakeOverFollowsNoLink(t *testing.T) {
	dir := t.TempDir()
	target := filepath.Join(dir, "target")
	require.NoError(t, os.Symlink(target, filepath.Join(dir, "lock")))
	assert.ErrorContains(t, TakeOver(t.Context(), filepath.Join(dir, "lock"), "fivebenthos", os.Stderr), "too many levels of symbolic links")
	assert.NoFileExists(t, target)
}
