package filesystemtest

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var linkChecks = []check{
	{"Readlink returns the target as it was written", func(t *testing.T, d dir) {
		for i, target := range []string{"a", "../x/./y/", "/absolute//path", "dangling"} {
			name := fmt.Sprint("link", i)
			d.link(t, target, name)
			got, err := d.Readlink(d.at(name))
			require.NoError(t, err)
			assert.Equal(t, target, got)
		}
	}},
	{"Readlink of what is no link is invalid", func(t *testing.T, d dir) {
		d.write(t, "file", "")
		for _, name := range []string{d.at("file"), d.root, ""} {
			_, err := d.Readlink(name)
			assertPathError(t, err, fs.ErrInvalid, name)
		}
		_, err := d.Readlink(d.at("missing"))
		assertPathError(t, err, fs.ErrNotExist, d.at("missing"))
	}},
	{"Symlink refuses a name that is taken, a missing directory, an empty name", func(t *testing.T, d dir) {
		d.write(t, "file", "kept")
		d.link(t, "nowhere", "dangling")
		for name, want := range map[string]error{
			d.at("file"): fs.ErrExist, d.at("dangling"): fs.ErrExist, d.root: fs.ErrExist,
			d.at("missing/a"): fs.ErrNotExist, d.at("file/a"): syscall.ENOTDIR, "": fs.ErrInvalid,
		} {
			err := d.Symlink("target", name)
			var linkError *os.LinkError
			require.ErrorAs(t, err, &linkError)
			assert.Equal(t, []string{"target", name}, []string{linkError.Old, linkError.New})
			assert.ErrorIs(t, err, want)
		}
		assert.ErrorIs(t, d.Symlink("", d.at("b")), fs.ErrInvalid)
		d.holds(t, "file", "kept")
	}},
	{"links are followed in every element", func(t *testing.T, d dir) {
		d.mkdir(t, "a/b")
		d.write(t, "a/b/file", "found")
		d.write(t, "a/up", "up")
		d.link(t, "a", "relative")
		d.link(t, d.at("a"), "absolute")
		d.link(t, "../relative/b", "a/through")
		d.link(t, "through/file", "a/last")
		for _, name := range []string{"relative/b/file", "absolute/b/file", "a/through/file", "a/last",
			"relative/through/../b/file", "absolute/last"} {
			d.holds(t, name, "found")
		}
		d.holds(t, "a/through/../up", "up")
		assert.Equal(t, "b last through up", d.names(t, "relative"))
		assert.Equal(t, "b last through up", d.names(t, "absolute/"))
		info, err := d.Stat(d.at("relative"))
		require.NoError(t, err)
		assert.True(t, info.IsDir())
		assert.Equal(t, "relative", info.Name())
	}},
	{"Lstat and ReadDir show a link as a link", func(t *testing.T, d dir) {
		d.mkdir(t, "a")
		d.link(t, "a", "link")
		assert.Equal(t, fs.ModeSymlink, d.mode(t, "link").Type())
		entries, err := d.ReadDir(d.root)
		require.NoError(t, err)
		require.Len(t, entries, 2)
		info, err := entries[1].Info()
		require.NoError(t, err)
		assert.Equal(t, fs.ModeSymlink, entries[1].Type())
		assert.Equal(t, fs.ModeSymlink, info.Mode().Type())
		assert.False(t, entries[1].IsDir())
	}},
	{"a dangling link does not exist, and nothing is made through it", func(t *testing.T, d dir) {
		d.link(t, "target", "link")
		_, err := d.Stat(d.at("link"))
		assert.ErrorIs(t, err, fs.ErrNotExist)
		_, err = d.Lstat(d.at("link"))
		assert.NoError(t, err)
		assert.ErrorIs(t, d.Mkdir(d.at("link"), 0o700), fs.ErrExist)
		assert.ErrorIs(t, d.MkdirAll(d.at("link"), 0o700), fs.ErrExist)
		assertPathError(t, d.WriteFile(d.at("link"), []byte("text"), 0o666), syscall.ELOOP, d.at("link"))
		_, err = d.Lstat(d.at("target"))
		assert.ErrorIs(t, err, fs.ErrNotExist)
		assert.Equal(t, fs.ModeSymlink, d.mode(t, "link").Type())
	}},
	{"Open and MkdirAll act on the target, WriteFile in a directory that is one", func(t *testing.T, d dir) {
		d.mkdir(t, "dir")
		d.write(t, "dir/file", "old")
		d.link(t, "dir/file", "file")
		d.link(t, "dir", "d")
		assertPathError(t, d.WriteFile(d.at("file"), []byte("new"), 0o600), syscall.ELOOP, d.at("file"))
		d.holds(t, "dir/file", "old")
		require.NoError(t, d.WriteFile(d.at("d/file"), []byte("new"), 0o600))
		require.NoError(t, d.MkdirAll(d.at("d/x/y"), 0o700))
		require.NoError(t, d.MkdirAll(d.at("d"), 0o700))
		d.holds(t, "dir/file", "new")
		assert.Equal(t, fs.FileMode(0o644), d.mode(t, "dir/file"))
		assert.Equal(t, "file x", d.names(t, "dir"))
		assert.Equal(t, "new", readAll(t, d.open(t, "file")))
	}},
	{"forty links are followed, and no loop", func(t *testing.T, d dir) {
		d.write(t, "0", "end")
		for i := range 41 {
			d.link(t, fmt.Sprint(i), fmt.Sprint(i+1))
		}
		d.holds(t, "40", "end")
		_, err := d.ReadFile(d.at("41"))
		assert.ErrorIs(t, err, syscall.ELOOP)
		d.link(t, "loop", "loop")
		for kind, run := range onePath(d) {
			if kind == "Lstat" || kind == "Remove" {
				continue
			}
			assertPathError(t, run(d.at("loop")), syscall.ELOOP, d.at("loop"))
		}
		assert.ErrorIs(t, d.WriteFile(d.at("loop"), nil, 0o600), syscall.ELOOP)
		assert.NoError(t, d.Remove(d.at("loop")))
	}},
	{"ReplaceFile replaces a link", func(t *testing.T, d dir) {
		d.write(t, "target", "kept")
		d.link(t, "target", "link")
		require.NoError(t, d.ReplaceFile(d.at("link"), []byte("new"), 0o640))
		assert.Equal(t, fs.FileMode(0o640), d.mode(t, "link"))
		d.holds(t, "link", "new")
		d.holds(t, "target", "kept")
	}},
	{"Rename moves a link and goes over one", func(t *testing.T, d dir) {
		d.mkdir(t, "one")
		d.mkdir(t, "two")
		d.link(t, "one", "current")
		d.link(t, "two", "next")
		require.NoError(t, d.Rename(d.at("next"), d.at("current")))
		target, err := d.Readlink(d.at("current"))
		require.NoError(t, err)
		assert.Equal(t, "two", target)
		assert.Equal(t, "current one two", d.names(t, ""))
		d.write(t, "file", "text")
		require.NoError(t, d.Rename(d.at("file"), d.at("current")))
		assert.Empty(t, d.names(t, "two"))
		d.holds(t, "current", "text")
	}},
	{"Rename of a directory takes links along as they are", func(t *testing.T, d dir) {
		d.mkdir(t, "a/in")
		d.write(t, "a/in/file", "text")
		d.link(t, "in", "a/relative")
		d.link(t, d.at("a/in"), "a/absolute")
		require.NoError(t, d.Rename(d.at("a"), d.at("b")))
		d.holds(t, "b/relative/file", "text")
		_, err := d.Stat(d.at("b/absolute"))
		assert.ErrorIs(t, err, fs.ErrNotExist)
	}},
	{"Remove and RemoveAll remove the link and not its target", func(t *testing.T, d dir) {
		d.mkdir(t, "kept")
		d.write(t, "kept/file", "text")
		d.mkdir(t, "tree")
		d.link(t, "kept", "one")
		d.link(t, "kept", "two")
		d.link(t, "../kept", "tree/three")
		require.NoError(t, d.Remove(d.at("one")))
		require.NoError(t, d.RemoveAll(d.at("two")))
		require.NoError(t, d.RemoveAll(d.at("tree")))
		assert.Equal(t, "kept", d.names(t, ""))
		d.holds(t, "kept/file", "text")
	}},
	{"SameFile tells a link from its target", func(t *testing.T, d dir) {
		d.write(t, "a", "")
		d.link(t, "a", "link")
		file, err := d.Stat(d.at("a"))
		require.NoError(t, err)
		followed, err := d.Stat(d.at("link"))
		require.NoError(t, err)
		link, err := d.Lstat(d.at("link"))
		require.NoError(t, err)
		assert.True(t, d.SameFile(file, followed))
		assert.False(t, d.SameFile(file, link))
	}},
}

// noLinkChecks stand in for linkChecks where links are not supported.
var noLinkChecks = []check{
	{"Symlink is unsupported and leaves nothing", func(t *testing.T, d dir) {
		d.write(t, "file", "kept")
		for _, target := range []string{"file", "missing", d.at("file"), ""} {
			for _, name := range []string{"a", "file", "missing/a"} {
				err := d.Symlink(target, d.at(name))
				if target != "" && name == "a" {
					assert.ErrorIs(t, err, errors.ErrUnsupported)
				}
				var linkError *os.LinkError
				assert.ErrorAs(t, err, &linkError)
			}
		}
		assert.Equal(t, "file", d.names(t, ""))
		d.holds(t, "file", "kept")
	}},
	{"Readlink is unsupported or finds no link", func(t *testing.T, d dir) {
		d.write(t, "file", "")
		_, err := d.Readlink(d.at("file"))
		var pathError *fs.PathError
		require.ErrorAs(t, err, &pathError)
		assert.True(t, errors.Is(err, errors.ErrUnsupported) || errors.Is(err, fs.ErrInvalid), "%v", err)
	}},
}
