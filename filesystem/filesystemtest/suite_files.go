package filesystemtest

import (
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// onePath are the operations on one name that has to be there.
func onePath(d dir) map[string]func(name string) error {
	return map[string]func(name string) error{
		"ReadFile":  func(name string) error { _, err := d.ReadFile(name); return err },
		"ReadRange": func(name string) error { _, err := d.ReadRange(name, make([]byte, 1), 0); return err },
		"Open":      func(name string) error { _, err := d.Open(name); return err },
		"Remove":    d.Remove,
		"Stat":      func(name string) error { _, err := d.Stat(name); return err },
		"Lstat":     func(name string) error { _, err := d.Lstat(name); return err },
		"ReadDir":   func(name string) error { _, err := d.ReadDir(name); return err },
	}
}

// makers are the operations that make something under one name.
func makers(d dir) map[string]func(name string) error {
	return map[string]func(name string) error{
		"WriteFile":   func(name string) error { return d.WriteFile(name, nil, 0o600) },
		"ReplaceFile": func(name string) error { return d.ReplaceFile(name, nil, 0o600) },
		"Mkdir":       func(name string) error { return d.Mkdir(name, 0o700) },
	}
}

var nameChecks = []check{
	{"an empty name and one with a NUL are invalid", func(t *testing.T, d dir) {
		operations := onePath(d)
		for kind, run := range makers(d) {
			operations[kind] = run
		}
		operations["MkdirAll"] = func(name string) error { return d.MkdirAll(name, 0o700) }
		operations["RemoveAll"] = d.RemoveAll
		for _, name := range []string{"", d.at("a\x00b")} {
			for kind, run := range operations {
				t.Run(kind, func(t *testing.T) { assertPathError(t, run(name), fs.ErrInvalid, name) })
			}
			assert.ErrorIs(t, d.Rename(name, d.at("b")), fs.ErrInvalid)
			assert.ErrorIs(t, d.Rename(d.at("b"), name), fs.ErrInvalid)
		}
	}},
	{"what is missing does not exist", func(t *testing.T, d dir) {
		for kind, run := range onePath(d) {
			t.Run(kind, func(t *testing.T) {
				assertPathError(t, run(d.at("missing")), fs.ErrNotExist, d.at("missing"))
				assertPathError(t, run(d.at("missing/below")), fs.ErrNotExist, d.at("missing/below"))
			})
		}
	}},
	{"nothing is made in a directory that is missing", func(t *testing.T, d dir) {
		for kind, run := range makers(d) {
			t.Run(kind, func(t *testing.T) {
				assertPathError(t, run(d.at("missing/a")), fs.ErrNotExist, d.at("missing/a"))
			})
		}
		d.gone(t, "missing")
	}},
	{"a path through a file is an error", func(t *testing.T, d dir) {
		d.write(t, "file", "kept")
		for kind, run := range onePath(d) {
			t.Run(kind, func(t *testing.T) { assert.ErrorIs(t, run(d.at("file/a")), syscall.ENOTDIR) })
		}
		for kind, run := range makers(d) {
			t.Run(kind, func(t *testing.T) { assert.ErrorIs(t, run(d.at("file/a")), syscall.ENOTDIR) })
		}
		d.holds(t, "file", "kept")
	}},
	{"dots lead where they do everywhere", func(t *testing.T, d dir) {
		d.mkdir(t, "a/b")
		d.write(t, "a/file", "found")
		d.holds(t, "a/./b/../file", "found")
		d.holds(t, "a//file", "found")
	}},
	{"an entry cannot be changed by a name that ends in a dot", func(t *testing.T, d dir) {
		d.mkdir(t, "a/b")
		for _, name := range []string{d.at("a/."), d.at("a/b/.."), "/"} {
			assertPathError(t, d.Remove(name), fs.ErrInvalid, name)
			assertPathError(t, d.RemoveAll(name), fs.ErrInvalid, name)
			assertPathError(t, d.ReplaceFile(name, nil, 0o600), fs.ErrInvalid, name)
			assert.ErrorIs(t, d.Rename(name, d.at("c")), fs.ErrInvalid)
			assert.ErrorIs(t, d.Rename(d.at("a"), name), fs.ErrInvalid)
		}
		assert.Equal(t, "b", d.names(t, "a"))
	}},
}

var readChecks = []check{
	{"ReadFile returns the whole content", func(t *testing.T, d dir) {
		d.write(t, "empty", "")
		d.write(t, "large", strings.Repeat("0123456789", 10_000))
		d.holds(t, "empty", "")
		d.holds(t, "large", strings.Repeat("0123456789", 10_000))
	}},
	{"a directory cannot be read as a file", func(t *testing.T, d dir) {
		d.mkdir(t, "a")
		_, err := d.ReadFile(d.at("a"))
		assert.ErrorIs(t, err, syscall.EISDIR)
		_, err = d.ReadRange(d.at("a"), make([]byte, 1), 0)
		assert.ErrorIs(t, err, syscall.EISDIR)
		_, err = d.Open(d.at("a"))
		assert.ErrorIs(t, err, syscall.EISDIR)
	}},
	{"ReadRange reads what is asked for, and EOF says that it ended before", func(t *testing.T, d dir) {
		d.write(t, "a", "0123456789")
		for _, c := range []struct {
			size int
			off  int64
			want string
			err  error
		}{
			{4, 0, "0123", nil},
			{4, 6, "6789", nil},
			{0, 3, "", nil},
			{4, 7, "789", io.EOF},
			{1, 10, "", io.EOF},
			{1, 99, "", io.EOF},
		} {
			p := make([]byte, c.size)
			n, err := d.ReadRange(d.at("a"), p, c.off)
			assert.Equal(t, c.want, string(p[:n]), "%d bytes from %d", c.size, c.off)
			assert.Equal(t, c.err, err, "%d bytes from %d", c.size, c.off)
		}
		_, err := d.ReadRange(d.at("a"), make([]byte, 1), -1)
		assert.ErrorIs(t, err, fs.ErrInvalid)
	}},
	{"Stat describes size, mode and name, and stays as it was", func(t *testing.T, d dir) {
		d.write(t, "a", "four")
		before, err := d.Stat(d.at("a"))
		require.NoError(t, err)
		d.write(t, "a", "longer")
		require.NoError(t, d.Rename(d.at("a"), d.at("b")))
		assert.Equal(t, "a", before.Name())
		assert.EqualValues(t, 4, before.Size())
		assert.Equal(t, fs.FileMode(0o644), before.Mode())
		assert.False(t, before.IsDir())
		assert.False(t, before.ModTime().IsZero())
	}},
	{"SameFile knows a file by any name", func(t *testing.T, d dir) {
		d.write(t, "a", "same")
		d.write(t, "b", "same")
		a, err := d.Stat(d.at("a"))
		require.NoError(t, err)
		b, err := d.Stat(d.at("b"))
		require.NoError(t, err)
		require.NoError(t, d.Rename(d.at("a"), d.at("c")))
		c, err := d.Lstat(d.at("c"))
		require.NoError(t, err)
		assert.True(t, d.SameFile(a, c))
		assert.False(t, d.SameFile(a, b))
		assert.False(t, d.SameFile(b, c))
	}},
}

var writeChecks = []check{
	{"WriteFile creates with the permissions asked for", func(t *testing.T, d dir) {
		for _, perm := range []fs.FileMode{0o600, 0o644, 0o666, 0o755, 0o777, 0o400} {
			name := "a" + perm.String()
			require.NoError(t, d.WriteFile(d.at(name), []byte("text"), perm))
			assert.Equal(t, perm, d.mode(t, name))
			d.holds(t, name, "text")
		}
	}},
	{"WriteFile truncates and keeps permissions and identity", func(t *testing.T, d dir) {
		require.NoError(t, d.WriteFile(d.at("a"), []byte("longer"), 0o640))
		before, err := d.Stat(d.at("a"))
		require.NoError(t, err)
		require.NoError(t, d.WriteFile(d.at("a"), []byte("new"), 0o777))
		after, err := d.Stat(d.at("a"))
		require.NoError(t, err)
		d.holds(t, "a", "new")
		assert.Equal(t, fs.FileMode(0o640), after.Mode())
		assert.True(t, d.SameFile(before, after))
	}},
	{"WriteFile keeps no hold of the data", func(t *testing.T, d dir) {
		data := []byte("before")
		require.NoError(t, d.WriteFile(d.at("a"), data, 0o600))
		require.NoError(t, d.ReplaceFile(d.at("b"), data, 0o600))
		copy(data, "after!")
		d.holds(t, "a", "before")
		d.holds(t, "b", "before")
	}},
	{"a directory cannot be written", func(t *testing.T, d dir) {
		d.mkdir(t, "a")
		assert.ErrorIs(t, d.WriteFile(d.at("a"), nil, 0o600), syscall.EISDIR)
		assert.ErrorIs(t, d.WriteFile(d.at("b/"), nil, 0o600), syscall.EISDIR)
		assert.Equal(t, "a", d.names(t, ""))
	}},
}

var replaceChecks = []check{
	{"ReplaceFile sets content and permissions", func(t *testing.T, d dir) {
		require.NoError(t, d.ReplaceFile(d.at("a"), []byte("first"), 0o640))
		d.holds(t, "a", "first")
		assert.Equal(t, fs.FileMode(0o640), d.mode(t, "a"))
		require.NoError(t, d.ReplaceFile(d.at("a"), []byte("2nd"), 0o777))
		d.holds(t, "a", "2nd")
		assert.Equal(t, fs.FileMode(0o777), d.mode(t, "a"))
		assert.Equal(t, "a", d.names(t, ""))
	}},
	{"ReplaceFile makes a new file and leaves the old one to its readers", func(t *testing.T, d dir) {
		d.write(t, "a", "old")
		f := d.open(t, "a")
		require.NoError(t, d.ReplaceFile(d.at("a"), []byte("new"), 0o644))
		old, err := f.Stat()
		require.NoError(t, err)
		now, err := d.Stat(d.at("a"))
		require.NoError(t, err)
		assert.False(t, d.SameFile(old, now))
		assert.Equal(t, "old", readAll(t, f))
		d.holds(t, "a", "new")
	}},
	{"ReplaceFile that fails leaves no temporary file", func(t *testing.T, d dir) {
		d.mkdir(t, "a")
		d.write(t, "a/kept", "kept")
		assert.ErrorIs(t, d.ReplaceFile(d.at("a"), []byte("x"), 0o600), syscall.EISDIR)
		assert.ErrorIs(t, d.ReplaceFile(d.at("b/"), []byte("x"), 0o600), syscall.EISDIR)
		assert.Equal(t, "a", d.names(t, ""))
		d.holds(t, "a/kept", "kept")
	}},
}

var syncChecks = []check{
	{"SyncAll leaves all as it is", func(t *testing.T, d dir) {
		d.mkdir(t, "a")
		d.mkdir(t, "a/b")
		d.write(t, "a/b/c", "text")
		d.write(t, "a/d", "other")
		require.NoError(t, d.SyncAll(d.at("a")))
		require.NoError(t, d.SyncAll(d.at("a/d")))
		d.holds(t, "a/b/c", "text")
		d.holds(t, "a/d", "other")
		assertPathError(t, d.SyncAll(d.at("none")), fs.ErrNotExist, d.at("none"))
	}},
}

var openFileChecks = []check{
	{"ReadAt reads as io.ReaderAt says", func(t *testing.T, d dir) {
		d.write(t, "a", "0123456789")
		f := d.open(t, "a")
		p := make([]byte, 4)
		n, err := f.ReadAt(p, 3)
		assert.NoError(t, err)
		assert.Equal(t, "3456", string(p[:n]))
		n, err = f.ReadAt(p, 8)
		assert.Equal(t, io.EOF, err)
		assert.Equal(t, "89", string(p[:n]))
		_, err = f.ReadAt(p, -1)
		assert.Error(t, err)
	}},
	{"a file stays readable when it is renamed, replaced or removed", func(t *testing.T, d dir) {
		for name, change := range map[string]func() error{
			"renamed":         func() error { return d.Rename(d.at("a"), d.at("b")) },
			"renamed over":    func() error { d.write(t, "c", "other"); return d.Rename(d.at("c"), d.at("a")) },
			"replaced":        func() error { return d.ReplaceFile(d.at("a"), []byte("new"), 0o600) },
			"removed":         func() error { return d.Remove(d.at("a")) },
			"removed and new": func() error { _ = d.Remove(d.at("a")); return d.WriteFile(d.at("a"), []byte("new"), 0o600) },
		} {
			require.NoError(t, d.RemoveAll(d.at("a")))
			d.write(t, "a", "content of "+name)
			f := d.open(t, "a")
			before, err := f.Stat()
			require.NoError(t, err)
			require.NoError(t, change())
			after, err := f.Stat()
			require.NoError(t, err)
			assert.Equal(t, "content of "+name, readAll(t, f))
			assert.True(t, d.SameFile(before, after), name)
		}
	}},
	{"a reader of a rotated log reads it to its end and finds the new one", func(t *testing.T, d dir) {
		d.write(t, "current", "one\n")
		f := d.open(t, "current")
		require.NoError(t, d.Rename(d.at("current"), d.at("@1.s")))
		d.write(t, "current", "two\n")
		held, err := f.Stat()
		require.NoError(t, err)
		rotated, err := d.Stat(d.at("@1.s"))
		require.NoError(t, err)
		current, err := d.Stat(d.at("current"))
		require.NoError(t, err)
		assert.True(t, d.SameFile(held, rotated))
		assert.False(t, d.SameFile(held, current))
		assert.Equal(t, "one\n", readAll(t, f))
		d.holds(t, "current", "two\n")
	}},
	{"a reader sees what is written to its file", func(t *testing.T, d dir) {
		d.write(t, "a", "short")
		f := d.open(t, "a")
		d.write(t, "a", "and longer")
		assert.Equal(t, "and longer", readAll(t, f))
		info, err := f.Stat()
		require.NoError(t, err)
		assert.EqualValues(t, 10, info.Size())
		assert.Equal(t, "a", info.Name())
	}},
	{"a closed file says so", func(t *testing.T, d dir) {
		d.write(t, "a", "text")
		f, err := d.Open(d.at("a"))
		require.NoError(t, err)
		require.NoError(t, f.Close())
		_, err = f.ReadAt(make([]byte, 1), 0)
		assert.ErrorIs(t, err, os.ErrClosed)
		_, err = f.Stat()
		assert.ErrorIs(t, err, os.ErrClosed)
		assert.ErrorIs(t, f.Close(), os.ErrClosed)
	}},
}

func readAll(t *testing.T, f io.ReaderAt) string {
	t.Helper()
	content, err := io.ReadAll(io.NewSectionReader(f, 0, 1<<30))
	require.NoError(t, err)
	return string(content)
}
