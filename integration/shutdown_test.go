//go:build integration

package integration

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/integration/harness"
	"github.com/evenkeel/evenkeel/s6"
)

func TestShutdownEndsEverythingAndKeepsTheLogs(t *testing.T) {
	t.Parallel()
	w := start(t)
	specs := map[string]*s6.Spec{"deaf": w.deafProbe("deaf"), "slow": w.slowProbe("slow"), "counting": w.counting("counting")}
	specs["deaf"].StopTimeout = 400 * time.Millisecond
	last := w.probeAs("last", "trap 'echo the last words; exit 0' TERM", runsUntilTrapped)
	specs["last"] = last
	w.run(specs)
	pid := w.pid("counting")
	w.Unmanage()
	ctx, cancel := w.Context()
	defer cancel()
	require.NoError(t, w.Tree.Shutdown(ctx))
	harness.NoneLeft(t, w.Root)
	assert.Equal(t, []string{"the last words"}, w.texts("last"), "loggers read to the end")
	assert.Positive(t, w.complete("counting", w.texts("counting")))

	// What was up comes up with the tree, before anybody manages it.
	require.NoError(t, w.Tree.Close())
	w.Open()
	harness.Eventually(t, "it runs again", func() bool {
		status, err := w.Tree.Status(w.Service("counting"))
		return err == nil && status.Ready && status.Up() && len(w.starts("counting")) == 2
	})
	assert.NotEqual(t, pid, w.pid("counting"))
	w.manage()
	w.run(specs)
	for name := range specs {
		w.single(name)
		assert.Len(t, w.starts(name), 2, name)
	}
}

func TestShutdownThatIsGivenTooLittleTimeSaysWhatRuns(t *testing.T) {
	t.Parallel()
	w := start(t)
	spec := w.deafProbe("deaf")
	spec.StopTimeout = time.Hour
	w.run(map[string]*s6.Spec{"deaf": spec, "a": w.probe("a")})
	deaf := w.pid("deaf")
	w.Unmanage()
	short, cancel := context.WithCancel(context.Background())
	defer cancel()
	said := make(chan error, 1)
	go func() { said <- w.Tree.Shutdown(short) }()
	harness.Eventually(t, "only the deaf one runs", func() error {
		if left := harness.Running(w.Config.ServicesDir, "s6-supervise"); len(left) > 2 {
			return fmt.Errorf("there are %v", left)
		}
		return nil
	})
	cancel()
	err := <-said
	require.ErrorIs(t, err, context.Canceled)
	assert.ErrorContains(t, err, fmt.Sprintf("the supervisor of %s (pid %d)", filepath.Join(w.Config.ScanDir, "deaf"), w.supervisor(w.Service("deaf"))))
	assert.NotContains(t, err.Error(), filepath.Join(w.Config.ScanDir, "a"))
	harness.Slay(t, deaf)
	ctx, cancel := w.Context()
	defer cancel()
	require.NoError(t, w.Tree.Shutdown(ctx), "it may be called again")
	harness.NoneLeft(t, w.Root)
}

// Telling a deaf process again would give it as much time once more.
func TestShutdownKillsWhatIsDeafInItsTime(t *testing.T) {
	t.Parallel()
	w := start(t)
	spec := w.deafProbe("deaf")
	spec.StopTimeout = 5 * time.Second
	w.run(map[string]*s6.Spec{"deaf": spec})
	w.Unmanage()
	ctx, cancel := w.Context()
	defer cancel()
	require.NoError(t, w.Tree.Shutdown(ctx))
	harness.NoneLeft(t, w.Root)
}

// stuckLogger makes the loggers of a world unable to write a byte, as they are
// on a full disk.
func (w *world) stuckLogger() {
	w.T.Helper()
	tools := harness.NeedS6(w.T)
	w.Config.Tools.Dir = filepath.Join(w.Root, "tools")
	require.NoError(w.T, os.Mkdir(w.Config.Tools.Dir, 0o755))
	found, err := filepath.Glob(filepath.Join(tools.Dir, "s6-*"))
	require.NoError(w.T, err)
	for _, tool := range found {
		require.NoError(w.T, os.Symlink(tool, filepath.Join(w.Config.Tools.Dir, filepath.Base(tool))))
	}
	logger := filepath.Join(w.Config.Tools.Dir, "s6-log")
	require.NoError(w.T, os.Remove(logger))
	script := "#!/bin/sh\ntrap '' XFSZ\nulimit -f 0\nexec " + filepath.Join(tools.Dir, "s6-log") + ` "$@"` + "\n"
	require.NoError(w.T, os.WriteFile(logger, []byte(script), 0o755))
}

// Told again and again to end, a logger would get as much time each time.
func TestLoggersThatCannotWriteAreToldOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.stuckLogger()
	w.Open()
	w.manage()
	w.run(map[string]*s6.Spec{"a": w.counting("a"), "b": w.counting("b"), "silent": w.probe("silent")})
	w.Unmanage()
	ctx, cancel := w.Context()
	defer cancel()
	err := w.Tree.Shutdown(ctx)
	require.ErrorIs(t, err, s6.ErrLogLost)
	for _, name := range []string{"a", "b"} {
		assert.ErrorContains(t, err, "the logger of "+filepath.Join(w.Config.ScanDir, name)+" wrote nothing for 2s and was killed with what it had read")
	}
	assert.NotContains(t, err.Error(), "silent")
	harness.NoneLeft(t, w.Root)
	require.NoError(t, w.Tree.Shutdown(ctx), "there is nothing left to lose")
}

// TestShutdownPastAServiceThatCannotBeLookedAt: everything else ends, and the
// error names the one.
func TestShutdownPastAServiceThatCannotBeLookedAt(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.run(map[string]*s6.Spec{"a": w.probe("a"), "z": w.probe("z")})
	w.Unmanage()
	loop := filepath.Join(w.Config.ScanDir, "loop")
	require.NoError(t, os.Symlink(loop, loop))
	ctx, cancel := w.Context()
	defer cancel()
	err := w.Tree.Shutdown(ctx)
	assert.ErrorIs(t, err, syscall.ELOOP)
	assert.ErrorContains(t, err, loop)
	harness.NoneLeft(t, w.Root)
	require.NoError(t, os.Remove(loop))
}
