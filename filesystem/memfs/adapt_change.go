package memfs

import (
	"cmp"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/afero"

	"github.com/evenkeel/evenkeel/filesystem/internal/contract"
)

// WriteFile implements [filesystem.FS].
func (a *adapted) WriteFile(name string, data []byte, perm fs.FileMode) error {
	return contract.PathError("write", name, a.write(name, data, perm, os.O_TRUNC, false))
}

// AppendFile implements [filesystem.Appender]. Where the filesystem below cannot
// append, neither can this.
func (a *adapted) AppendFile(name string, data []byte, perm fs.FileMode) error {
	return contract.PathError("append", name, a.write(name, data, perm, os.O_APPEND, false))
}

// write writes to a regular file, with os.O_TRUNC in place of what is in it or
// with os.O_APPEND after that. A new file has the permissions of perm. A link in the
// last element is followed or refused.
func (a *adapted) write(name string, data []byte, perm fs.FileMode, how int, follow bool) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := contract.CheckFile(name); err != nil {
		return err
	}
	at, err := a.locate(name, follow)
	if err != nil {
		return err
	}
	if at.info != nil {
		if at.info.Mode().Type() == fs.ModeSymlink {
			return syscall.ELOOP
		}
		if err := contract.Regular(at.info); err != nil {
			return err
		}
		defer a.tell(at.path, false)
		return a.put(at.path, data, os.O_WRONLY|how, 0, nil)
	}
	if at.dir {
		return syscall.EISDIR
	}
	a.touch(at.path)
	return a.put(at.path, data, os.O_WRONLY|os.O_CREATE|how, perm, a.fsys.Chmod)
}

// put opens and writes a file. With chmod the file gets perm, whatever the
// umask, before anything is in it.
func (a *adapted) put(name string, data []byte, flag int, perm fs.FileMode,
	chmod func(string, fs.FileMode) error) error {
	f, err := a.fsys.OpenFile(name, flag, 0o600)
	if err != nil {
		return err
	}
	if chmod != nil {
		err = chmod(name, perm)
	}
	if err == nil {
		err = writeAll(f, data)
	}
	return cmp.Or(err, f.Close())
}

func writeAll(f afero.File, data []byte) error {
	n, err := f.Write(data)
	if err == nil && n < len(data) {
		err = io.ErrShortWrite
	}
	return err
}

// ReplaceFile implements [filesystem.FS].
func (a *adapted) ReplaceFile(name string, data []byte, perm fs.FileMode) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return contract.PathError("replace", name, a.replace(name, data, perm))
}

func (a *adapted) replace(name string, data []byte, perm fs.FileMode) error {
	if err := cmp.Or(contract.CheckEntry(name), contract.CheckFile(name)); err != nil {
		return err
	}
	at, err := a.locate(name, false)
	if err != nil {
		return err
	}
	if at.info != nil && at.info.IsDir() {
		return syscall.EISDIR
	}
	if a.ownLinks {
		return a.swap(at, data, perm)
	}
	dir := parentOf(at.path)
	temp := join(dir, contract.TempName())
	if err := a.create(temp, data, perm); err != nil {
		return err
	}
	if err := a.fsys.Rename(temp, at.path); err != nil {
		a.fsys.Remove(temp)
		return err
	}
	a.touch(at.path)
	return a.sync(dir)
}

// swap makes a new file in place of what is there, under a lock that nobody can
// see between the two. A rename in afero.MemMapFs looks at every file.
func (a *adapted) swap(at place, data []byte, perm fs.FileMode) error {
	if at.info != nil {
		if err := a.fsys.Remove(at.path); err != nil {
			return err
		}
	}
	a.touch(at.path)
	return a.create(at.path, data, perm)
}

// create makes a new file. When it returns nil, the file is synced; otherwise
// the file is not there.
func (a *adapted) create(name string, data []byte, perm fs.FileMode) error {
	f, err := a.fsys.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	err = writeAll(f, data)
	if err == nil {
		err = a.fsys.Chmod(name, perm)
	}
	if err == nil {
		err = f.Sync()
	}
	if err = cmp.Or(err, f.Close()); err != nil {
		a.fsys.Remove(name)
	}
	return err
}

func (a *adapted) sync(dir string) error {
	f, err := a.fsys.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	return contract.SyncDir(f)
}

// SyncAll implements [filesystem.FS].
func (a *adapted) SyncAll(name string) error {
	return contract.PathError("sync", name, contract.SyncAll(name, a.Lstat, a.ReadDir, func(name string) error {
		a.mu.Lock()
		defer a.mu.Unlock()
		at, err := a.existing(name, false)
		if err != nil {
			return err
		}
		return a.sync(at.path)
	}))
}

// Mkdir implements [filesystem.FS].
func (a *adapted) Mkdir(name string, perm fs.FileMode) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	at, err := a.locate(contract.TrimSlashes(name), false)
	if err == nil && at.info != nil {
		err = fs.ErrExist
	}
	if err == nil {
		err = a.fsys.Mkdir(at.path, perm)
	}
	if err != nil {
		return contract.PathError("mkdir", name, err)
	}
	a.touch(at.path)
	made, err := a.lstat(at.path)
	if err == nil {
		err = contract.Widen(a.fsys.Chmod, at.path, made.Mode(), perm)
	}
	if err != nil {
		a.fsys.Remove(at.path)
		a.known.forget(at.path)
	}
	return contract.PathError("mkdir", name, err)
}

// MkdirAll implements [filesystem.FS].
func (a *adapted) MkdirAll(name string, perm fs.FileMode) error {
	return contract.MkdirAll(a, name, perm)
}

// Rename implements [filesystem.FS].
func (a *adapted) Rename(oldName, newName string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return contract.LinkError("rename", oldName, newName, a.rename(oldName, newName))
}

func (a *adapted) rename(oldName, newName string) error {
	if err := cmp.Or(contract.CheckEntry(oldName), contract.CheckEntry(newName)); err != nil {
		return err
	}
	from, err := a.locate(contract.TrimSlashes(oldName), false)
	if err != nil {
		return err
	}
	to, err := a.locate(contract.TrimSlashes(newName), false)
	if err != nil {
		return err
	}
	slash := strings.HasSuffix(oldName, "/") || strings.HasSuffix(newName, "/")
	switch {
	case from.info == nil:
		return fs.ErrNotExist
	case slash && !from.info.IsDir():
		return syscall.ENOTDIR
	case from.path == to.path || sameFile(from.info, to.info):
		return nil
	case from.info.IsDir() && to.inside(from):
		return fs.ErrInvalid
	case to.info != nil:
		if err := a.checkReplace(from, to); err != nil {
			return err
		}
	}
	emptied := to.info != nil && to.info.IsDir()
	if emptied {
		if err := a.fsys.Remove(to.path); err != nil {
			return err
		}
	}
	if from.info.IsDir() {
		a.known.forgetAll()
	}
	if err := a.fsys.Rename(from.path, to.path); err != nil {
		if emptied {
			a.fsys.Mkdir(to.path, to.info.Mode())
		}
		return err
	}
	a.touch(to.path)
	a.lose(from.path)
	return nil
}

// checkReplace says why rename(2) would not put one entry in place of another.
func (a *adapted) checkReplace(from, to place) error {
	switch {
	case to.info.IsDir() && from.inside(to):
		return syscall.ENOTEMPTY
	case from.info.IsDir() && !to.info.IsDir():
		return syscall.ENOTDIR
	case !from.info.IsDir() && to.info.IsDir():
		return syscall.EISDIR
	case to.info.IsDir():
		return a.checkEmpty(to.path)
	}
	return nil
}

func (a *adapted) checkEmpty(dir string) error {
	entries, err := a.entries(dir)
	if err == nil && len(entries) > 0 {
		err = syscall.ENOTEMPTY
	}
	return err
}

// Remove implements [filesystem.FS].
func (a *adapted) Remove(name string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return contract.PathError("remove", name, a.remove(name))
}

func (a *adapted) remove(name string) error {
	if err := contract.CheckEntry(name); err != nil {
		return err
	}
	at, err := a.existing(name, false)
	if err != nil {
		return err
	}
	if at.info.IsDir() {
		if err := a.checkEmpty(at.path); err != nil {
			return err
		}
		a.known.forgetAll()
	}
	a.lose(at.path)
	return a.fsys.Remove(at.path)
}

// RemoveAll implements [filesystem.FS].
func (a *adapted) RemoveAll(name string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	err := contract.CheckEntry(name)
	if err != nil {
		return contract.PathError("removeall", name, err)
	}
	at, err := a.existing(name, false)
	if err == nil {
		a.lose(at.path)
		a.known.forgetAll()
		err = a.fsys.RemoveAll(at.path)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return contract.PathError("removeall", name, err)
}

// touch is called for an entry that is made or replaced, lose for one that goes. They
// give its directory the time of the change, which afero.MemMapFs does not.
func (a *adapted) touch(name string) { a.change(name, false) }
func (a *adapted) lose(name string)  { a.change(name, true) }

func (a *adapted) change(name string, gone bool) {
	if !a.ownLinks {
		return
	}
	now := time.Now()
	a.known.forget(name)
	a.fsys.Chtimes(parentOf(name), now, now)
	a.tell(name, gone)
}
