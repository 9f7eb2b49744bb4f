package filesystemtest

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/filesystem"
)

// TestFS checks, in a subtest for each line of it, that a filesystem keeps
// the contract of [filesystem.FS]. Each subtest calls open for a filesystem
// and an empty directory in it, named by an absolute path without links.
//
// One that is a [filesystem.Appender] keeps the contract of that, too.
//
// A filesystem whose Symlink fails with errors.ErrUnsupported has to say so
// every time, leave nothing behind, and know no links. It keeps the rest of the
// contract. Permissions are checked as they are described, not as they are
// enforced.
func TestFS(t *testing.T, open func(t *testing.T) (fsys filesystem.FS, root string)) {
	probe, root := open(t)
	err := probe.Symlink("target", path.Join(root, "link"))
	links := !errors.Is(err, errors.ErrUnsupported)
	groups := map[string][]check{
		"names":      nameChecks,
		"read":       readChecks,
		"write":      writeChecks,
		"replace":    replaceChecks,
		"sync":       syncChecks,
		"mkdir":      mkdirChecks,
		"list":       listChecks,
		"rename":     renameChecks,
		"remove":     removeChecks,
		"open file":  openFileChecks,
		"concurrent": concurrentChecks,
		"links":      linkChecks,
	}
	if !links {
		groups["links"] = noLinkChecks
	}
	if _, can := probe.(filesystem.Appender); can {
		groups["append"] = appendChecks
		if links {
			groups["append"] = slices.Concat(appendChecks, appendLinkChecks)
		}
	}
	for group, checks := range groups {
		t.Run(group, func(t *testing.T) {
			for _, c := range checks {
				t.Run(c.contract, func(t *testing.T) {
					fsys, root := open(t)
					c.run(t, dir{FS: fsys, root: root})
				})
			}
		})
	}
}

// check is one line of the contract.
type check struct {
	contract string
	run      func(t *testing.T, d dir)
}

// dir is a filesystem with a directory to work in.
type dir struct {
	filesystem.FS
	root string
}

// at returns the full name of one in the directory.
func (d dir) at(name string) string { return d.root + "/" + name }

// write makes a file.
func (d dir) write(t *testing.T, name, content string) {
	t.Helper()
	require.NoError(t, d.WriteFile(d.at(name), []byte(content), 0o644))
}

// mkdir makes a directory and its parents.
func (d dir) mkdir(t *testing.T, name string) {
	t.Helper()
	require.NoError(t, d.MkdirAll(d.at(name), 0o755))
}

// link makes a symbolic link.
func (d dir) link(t *testing.T, target, name string) {
	t.Helper()
	require.NoError(t, d.Symlink(target, d.at(name)))
}

// open opens a file and has it closed when the test ends.
func (d dir) open(t *testing.T, name string) filesystem.File {
	t.Helper()
	f, err := d.Open(d.at(name))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, f.Close()) })
	return f
}

// holds checks the content of a file.
func (d dir) holds(t *testing.T, name, content string) {
	t.Helper()
	got, err := d.ReadFile(d.at(name))
	if assert.NoError(t, err) {
		assert.Equal(t, content, string(got), name)
	}
}

// gone checks that nothing has that name.
func (d dir) gone(t *testing.T, name string) {
	t.Helper()
	_, err := d.Lstat(d.at(name))
	assert.ErrorIs(t, err, fs.ErrNotExist, name)
}

// mode returns the mode of the entry itself.
func (d dir) mode(t *testing.T, name string) fs.FileMode {
	t.Helper()
	info, err := d.Lstat(d.at(name))
	require.NoError(t, err)
	return info.Mode()
}

// names lists a directory.
func (d dir) names(t *testing.T, name string) string {
	t.Helper()
	entries, err := d.ReadDir(path.Join(d.root, name))
	require.NoError(t, err)
	names := make([]string, 0, len(entries))
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	assert.True(t, slices.IsSorted(names), "%v is not sorted", names)
	return strings.Join(names, " ")
}

// assertPathError checks an error and how it is wrapped.
func assertPathError(t *testing.T, err, target error, name string) {
	t.Helper()
	var pathError *fs.PathError
	if assert.ErrorAs(t, err, &pathError) {
		assert.Equal(t, name, pathError.Path)
	}
	assert.ErrorIs(t, err, target)
}

// assertTaken checks for an error that says a directory is not empty.
func assertTaken(t *testing.T, err error) {
	t.Helper()
	assert.True(t, errors.Is(err, syscall.ENOTEMPTY) || errors.Is(err, fs.ErrExist), "%v", err)
}
