package filesystem

import (
	"errors"
	"io/fs"
	"math/rand/v2"
	"path"
	"strconv"
	"strings"
	"syscall"
)

// tempName is a name for a file that is to be renamed over another.
func tempName() string { return ".tmp-" + strconv.FormatUint(rand.Uint64(), 36) }

// syncDir makes a rename in dir outlast a power cut. Filesystems that cannot
// sync a directory say so with EINVAL or ENOTSUP, and order it in their own way.
func syncDir(dir interface{ Sync() error }) error {
	err := dir.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) {
		return nil
	}
	return err
}

// widen gives a new file or directory the bits of perm that the umask took.
func widen(chmod func(string, fs.FileMode) error, name string, has, perm fs.FileMode) error {
	want := perm&settable | has&fs.ModeSetgid
	if has&settable == want {
		return nil
	}
	return chmod(name, want)
}

// regular says why a file cannot be read or written as a regular one.
func regular(info fs.FileInfo) error {
	switch {
	case info.IsDir():
		return syscall.EISDIR
	case !info.Mode().IsRegular():
		return errNotRegular
	}
	return nil
}

// trimSlashes takes the slashes off the end of a name, that of the root apart.
func trimSlashes(name string) string {
	if trimmed := strings.TrimRight(name, "/"); trimmed != "" || name == "" {
		return trimmed
	}
	return "/"
}

// mkdirAll is MkdirAll made of Stat, Mkdir and Lstat.
func mkdirAll(fsys FS, name string, perm fs.FileMode) error {
	info, err := fsys.Stat(name)
	switch {
	case err == nil && info.IsDir():
		return nil
	case err == nil:
		return pathError("mkdir", name, syscall.ENOTDIR)
	case !errors.Is(err, fs.ErrNotExist):
		return pathError("mkdir", name, err)
	}
	if parent, _ := path.Split(trimSlashes(name)); parent != "" {
		if err := mkdirAll(fsys, trimSlashes(parent), perm); err != nil {
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
