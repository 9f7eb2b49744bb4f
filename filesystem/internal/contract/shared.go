package contract

import (
	"errors"
	"io/fs"
	"math/rand/v2"
	"path"
	"strconv"
	"strings"
	"syscall"
)

// TempPrefix begins what TempName returns.
const TempPrefix = ".tmp-"

// TempName is a name for a file that is to be renamed over another.
func TempName() string { return TempPrefix + strconv.FormatUint(rand.Uint64(), 36) }

// SyncDir makes a rename in dir survive a power cut. Filesystems that cannot
// sync a directory answer EINVAL or ENOTSUP and keep the order in their own
// way.
func SyncDir(dir interface{ Sync() error }) error {
	err := dir.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) {
		return nil
	}
	return err
}

// SyncAll syncs a file, or a tree: files before the directories that they are in,
// for a directory says what is in it.
func SyncAll(
	name string, lstat func(string) (fs.FileInfo, error), readDir func(string) ([]fs.DirEntry, error), sync func(string) error,
) error {
	info, err := lstat(name)
	switch {
	case err != nil:
		return err
	case info.Mode().IsRegular():
		return sync(name)
	case !info.IsDir():
		return nil
	}
	entries, err := readDir(name)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := SyncAll(path.Join(name, e.Name()), lstat, readDir, sync); err != nil {
			return err
		}
	}
	return sync(name)
}

// Widen gives a new file or directory the bits of perm that the umask removed.
func Widen(chmod func(string, fs.FileMode) error, name string, has, perm fs.FileMode) error {
	want := perm&Settable | has&fs.ModeSetgid
	if has&Settable == want {
		return nil
	}
	return chmod(name, want)
}

// Regular says why a file cannot be read or written as a regular one.
func Regular(info fs.FileInfo) error {
	switch {
	case info.IsDir():
		return syscall.EISDIR
	case !info.Mode().IsRegular():
		return ErrNotRegular
	}
	return nil
}

// TrimSlashes removes the slashes at the end of a name, except that of the
// root.
func TrimSlashes(name string) string {
	if trimmed := strings.TrimRight(name, "/"); trimmed != "" || name == "" {
		return trimmed
	}
	return "/"
}

// Dirs is what [MkdirAll] asks of a filesystem.
type Dirs interface {
	// Stat is that of filesystem.FS.
	Stat(name string) (fs.FileInfo, error)
	// Lstat is that of filesystem.FS.
	Lstat(name string) (fs.FileInfo, error)
	// Mkdir is that of filesystem.FS.
	Mkdir(name string, perm fs.FileMode) error
}

// MkdirAll is MkdirAll of a filesystem, made of Stat, Mkdir and Lstat.
func MkdirAll(fsys Dirs, name string, perm fs.FileMode) error {
	info, err := fsys.Stat(name)
	switch {
	case err == nil && info.IsDir():
		return nil
	case err == nil:
		return PathError("mkdir", name, syscall.ENOTDIR)
	case !errors.Is(err, fs.ErrNotExist):
		return PathError("mkdir", name, err)
	}
	if parent, base := path.Split(TrimSlashes(name)); parent != "" && base != "" {
		if err := MkdirAll(fsys, TrimSlashes(parent), perm); err != nil {
			return err
		}
	}
	err = fsys.Mkdir(name, perm)
	if errors.Is(err, fs.ErrExist) { // made by another meanwhile, or a dangling link
		if info, lstatErr := fsys.Lstat(name); lstatErr == nil && info.IsDir() {
			return nil
		}
	}
	return err
}
