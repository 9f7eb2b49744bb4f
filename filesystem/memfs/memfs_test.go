package memfs_test

import (
	"fmt"
	"io"
	"io/fs"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/filesystem"
	"github.com/evenkeel/evenkeel/filesystem/memfs"
)

func TestFSAppend(t *testing.T) {
	fsys := memfs.New()
	require.NoError(t, fsys.Append("/current", []byte("one\n")))
	info, err := fsys.Stat("/current")
	require.NoError(t, err)
	assert.Equal(t, fs.FileMode(0o644), info.Mode())

	f, err := fsys.Open("/current")
	require.NoError(t, err)
	defer f.Close()
	require.NoError(t, fsys.Append("/current", []byte("two\n")))
	assert.Equal(t, "one\ntwo\n", all(t, f))

	require.NoError(t, fsys.Rename("/current", "/@1.s"))
	require.NoError(t, fsys.Append("/current", []byte("three\n")))
	require.NoError(t, fsys.Append("/@1.s", []byte("late\n")))
	assert.Equal(t, "one\ntwo\nlate\n", all(t, f))
	held, err := f.Stat()
	require.NoError(t, err)
	assert.True(t, fsys.SameFile(info, held))
	now, err := fsys.Stat("/current")
	require.NoError(t, err)
	assert.False(t, fsys.SameFile(held, now))

	require.NoError(t, fsys.Mkdir("/dir", 0o700))
	require.NoError(t, fsys.Symlink("@1.s", "/link"))
	assert.ErrorIs(t, fsys.Append("/dir", nil), syscall.EISDIR)
	assert.ErrorIs(t, fsys.Append("/missing/a", nil), fs.ErrNotExist)
	assert.ErrorIs(t, fsys.Append("/current/a", nil), syscall.ENOTDIR)
	assert.ErrorIs(t, fsys.Append("", nil), fs.ErrInvalid)
	require.NoError(t, fsys.Append("/link", []byte("through\n")))
	assert.Equal(t, "one\ntwo\nlate\nthrough\n", all(t, f))
}

func TestFSAppendsOfManyAreWhole(t *testing.T) {
	fsys := memfs.New()
	var writers sync.WaitGroup
	for i := range 8 {
		writers.Go(func() {
			for range 50 {
				assert.NoError(t, fsys.Append("/log", []byte(strings.Repeat(fmt.Sprint(i), 9)+"\n")))
			}
		})
	}
	writers.Wait()
	content, err := fsys.ReadFile("/log")
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSpace(string(content)), "\n")
	assert.Len(t, lines, 400)
	for _, line := range lines {
		assert.Equal(t, strings.Repeat(line[:1], 9), line)
	}
}

func TestFSTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := memfs.New()
		modified := func(name string) time.Time {
			info, err := fsys.Lstat(name)
			require.NoError(t, err)
			return info.ModTime()
		}
		require.NoError(t, fsys.MkdirAll("/a/b", 0o700))
		require.NoError(t, fsys.WriteFile("/a/file", nil, 0o600))
		start := time.Now()
		for _, c := range []struct {
			kind    string
			change  func() error
			touched []string
		}{
			{"append", func() error { return fsys.Append("/a/file", []byte("x")) }, []string{"/a/file"}},
			{"write", func() error { return fsys.WriteFile("/a/file", nil, 0o600) }, []string{"/a/file"}},
			{"create", func() error { return fsys.WriteFile("/a/new", nil, 0o600) }, []string{"/a", "/a/new"}},
			{"replace", func() error { return fsys.ReplaceFile("/a/new", nil, 0o600) }, []string{"/a", "/a/new"}},
			{"mkdir", func() error { return fsys.Mkdir("/a/c", 0o600) }, []string{"/a", "/a/c"}},
			{"symlink", func() error { return fsys.Symlink("b", "/a/link") }, []string{"/a", "/a/link"}},
			{"rename", func() error { return fsys.Rename("/a/new", "/a/b/new") }, []string{"/a", "/a/b"}},
			{"remove", func() error { return fsys.Remove("/a/b/new") }, []string{"/a/b"}},
			{"remove all", func() error { return fsys.RemoveAll("/a/c") }, []string{"/a"}},
		} {
			time.Sleep(time.Hour)
			require.NoError(t, c.change(), c.kind)
			for _, name := range c.touched {
				assert.Equal(t, time.Now(), modified(name), "%s: %s", c.kind, name)
			}
			assert.True(t, start.Equal(modified("/")), "%s: /", c.kind)
		}
	})
}

func TestFSClone(t *testing.T) {
	fsys := memfs.New()
	require.NoError(t, fsys.MkdirAll("/a/b", 0o750))
	require.NoError(t, fsys.WriteFile("/a/b/file", []byte("text"), 0o640))
	require.NoError(t, fsys.Symlink("b/file", "/a/link"))
	require.NoError(t, fsys.Symlink("b", "/a/dir"))
	before := tree(fsys, "/")
	original, err := fsys.Stat("/a/b/file")
	require.NoError(t, err)

	clone := fsys.Clone()
	assert.Equal(t, before, tree(clone, "/"))
	for _, name := range []string{"/", "/a", "/a/b", "/a/b/file", "/a/link"} {
		want, err := fsys.Lstat(name)
		require.NoError(t, err)
		got, err := clone.Lstat(name)
		require.NoError(t, err)
		assert.Equal(t, want.Mode(), got.Mode(), name)
		assert.True(t, want.ModTime().Equal(got.ModTime()), name)
		assert.False(t, clone.SameFile(want, got), name)
	}

	require.NoError(t, clone.WriteFile("/a/b/file", []byte("of the clone"), 0o600))
	require.NoError(t, clone.RemoveAll("/a/dir"))
	assert.Equal(t, before, tree(fsys, "/"))
	changed := tree(clone, "/")
	require.NoError(t, fsys.RemoveAll("/a"))
	assert.Equal(t, changed, tree(clone, "/"))
	assert.EqualValues(t, 4, original.Size())
}

func TestFSOnChange(t *testing.T) {
	fsys := memfs.New()
	require.NoError(t, fsys.MkdirAll("/a/b", 0o700))
	require.NoError(t, fsys.Symlink("a", "/link"))
	var told []memfs.Change
	fsys.OnChange(func(c memfs.Change) { told = append(told, c) })
	for kind, c := range map[string]struct {
		change func() error
		want   []memfs.Change
	}{
		"a file is made":       {func() error { return fsys.WriteFile("/a/1", nil, 0o600) }, []memfs.Change{{Dir: "/a", Name: "1"}}},
		"and through a link":   {func() error { return fsys.ReplaceFile("/link/2", nil, 0o600) }, []memfs.Change{{Dir: "/a", Name: "2"}}},
		"a directory is made":  {func() error { return fsys.Mkdir("/c", 0o700) }, []memfs.Change{{Dir: "/", Name: "c"}}},
		"a link is made":       {func() error { return fsys.Symlink("b", "/a/b/3") }, []memfs.Change{{Dir: "/a/b", Name: "3"}}},
		"what is not there":    {func() error { return fsys.RemoveAll("/4") }, nil},
		"what cannot be moved": {func() error { assert.Error(t, fsys.Rename("/5", "/6")); return nil }, nil},
	} {
		told = nil
		require.NoError(t, c.change(), kind)
		assert.Equal(t, c.want, told, kind)
	}
	told = nil
	require.NoError(t, fsys.WriteFile("/a/1", []byte("x"), 0o600))
	require.NoError(t, fsys.AppendFile("/a/1", []byte("x"), 0o600))
	require.NoError(t, fsys.Rename("/a/1", "/c/1"))
	require.NoError(t, fsys.Remove("/c/1"))
	require.NoError(t, fsys.RemoveAll("/a"))
	assert.Equal(t, []memfs.Change{
		{Dir: "/a", Name: "1"}, {Dir: "/a", Name: "1"},
		{Dir: "/c", Name: "1"}, {Dir: "/a", Name: "1", Gone: true},
		{Dir: "/c", Name: "1", Gone: true}, {Dir: "/", Name: "a", Gone: true},
	}, told)
	told = nil
	require.NoError(t, fsys.Clone().WriteFile("/7", nil, 0o600))
	fsys.OnChange(nil)
	require.NoError(t, fsys.WriteFile("/8", nil, 0o600))
	assert.Empty(t, told)
}

func all(t *testing.T, f filesystem.File) string {
	t.Helper()
	content, err := io.ReadAll(io.NewSectionReader(f, 0, 1<<30))
	require.NoError(t, err)
	return string(content)
}
