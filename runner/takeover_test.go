package runner

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/s6/supervise"
)

// logTo returns a logger whose records have no time.
func logTo(w io.Writer) *slog.Logger {
	timeless := func(groups []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey && len(groups) == 0 {
			return slog.Attr{}
		}
		return a
	}
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{ReplaceAttr: timeless}))
}

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
	var said bytes.Buffer
	require.NoError(t, TakeOver(t.Context(), path, logTo(&said)))
	assert.Equal(t, fmt.Sprintf("level=WARN msg=\"a process that has lost its supervisor was killed: what it kept is adopted\" pid=%d\n", first.Process.Pid), said.String())
	err := first.Wait()
	var ended *exec.ExitError
	require.ErrorAs(t, err, &ended)
	assert.Equal(t, syscall.SIGKILL, ended.Sys().(syscall.WaitStatus).Signal())
}

func TestTakeOverWhereNobodyIs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	var said bytes.Buffer
	require.NoError(t, TakeOver(t.Context(), path, logTo(&said)))
	assert.Empty(t, said.String())
}

func TestTakeOverFromNobodyThatCanBeNamed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	other, err := supervise.AcquireLock(path) // of which the kernel names no process
	require.NoError(t, err)
	defer other.Close()
	assert.ErrorContains(t, TakeOver(t.Context(), path, slog.New(slog.DiscardHandler)), "it is in another PID namespace")
}

func TestTakeOverFollowsNoLink(t *testing.T) {
	dir := t.TempDir()
	target := filepath.Join(dir, "target")
	require.NoError(t, os.Symlink(target, filepath.Join(dir, "lock")))
	assert.ErrorContains(t, TakeOver(t.Context(), filepath.Join(dir, "lock"), slog.New(slog.DiscardHandler)), "too many levels of symbolic links")
	assert.NoFileExists(t, target)
}
