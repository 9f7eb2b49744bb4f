package supervise_test

import (
	"bufio"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/s6/supervise"
)

// startLockHolder starts a process that holds a POSIX lock on path, and
// returns it with a function that makes it end.
func startLockHolder(t testing.TB, path string) (pid int, stop func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), lockHolderEnv+"="+path)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	line, err := bufio.NewReader(stdout).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "locked\n", line)
	stopped := false
	stop = func() {
		if !stopped {
			stopped = true
			stdin.Close()
			assert.NoError(t, cmd.Wait())
		}
	}
	t.Cleanup(stop)
	return cmd.Process.Pid, stop
}

func TestLockHolder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	_, err := supervise.LockHolder(path)
	require.ErrorIs(t, err, fs.ErrNotExist)

	require.NoError(t, os.WriteFile(path, nil, 0o644))
	state, err := supervise.LockHolder(path)
	require.NoError(t, err)
	assert.Equal(t, supervise.LockState{}, state)

	pid, stop := startLockHolder(t, path)
	for range 3 { // asking must not disturb the lock
		state, err = supervise.LockHolder(path)
		require.NoError(t, err)
		assert.Equal(t, supervise.LockState{Held: true, PID: pid}, state)
	}

	stop()
	state, err = supervise.LockHolder(path)
	require.NoError(t, err)
	assert.Equal(t, supervise.LockState{}, state)
}

func TestLockHolderUnknown(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	lock, err := supervise.AcquireLock(path)
	require.NoError(t, err)
	defer lock.Close()
	// The kernel does not say who holds an open file description lock.
	state, err := supervise.LockHolder(path)
	require.NoError(t, err)
	assert.Equal(t, supervise.LockState{Held: true}, state)
}

func TestAcquireLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	require.NoError(t, os.WriteFile(path, []byte(strings.Repeat("left behind\n", 9)), 0o644))
	lock, err := supervise.AcquireLock(path)
	require.NoError(t, err)
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, strconv.Itoa(os.Getpid())+"\n", string(content))

	_, err = supervise.AcquireLock(path)
	var held *supervise.LockHeldError
	require.ErrorAs(t, err, &held)
	assert.Equal(t, &supervise.LockHeldError{Path: path, PID: os.Getpid()}, held)
	assert.EqualError(t, err, "cannot lock "+path+": process "+strconv.Itoa(os.Getpid())+" holds it")

	require.NoError(t, lock.Close())
	again, err := supervise.AcquireLock(path)
	require.NoError(t, err)
	require.NoError(t, again.Close())
}

func TestAcquireLockHeldByOther(t *testing.T) {
	for name, test := range map[string]struct {
		content string
		pid     int
	}{
		"its pid":      {"4711\n", 4711},
		"nothing":      {"", 0},
		"not a number": {"hello\n", 0},
		"negative":     {"-3\n", 0},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "lock")
			require.NoError(t, os.WriteFile(path, []byte(test.content), 0o644))
			startLockHolder(t, path)
			_, err := supervise.AcquireLock(path)
			var held *supervise.LockHeldError
			require.ErrorAs(t, err, &held)
			assert.Equal(t, test.pid, held.PID)
			assert.ErrorContains(t, err, "holds it")
			content, err := os.ReadFile(path)
			require.NoError(t, err)
			assert.Equal(t, test.content, string(content))
		})
	}
}

func TestAcquireLockWithoutDirectory(t *testing.T) {
	_, err := supervise.AcquireLock(filepath.Join(t.TempDir(), "missing", "lock"))
	require.ErrorIs(t, err, fs.ErrNotExist)
}
