package memfs_test

import (
	"cmp"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/filesystem"
	"github.com/evenkeel/evenkeel/filesystem/memfs"
)

// traced is an afero filesystem that writes down what matters to atomicity,
// and fails one kind of it.
type traced struct {
	afero.Fs
	steps []string
	fail  string
}

func (t *traced) step(kind, name string) error {
	if strings.HasPrefix(path.Base(name), ".tmp-") {
		name = "temp"
	}
	t.steps = append(t.steps, kind+" "+name)
	if t.fail == kind+" "+name {
		return &fs.PathError{Op: kind, Path: name, Err: syscall.ENOSPC}
	}
	return nil
}

func (t *traced) wrap(f afero.File, name string, err error) (afero.File, error) {
	if err != nil {
		return nil, err
	}
	return &tracedFile{File: f, fsys: t, name: name}, nil
}

func (t *traced) Open(name string) (afero.File, error) {
	f, err := t.Fs.Open(name)
	return t.wrap(f, name, err)
}

func (t *traced) OpenFile(name string, flag int, perm os.FileMode) (afero.File, error) {
	f, err := t.Fs.OpenFile(name, flag, perm)
	return t.wrap(f, name, err)
}

func (t *traced) Chmod(name string, mode os.FileMode) error {
	if err := t.step("chmod", name); err != nil {
		return err
	}
	return t.Fs.Chmod(name, mode)
}

func (t *traced) Rename(oldName, newName string) error {
	if err := t.step("rename", oldName); err != nil {
		return err
	}
	return t.Fs.Rename(oldName, newName)
}

type tracedFile struct {
	afero.File
	fsys *traced
	name string
}

func (f *tracedFile) Write(p []byte) (int, error) {
	if err := f.fsys.step("write", f.name); err != nil {
		return 0, err
	}
	if f.fsys.fail == "short write" {
		return f.File.Write(p[:1])
	}
	return f.File.Write(p)
}

func (f *tracedFile) Sync() error {
	if err := f.fsys.step("sync", f.name); err != nil {
		return err
	}
	return f.File.Sync()
}

func (f *tracedFile) Close() error {
	return cmp.Or(f.fsys.step("close", f.name), f.File.Close())
}

func TestAdaptedReplaceFileSyncsBeforeAndAfterItRenames(t *testing.T) {
	below := &traced{Fs: afero.NewMemMapFs()}
	require.NoError(t, memfs.Adapt(below).ReplaceFile("/a", []byte("new"), 0o600))
	assert.Equal(t, []string{
		"write temp", "chmod temp", "sync temp", "close temp", "rename temp", "sync /", "close /",
	}, below.steps)
}

func TestAdaptedReplaceFileCleansUp(t *testing.T) {
	for _, fail := range []string{
		"write temp", "short write", "chmod temp", "sync temp", "close temp", "rename temp",
	} {
		below := &traced{Fs: afero.NewMemMapFs()}
		fsys := memfs.Adapt(below)
		require.NoError(t, fsys.WriteFile("/a", []byte("old"), 0o644))
		below.fail = fail
		err := fsys.ReplaceFile("/a", []byte("new"), 0o600)
		var pathError *fs.PathError
		require.ErrorAs(t, err, &pathError, fail)
		assert.Equal(t, "/a", pathError.Path, fail)
		if fail != "short write" {
			assert.Equal(t, syscall.ENOSPC, pathError.Err, fail)
		}
		below.fail = ""
		content, err := fsys.ReadFile("/a")
		require.NoError(t, err, fail)
		assert.Equal(t, "old", string(content), fail)
		entries, err := fsys.ReadDir("/")
		require.NoError(t, err, fail)
		assert.Len(t, entries, 1, fail)
	}
}

func TestAdaptedWriteFileReportsFailures(t *testing.T) {
	for _, fail := range []string{"write /a", "short write", "close /a", "chmod /a"} {
		below := &traced{Fs: afero.NewMemMapFs(), fail: fail}
		assert.Error(t, memfs.Adapt(below).WriteFile("/a", []byte("new"), 0o600), fail)
	}
}

// The directory below the base holds a link that BasePathFs did not make.
func TestAdaptedBasePathFsReadsLinks(t *testing.T) {
	base := t.TempDir()
	require.NoError(t, os.WriteFile(base+"/file", []byte("text"), 0o600))
	require.NoError(t, os.Symlink("file", base+"/link"))
	fsys := memfs.Adapt(afero.NewBasePathFs(afero.NewOsFs(), base))
	target, err := fsys.Readlink("/link")
	require.NoError(t, err)
	assert.Equal(t, "file", target)
	content, err := fsys.ReadFile("/link")
	require.NoError(t, err)
	assert.Equal(t, "text", string(content))
	info, err := fsys.Lstat("/link")
	require.NoError(t, err)
	assert.Equal(t, fs.ModeSymlink, info.Mode().Type())
	require.NoError(t, fsys.Remove("/link"))
	require.NoError(t, fsys.Remove("/file"))
}

func TestAdaptedRelativeNames(t *testing.T) {
	t.Chdir(t.TempDir())
	for name, fsys := range map[string]filesystem.FS{
		"OS": filesystem.OS{}, "adapted": memfs.Adapt(afero.NewOsFs()),
	} {
		require.NoError(t, fsys.MkdirAll("a/b", 0o700), name)
		require.NoError(t, fsys.ReplaceFile("file", []byte("text"), 0o600), name)
		require.NoError(t, fsys.Rename("file", "a/b/../file"), name)
		content, err := fsys.ReadFile("./a/file")
		require.NoError(t, err, name)
		assert.Equal(t, "text", string(content), name)
		require.NoError(t, fsys.RemoveAll("a"), name)
	}
}

// The root of BasePathFs is missing until its base is made.
func TestAdaptedMkdirAllWithoutARoot(t *testing.T) {
	fsys := memfs.Adapt(afero.NewBasePathFs(afero.NewMemMapFs(), "/base"))
	for _, name := range []string{"/", "/a", "/a/b/"} {
		assert.ErrorIs(t, fsys.MkdirAll(name, 0o755), fs.ErrNotExist, name)
	}
}
