package runner

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// watched watches a path until the test ends, and returns what waits for a change.
func watched(t *testing.T, path string) (await func(what string)) {
	changes := make(chan struct{}, 1)
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	Watch(ctx, []string{path}, func() []string { return nil }, func() {
		select {
		case changes <- struct{}{}:
		default:
		}
	})
	return func(what string) {
		t.Helper()
		select {
		case <-changes:
		case <-time.After(time.Minute):
			require.Fail(t, "it was not seen", what)
		}
		// Whatever else comes of the same change comes at once.
		for quiet := false; !quiet; {
			select {
			case <-changes:
			case <-time.After(100 * time.Millisecond):
				quiet = true
			}
		}
	}
}

// TestEveryChangeOfAFileIsSeen, however it is made.
func TestEveryChangeOfAFileIsSeen(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "etc")
	file := filepath.Join(dir, "f.yaml")
	await := watched(t, file) // the directory is not there yet
	require.NoError(t, os.Mkdir(dir, 0o755))
	require.NoError(t, os.WriteFile(file, []byte("a"), 0o600))
	await("a new file")
	require.NoError(t, os.WriteFile(file, []byte("b"), 0o600))
	await("a file that is written")
	require.NoError(t, os.WriteFile(file+"~", []byte("c"), 0o600))
	await("a file beside it")
	require.NoError(t, os.Rename(file+"~", file))
	await("a file that is renamed over it")
	require.NoError(t, os.WriteFile(file, []byte("d"), 0o600))
	await("the new file that is written")
	require.NoError(t, os.Remove(file))
	await("a file that is removed")
	require.NoError(t, os.Rename(dir, dir+"-away"))
	await("a directory that is moved away")
	require.NoError(t, os.Mkdir(dir, 0o755))
	require.NoError(t, os.WriteFile(file, []byte("e"), 0o600))
	await("a file in another directory in its place")
}

// TestConfigMapIsSeen: its files are links through a link that is swapped.
func TestConfigMapIsSeen(t *testing.T) {
	dir := t.TempDir()
	version := func(name, text string) {
		require.NoError(t, os.Mkdir(filepath.Join(dir, name), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name, "f.yaml"), []byte(text), 0o600))
	}
	version("..1", "a")
	require.NoError(t, os.Symlink("..1", filepath.Join(dir, "..data")))
	require.NoError(t, os.Symlink("..data/f.yaml", filepath.Join(dir, "f.yaml")))
	for name, path := range map[string]string{"the directory": dir, "the file": filepath.Join(dir, "f.yaml")} {
		await := watched(t, path)
		next := "..2-" + filepath.Base(path)
		version(next, "b")
		require.NoError(t, os.Symlink(next, filepath.Join(dir, "..data_tmp")))
		await("what comes before")
		require.NoError(t, os.Rename(filepath.Join(dir, "..data_tmp"), filepath.Join(dir, "..data")))
		await("the swap, by " + name)
	}
}

// TestFileElsewhereIsSeen: no event tells of it where it is named.
func TestFileElsewhereIsSeen(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(other, "f.yaml"), []byte("a"), 0o600))
	require.NoError(t, os.Symlink(filepath.Join(other, "f.yaml"), filepath.Join(dir, "f.yaml")))
	require.NoError(t, os.Symlink(other, filepath.Join(dir, "link")))
	for _, path := range []string{filepath.Join(dir, "f.yaml"), filepath.Join(dir, "link"), filepath.Join(dir, "link", "f.yaml")} {
		await := watched(t, path)
		require.NoError(t, os.WriteFile(filepath.Join(other, "f.yaml"), []byte("b of "+path), 0o600))
		await("a file elsewhere, by " + path)
	}
	await := watched(t, filepath.Join(dir, "link"))
	third := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(third, "f.yaml"), []byte("c"), 0o600))
	require.NoError(t, os.Symlink(third, filepath.Join(dir, "new")))
	require.NoError(t, os.Rename(filepath.Join(dir, "new"), filepath.Join(dir, "link")))
	await("a link that is swapped")
	require.NoError(t, os.WriteFile(filepath.Join(third, "f.yaml"), []byte("d, after the swap"), 0o600))
	await("a file behind the new link")
}

// TestFileThatIsBeingWritten is known to be.
func TestFileThatIsBeingWritten(t *testing.T) {
	file := filepath.Join(t.TempDir(), "f.yaml")
	is := func(want, wantKnown bool, why string) {
		t.Helper()
		writing, known := beingWritten(file)
		assert.Equal(t, wantKnown, known, why)
		assert.Equal(t, want, writing, why)
	}
	is(false, false, "it is not there")
	f, err := os.Create(file)
	require.NoError(t, err)
	is(true, true, "it is open")
	require.NoError(t, f.Close())
	is(false, true, "it was closed")
	r, err := os.Open(file)
	require.NoError(t, err)
	defer r.Close()
	is(false, true, "a reader writes nothing")
}
