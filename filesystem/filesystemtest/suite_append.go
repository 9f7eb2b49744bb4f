package filesystemtest

import (
	"io/fs"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/filesystem"
)

// add appends to a file.
func (d dir) add(name, content string, perm fs.FileMode) error {
	return d.FS.(filesystem.Appender).AppendFile(name, []byte(content), perm)
}

var appendChecks = []check{
	{"AppendFile creates with the permissions asked for", func(t *testing.T, d dir) {
		for _, perm := range []fs.FileMode{0o600, 0o644, 0o666} {
			name := "a" + perm.String()
			require.NoError(t, d.add(d.at(name), "text", perm))
			assert.Equal(t, perm, d.mode(t, name))
			d.holds(t, name, "text")
		}
	}},
	{"AppendFile adds, and keeps what is there, permissions and identity", func(t *testing.T, d dir) {
		require.NoError(t, d.WriteFile(d.at("a"), []byte("one "), 0o640))
		before, err := d.Stat(d.at("a"))
		require.NoError(t, err)
		open := d.open(t, "a")
		require.NoError(t, d.add(d.at("a"), "two ", 0o777))
		require.NoError(t, d.add(d.at("a"), "", 0o777))
		require.NoError(t, d.add(d.at("a"), "three", 0o777))
		d.holds(t, "a", "one two three")
		read := make([]byte, len("two"))
		_, err = open.ReadAt(read, int64(len("one ")))
		require.NoError(t, err)
		assert.Equal(t, "two", string(read), "who has it open can read it")
		after, err := d.Stat(d.at("a"))
		require.NoError(t, err)
		assert.Equal(t, fs.FileMode(0o640), after.Mode())
		assert.True(t, d.SameFile(before, after))
	}},
	{"AppendFile refuses what is no file", func(t *testing.T, d dir) {
		d.mkdir(t, "a")
		d.write(t, "file", "kept")
		assertPathError(t, d.add(d.at("a"), "text", 0o600), syscall.EISDIR, d.at("a"))
		assertPathError(t, d.add(d.at("b/"), "text", 0o600), syscall.EISDIR, d.at("b/"))
		assertPathError(t, d.add(d.at("missing/a"), "text", 0o600), fs.ErrNotExist, d.at("missing/a"))
		assertPathError(t, d.add(d.at("file/a"), "text", 0o600), syscall.ENOTDIR, d.at("file/a"))
		assertPathError(t, d.add("", "text", 0o600), fs.ErrInvalid, "")
		assert.Equal(t, "a file", d.names(t, ""))
		d.holds(t, "file", "kept")
	}},
	{"what is appended at once is whole", func(t *testing.T, d dir) {
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				for range 10 {
					assert.NoError(t, d.add(d.at("a"), "a line\n", 0o600))
				}
			})
		}
		all.Wait()
		d.holds(t, "a", strings.Repeat("a line\n", 40))
	}},
}

var appendLinkChecks = []check{
	{"AppendFile does not follow a link in the last element", func(t *testing.T, d dir) {
		d.mkdir(t, "dir")
		d.write(t, "target", "kept")
		d.link(t, "target", "link")
		d.link(t, "missing", "dangling")
		d.link(t, "dir", "d")
		assertPathError(t, d.add(d.at("link"), "text", 0o600), syscall.ELOOP, d.at("link"))
		assertPathError(t, d.add(d.at("dangling"), "text", 0o600), syscall.ELOOP, d.at("dangling"))
		d.gone(t, "missing")
		require.NoError(t, d.add(d.at("d/file"), "text", 0o600))
		d.holds(t, "dir/file", "text")
		d.holds(t, "target", "kept")
	}},
}
