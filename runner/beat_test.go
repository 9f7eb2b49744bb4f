package runner

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
)

func TestPassesThatAreNotMadeAreSeen(t *testing.T) {
	now := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	all := []*fsm.Snapshot[int, int]{
		{Name: "new"},
		{Name: "due", NextPass: now.Add(time.Second)},
		{Name: "in a long pass", NextPass: now.Add(-passPatience)},
		{Name: "stuck", NextPass: now.Add(-passPatience - time.Millisecond)},
	}
	assert.Equal(t, []string{"stuck is not looked at: its pass has been due for 12s"}, overdue(now, all))
}

func TestManagerThatMakesNoPassIsUnhealthy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), ".beat")
		assert.EqualError(t, checkBeat(t.Context(), path), "it has made no pass yet")

		require.NoError(t, writeBeat(path, time.Now(), nil))
		time.Sleep(beatPatience)
		begun := time.Now()
		assert.NoError(t, checkBeat(t.Context(), path))
		assert.Equal(t, begun, time.Now(), "nothing is waited for")
		time.Sleep(time.Second)
		me := "process " + strconv.Itoa(os.Getpid())
		assert.EqualError(t, checkBeat(t.Context(), path), me+" makes no pass: the last one was at "+begun.Add(-beatPatience).Format(time.TimeOnly))
		assert.Equal(t, begun.Add(time.Second+beatPatience), time.Now())

		for _, jump := range []time.Duration{-time.Hour, time.Hour} { // of the clock
			require.NoError(t, writeBeat(path, time.Now().Add(jump), nil))
			go func() {
				time.Sleep(beatEvery)
				assert.NoError(t, writeBeat(path, time.Now(), nil))
			}()
			assert.NoError(t, checkBeat(t.Context(), path), "it waits for the next beat")
		}

		require.NoError(t, writeBeat(path, time.Now(), []string{"a is not looked at", "b is not looked at"}))
		assert.EqualError(t, checkBeat(t.Context(), path), "a is not looked at; b is not looked at")
		require.NoError(t, writeBeat(path, time.Now(), nil))
		assert.NoError(t, checkBeat(t.Context(), path), "it is over")
	})
}

func TestStoppedManagerIsNamed(t *testing.T) {
	cmd := exec.Command("sleep", "1000")
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	path := filepath.Join(t.TempDir(), ".beat")
	require.NoError(t, os.WriteFile(path, []byte(strconv.Itoa(cmd.Process.Pid)+"\n"), 0o644))
	assert.Equal(t, "process "+strconv.Itoa(cmd.Process.Pid), beater(path))
	require.NoError(t, cmd.Process.Signal(syscall.SIGSTOP))
	var status syscall.WaitStatus
	_, err := syscall.Wait4(cmd.Process.Pid, &status, syscall.WUNTRACED, nil)
	require.NoError(t, err)
	assert.Equal(t, "process "+strconv.Itoa(cmd.Process.Pid)+", which is stopped (SIGSTOP),", beater(path))
}

func TestBeatFollowsNoLink(t *testing.T) {
	dir := t.TempDir()
	target := filepath.Join(dir, "target")
	require.NoError(t, os.WriteFile(target, []byte("mine"), 0o644))
	require.NoError(t, os.Symlink(target, filepath.Join(dir, ".beat")))
	require.Error(t, writeBeat(filepath.Join(dir, ".beat"), time.Now(), nil))
	text, err := os.ReadFile(target)
	require.NoError(t, err)
	assert.Equal(t, "mine", string(text))
}
