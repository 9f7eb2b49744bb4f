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

// nobodys is a user who is not to have a say.
const nobodys = 65534

// TestDirectoryThatOthersMayWrite is refused with what to do, and nothing in it
// is touched or run.
func TestDirectoryThatOthersMayWrite(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	refused := func(what ...string) {
		t.Helper()
		ctx, cancel := w.Context()
		defer cancel()
		_, _, err := s6.StartPrivate(ctx, w.Config)
		require.Error(t, err)
		for _, text := range what {
			assert.ErrorContains(t, err, text)
		}
	}
	open := filepath.Join(w.Root, "open")
	require.NoError(t, os.Mkdir(open, 0o755))
	for _, dir := range []*string{&w.Config.ScanDir, &w.Config.ServicesDir, &w.Config.LogsDir} {
		*dir = filepath.Join(open, filepath.Base(*dir))
		require.NoError(t, os.Mkdir(*dir, 0o755))
	}
	require.NoError(t, os.Chmod(open, 0o777))
	refused("others may write in "+open, "chmod o-w "+open)
	require.NoError(t, os.Chmod(open, 0o755))

	// What was planted there meanwhile.
	precious := filepath.Join(w.Root, "precious")
	require.NoError(t, os.WriteFile(precious, []byte("precious"), 0o600))
	lock := filepath.Join(w.Config.ServicesDir, ".lock")
	require.NoError(t, os.Symlink(precious, lock))
	refused(lock, "it is a link, which is not followed: remove it")
	require.NoError(t, os.Remove(lock))

	evil := filepath.Join(w.Config.ScanDir, "evil")
	ran := filepath.Join(w.Root, "ran")
	home := filepath.Join(w.Root, "home")
	require.NoError(t, os.Mkdir(home, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(home, "run"), []byte("#!/bin/sh\n>"+ran+"\nexec sleep 1000000\n"), 0o755))
	require.NoError(t, os.Symlink(home, evil))
	require.NoError(t, os.Lchown(evil, nobodys, nobodys))
	refused(evil + " belongs to user 65534, and s6-svscan would run it as this user: remove it")
	require.NoError(t, os.Remove(evil))

	stderr := filepath.Join(w.Config.ScanDir, ".stderr")
	require.NoError(t, os.Symlink(precious, stderr))
	refused("too many levels of symbolic links")
	require.NoError(t, os.Remove(stderr))

	planted := filepath.Join(w.Config.ServicesDir, "a")
	require.NoError(t, os.MkdirAll(filepath.Join(planted, "data"), 0o755))
	require.NoError(t, os.Symlink(precious, filepath.Join(planted, "data", "started")))
	require.NoError(t, os.Chown(planted, nobodys, nobodys))
	w.Open()
	w.manage()
	spec := w.probe("a")
	w.Declare(running(map[string]*s6.Spec{"a": spec, "b": w.probe("b")}))
	w.Await(fsm.PhaseRunning, "b")
	harness.Eventually(t, "it is refused", func() bool {
		err := w.Snapshot("a").Err
		return err != nil && assert.ErrorContains(t, err, planted+" belongs to user 65534: remove it")
	})
	data, err := os.ReadFile(precious)
	require.NoError(t, err)
	assert.Equal(t, "precious", string(data))
	assert.NoFileExists(t, ran)
	require.NoError(t, os.RemoveAll(planted))
	w.Await(fsm.PhaseRunning, "a")
	w.single("a")
}

// TestStickyDirectoryAbove is like /tmp: others may write there, and cannot
// replace what is not theirs.
func TestStickyDirectoryAbove(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sticky := filepath.Join(w.Root, "sticky")
	require.NoError(t, os.Mkdir(sticky, 0o755))
	require.NoError(t, os.Chmod(sticky, 0o777|os.ModeSticky))
	for _, dir := range []*string{&w.Config.ScanDir, &w.Config.ServicesDir, &w.Config.LogsDir} {
		*dir = filepath.Join(sticky, filepath.Base(*dir))
	}
	w.Open()
	w.manage()
	w.run(map[string]*s6.Spec{"a": w.probe("a")})
	w.single("a")
	w.Leave()
	require.NoError(t, os.Chown(w.Config.LogsDir, nobodys, nobodys))
	_, err := s6.Attach(w.Config)
	assert.ErrorContains(t, err, w.Config.LogsDir+" belongs to user 65534, who may replace it in "+sticky)
	require.NoError(t, os.Chown(w.Config.LogsDir, 0, 0))
}
