package filesystemtest

import (
	"fmt"
	"io/fs"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var mkdirChecks = []check{
	{"Mkdir makes one directory with the permissions asked for", func(t *testing.T, d dir) {
		for _, perm := range []fs.FileMode{0o700, 0o755, 0o777, fs.ModeSticky | 0o733} {
			name := "a" + perm.String()
			require.NoError(t, d.Mkdir(d.at(name), perm))
			assert.Equal(t, fs.ModeDir|perm, d.mode(t, name))
			assert.Empty(t, d.names(t, name))
		}
	}},
	{"Mkdir refuses a name that is taken", func(t *testing.T, d dir) {
		d.mkdir(t, "dir")
		d.write(t, "file", "kept")
		for _, name := range []string{"dir", "dir/", "dir/.", "dir/..", "file"} {
			assertPathError(t, d.Mkdir(d.at(name), 0o700), fs.ErrExist, d.at(name))
		}
		d.holds(t, "file", "kept")
	}},
	{"MkdirAll makes the parents and leaves those that are there", func(t *testing.T, d dir) {
		require.NoError(t, d.Mkdir(d.at("a"), 0o700))
		require.NoError(t, d.MkdirAll(d.at("a/b/c/"), 0o777))
		require.NoError(t, d.MkdirAll(d.at("a/b/c"), 0o700))
		assert.Equal(t, fs.ModeDir|0o700, d.mode(t, "a"))
		assert.Equal(t, fs.ModeDir|0o777, d.mode(t, "a/b"))
		assert.Equal(t, fs.ModeDir|0o777, d.mode(t, "a/b/c"))
	}},
	{"MkdirAll refuses a file in its place or on its way", func(t *testing.T, d dir) {
		d.write(t, "file", "kept")
		assertPathError(t, d.MkdirAll(d.at("file"), 0o700), syscall.ENOTDIR, d.at("file"))
		assert.ErrorIs(t, d.MkdirAll(d.at("file/a/b"), 0o700), syscall.ENOTDIR)
		d.holds(t, "file", "kept")
	}},
}

var listChecks = []check{
	{"ReadDir lists in order, dot files too", func(t *testing.T, d dir) {
		for _, name := range []string{"b", "a", ".c", "B", "@1"} {
			d.write(t, name, name)
		}
		d.mkdir(t, "dir/below")
		assert.Equal(t, ".c @1 B a b dir", d.names(t, ""))
		entries, err := d.ReadDir(d.root)
		require.NoError(t, err)
		for _, entry := range entries {
			info, err := entry.Info()
			require.NoError(t, err)
			assert.Equal(t, entry.Name() == "dir", entry.IsDir())
			assert.Equal(t, d.mode(t, entry.Name()), info.Mode())
			assert.Equal(t, info.Mode().Type(), entry.Type())
		}
	}},
	{"ReadDir of an empty directory is empty", func(t *testing.T, d dir) {
		assert.Empty(t, d.names(t, ""))
	}},
	{"ReadDir refuses a file", func(t *testing.T, d dir) {
		d.write(t, "a", "")
		_, err := d.ReadDir(d.at("a"))
		assertPathError(t, err, syscall.ENOTDIR, d.at("a"))
	}},
}

var renameChecks = []check{
	{"a file goes over a file", func(t *testing.T, d dir) {
		d.write(t, "a", "from a")
		d.write(t, "b", "from b")
		require.NoError(t, d.Rename(d.at("a"), d.at("b")))
		d.holds(t, "b", "from a")
		assert.Equal(t, "b", d.names(t, ""))
	}},
	{"a directory takes its tree along", func(t *testing.T, d dir) {
		d.mkdir(t, "a/b/c")
		d.write(t, "a/b/c/file", "text")
		d.mkdir(t, "ab")
		d.mkdir(t, "x")
		require.NoError(t, d.Rename(d.at("a"), d.at("x/y")))
		d.holds(t, "x/y/b/c/file", "text")
		assert.Equal(t, "ab x", d.names(t, ""))
		assert.Equal(t, "b", d.names(t, "x/y"))
		d.gone(t, "a")
	}},
	{"a directory goes over an empty one and no other", func(t *testing.T, d dir) {
		d.mkdir(t, "a")
		d.write(t, "a/file", "text")
		d.mkdir(t, "empty")
		d.mkdir(t, "full/below")
		assertTaken(t, d.Rename(d.at("a"), d.at("full")))
		assert.Equal(t, "below", d.names(t, "full"))
		require.NoError(t, d.Rename(d.at("a"), d.at("empty")))
		assert.Equal(t, "empty full", d.names(t, ""))
		d.holds(t, "empty/file", "text")
	}},
	{"a file and a directory do not go over each other", func(t *testing.T, d dir) {
		d.mkdir(t, "dir")
		d.write(t, "file", "kept")
		assert.ErrorIs(t, d.Rename(d.at("file"), d.at("dir")), syscall.EISDIR)
		assert.ErrorIs(t, d.Rename(d.at("dir"), d.at("file")), syscall.ENOTDIR)
		d.holds(t, "file", "kept")
		assert.Empty(t, d.names(t, "dir"))
	}},
	{"a directory does not go into itself", func(t *testing.T, d dir) {
		d.mkdir(t, "a/b")
		assert.ErrorIs(t, d.Rename(d.at("a"), d.at("a/b/c")), fs.ErrInvalid)
		assertTaken(t, d.Rename(d.at("a/b"), d.at("a")))
		assert.Equal(t, "b", d.names(t, "a"))
	}},
	{"a name over itself changes nothing", func(t *testing.T, d dir) {
		d.write(t, "a", "kept")
		require.NoError(t, d.Rename(d.at("a"), d.at("a")))
		d.holds(t, "a", "kept")
	}},
	{"errors name both", func(t *testing.T, d dir) {
		err := d.Rename(d.at("missing"), d.at("b"))
		var linkError *os.LinkError
		require.ErrorAs(t, err, &linkError)
		assert.Equal(t, d.at("missing"), linkError.Old)
		assert.Equal(t, d.at("b"), linkError.New)
		assert.ErrorIs(t, err, fs.ErrNotExist)
		d.write(t, "a", "kept")
		assert.ErrorIs(t, d.Rename(d.at("a"), d.at("missing/a")), fs.ErrNotExist)
		assert.ErrorIs(t, d.Rename(d.at("a"), d.at("b/")), syscall.ENOTDIR)
		d.holds(t, "a", "kept")
	}},
}

var removeChecks = []check{
	{"Remove removes a file and an empty directory", func(t *testing.T, d dir) {
		d.write(t, "a", "")
		d.mkdir(t, "b")
		require.NoError(t, d.Remove(d.at("a")))
		require.NoError(t, d.Remove(d.at("b")))
		assert.Empty(t, d.names(t, ""))
	}},
	{"Remove refuses a directory that is not empty", func(t *testing.T, d dir) {
		d.write(t, "file", "")
		d.mkdir(t, "a/b")
		assertTaken(t, d.Remove(d.at("a")))
		assert.Equal(t, "b", d.names(t, "a"))
	}},
	{"RemoveAll removes a tree and nothing beside it", func(t *testing.T, d dir) {
		d.mkdir(t, "a/b/c")
		d.write(t, "a/b/file", "")
		d.write(t, "ab", "kept")
		require.NoError(t, d.RemoveAll(d.at("a")))
		assert.Equal(t, "ab", d.names(t, ""))
		d.mkdir(t, "a")
		assert.Empty(t, d.names(t, "a"))
		require.NoError(t, d.RemoveAll(d.at("ab")))
		d.gone(t, "ab")
	}},
	{"RemoveAll of what is missing is no error", func(t *testing.T, d dir) {
		assert.NoError(t, d.RemoveAll(d.at("a")))
		assert.NoError(t, d.RemoveAll(d.at("a/b")))
	}},
}

var concurrentChecks = []check{
	{"readers see the old content or the new", func(t *testing.T, d dir) {
		contents := []string{strings.Repeat("a", 5000), strings.Repeat("b", 9000)}
		d.write(t, "a", contents[0])
		var writer, readers sync.WaitGroup
		done := make(chan struct{})
		writer.Go(func() {
			for i := range 50 {
				assert.NoError(t, d.ReplaceFile(d.at("a"), []byte(contents[i%2]), 0o600))
			}
		})
		for range 4 {
			readers.Go(func() {
				for {
					got, err := d.ReadFile(d.at("a"))
					assert.NoError(t, err)
					assert.Contains(t, contents, string(got))
					select {
					case <-done:
						return
					default:
					}
				}
			})
		}
		writer.Wait()
		close(done)
		readers.Wait()
		assert.Equal(t, "a", d.names(t, ""))
	}},
	{"every method may be called at once with all others", func(t *testing.T, d dir) {
		d.write(t, "shared", "0123456789")
		f := d.open(t, "shared")
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				own := fmt.Sprintf("tree/%d", i)
				assert.NoError(t, d.MkdirAll(d.at(own+"/a/b"), 0o755))
				assert.NoError(t, d.WriteFile(d.at(own+"/a/file"), []byte(own), 0o644))
				assert.NoError(t, d.WriteFile(d.at("shared"), []byte("0123456789"), 0o644))
				_, err := d.ReadDir(d.at("tree"))
				assert.NoError(t, err)
				assert.NoError(t, d.Rename(d.at(own+"/a"), d.at(own+"/c")))
				got, err := d.ReadFile(d.at(own + "/c/file"))
				assert.NoError(t, err)
				assert.Equal(t, own, string(got))
				_, _ = f.ReadAt(make([]byte, 10), 0)
				_, err = f.Stat()
				assert.NoError(t, err)
				assert.NoError(t, d.ReplaceFile(d.at(own+"/replaced"), nil, 0o600))
				assert.NoError(t, d.RemoveAll(d.at(own)))
			})
		}
		all.Wait()
		assert.Empty(t, d.names(t, "tree"))
	}},
	{"one of many Mkdirs wins", func(t *testing.T, d dir) {
		var all sync.WaitGroup
		errs := make([]error, 8)
		for i := range errs {
			all.Go(func() { errs[i] = d.Mkdir(d.at("a"), 0o700) })
		}
		all.Wait()
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
				continue
			}
			assert.ErrorIs(t, err, fs.ErrExist)
		}
		assert.Equal(t, 1, won)
	}},
}
