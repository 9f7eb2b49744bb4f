package filesystem

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path"

	"golang.org/x/sys/unix"

	"github.com/evenkeel/evenkeel/filesystem/internal/contract"
)

// WriteFile implements [FS].
func (OS) WriteFile(name string, data []byte, perm fs.FileMode) error {
	if err := contract.CheckFile(name); err != nil {
		return contract.PathError("write", name, err)
	}
	f, err := openWrite(name, os.O_TRUNC, perm)
	if err == nil {
		_, err = f.Write(data)
		err = cmp.Or(err, f.Close())
	}
	return contract.PathError("write", name, err)
}

// AppendFile implements [Appender].
func (OS) AppendFile(name string, data []byte, perm fs.FileMode) error {
	if err := contract.CheckFile(name); err != nil {
		return contract.PathError("append", name, err)
	}
	f, err := openWrite(name, os.O_APPEND, perm)
	if err == nil {
		_, err = f.Write(data)
		err = cmp.Or(err, f.Close())
	}
	return contract.PathError("append", name, err)
}

// openWrite returns a file to write: one that exists keeps its permissions, a
// new one has those of perm from before anything is in it. Most are new.
func openWrite(name string, how int, perm fs.FileMode) (*os.File, error) {
	f, err := createFile(name, how, perm)
	if !errors.Is(err, fs.ErrExist) {
		return f, err
	}
	f, _, err = openRegular(name, os.O_WRONLY|how|unix.O_NOFOLLOW)
	if errors.Is(err, fs.ErrNotExist) {
		return openWrite(name, how, perm) // somebody has just removed it
	}
	return f, err
}

// createFile makes a new file.
func createFile(name string, how int, perm fs.FileMode) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_WRONLY|how|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	if err := f.Chmod(perm); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// ReplaceFile implements [FS]. The directory has to be readable, to be synced.
func (OS) ReplaceFile(name string, data []byte, perm fs.FileMode) error {
	return contract.PathError("replace", name, replace(name, data, perm))
}

func replace(name string, data []byte, perm fs.FileMode) error {
	if err := cmp.Or(contract.CheckEntry(name), contract.CheckFile(name)); err != nil {
		return err
	}
	parent, base := path.Split(name)
	if parent == "" {
		parent = "."
	}
	dir, err := os.OpenFile(parent, os.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return err
	}
	defer dir.Close()
	at := int(dir.Fd())
	temp := contract.TempName()
	if err := createAt(at, temp, data, perm); err != nil {
		return err
	}
	err = uninterrupted(func() error { return unix.Renameat(at, temp, at, base) })
	if err != nil {
		unix.Unlinkat(at, temp, 0)
		return err
	}
	return contract.SyncDir(dir)
}

// SyncAll implements [FS]. Files and directories have to be readable.
func (OS) SyncAll(name string) error {
	if err := contract.CheckName(name); err != nil {
		return contract.PathError("sync", name, err)
	}
	// All are on their way to the disk before the first is waited for: the journal
	// then takes them at once, and not one by one.
	var all []string
	err := contract.SyncAll(name, os.Lstat, os.ReadDir, func(name string) error {
		all = append(all, name)
		return withFile(name, func(f *os.File) error {
			_ = unix.SyncFileRange(int(f.Fd()), 0, 0, unix.SYNC_FILE_RANGE_WRITE) // to sync it tells
			return nil
		})
	})
	for _, name := range all {
		if err == nil {
			err = withFile(name, func(f *os.File) error { return contract.SyncDir(f) })
		}
	}
	return contract.PathError("sync", name, err)
}

// withFile calls fn with a file or directory that is open.
func withFile(name string, fn func(*os.File) error) error {
	f, err := os.OpenFile(name, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	return fn(f)
}

// createAt makes a new file in an open directory. When it returns nil, the file
// is on disk with its content and permissions; otherwise it is not there.
func createAt(dir int, name string, data []byte, perm fs.FileMode) error {
	var fd int
	err := uninterrupted(func() (err error) {
		fd, err = unix.Openat(dir, name, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_CLOEXEC, 0o600)
		return err
	})
	if err != nil {
		return err
	}
	f := os.NewFile(uintptr(fd), name)
	_, err = f.Write(data)
	if err == nil {
		err = f.Chmod(perm)
	}
	if err == nil {
		err = f.Sync()
	}
	if err = cmp.Or(err, f.Close()); err != nil {
		unix.Unlinkat(dir, name, 0)
	}
	return err
}

// uninterrupted repeats a call that a signal interrupted.
func uninterrupted(call func() error) error {
	err := call()
	for err == unix.EINTR {
		err = call()
	}
	return err
}

// Mkdir implements [FS]. A set-group-ID bit that comes from the parent is kept.
func (OS) Mkdir(name string, perm fs.FileMode) error {
	if err := contract.CheckName(name); err != nil {
		return contract.PathError("mkdir", name, err)
	}
	if err := os.Mkdir(name, perm); err != nil {
		return contract.PathError("mkdir", name, err)
	}
	info, err := os.Lstat(name)
	if err == nil {
		err = contract.Widen(os.Chmod, name, info.Mode(), perm)
	}
	if err != nil {
		os.Remove(name)
	}
	return contract.PathError("mkdir", name, err)
}

// MkdirAll implements [FS].
func (o OS) MkdirAll(name string, perm fs.FileMode) error { return contract.MkdirAll(o, name, perm) }

// Symlink implements [FS].
func (OS) Symlink(target, link string) error {
	err := cmp.Or(contract.CheckName(target), contract.CheckName(link))
	if err == nil {
		err = os.Symlink(target, link)
	}
	return contract.LinkError("symlink", target, link, err)
}

// Rename implements [FS].
func (OS) Rename(oldName, newName string) error {
	err := cmp.Or(contract.CheckEntry(oldName), contract.CheckEntry(newName))
	if err == nil {
		// os.Rename refuses a directory over an empty one.
		err = uninterrupted(func() error { return unix.Rename(oldName, newName) })
	}
	return contract.LinkError("rename", oldName, newName, err)
}

// Remove implements [FS].
func (OS) Remove(name string) error {
	if err := contract.CheckEntry(name); err != nil {
		return contract.PathError("remove", name, err)
	}
	return contract.PathError("remove", name, os.Remove(name))
}

// RemoveAll implements [FS].
func (OS) RemoveAll(name string) error {
	if err := contract.CheckEntry(name); err != nil {
		return contract.PathError("removeall", name, err)
	}
	return contract.PathError("removeall", name, os.RemoveAll(name))
}
