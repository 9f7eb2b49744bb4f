package memfs

import (
	"errors"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/afero"
	"github.com/spf13/afero/mem"

	"github.com/evenkeel/evenkeel/filesystem/internal/contract"
)

// Readlink implements [filesystem.FS].
func (a *adapted) Readlink(name string) (string, error) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	if !a.readsLinks() {
		return "", contract.PathError("readlink", name, errors.ErrUnsupported)
	}
	at, err := a.existing(name, strings.HasSuffix(name, "/"))
	if err == nil && at.info.Mode().Type() != fs.ModeSymlink {
		err = fs.ErrInvalid
	}
	if err != nil {
		return "", contract.PathError("readlink", name, err)
	}
	target, err := a.readlink(at.path)
	return target, contract.PathError("readlink", name, err)
}

func (a *adapted) readsLinks() bool {
	_, ok := a.fsys.(afero.LinkReader)
	return ok || a.ownLinks
}

func (a *adapted) readlink(name string) (string, error) {
	if a.ownLinks {
		link, err := a.lstatOwn(name)
		if err != nil {
			return "", err
		}
		target, err := contentOf(link)
		return string(target), err
	}
	reader, ok := a.fsys.(afero.LinkReader)
	if !ok {
		return "", errors.ErrUnsupported
	}
	target, err := reader.ReadlinkIfPossible(name)
	if errors.Is(err, afero.ErrNoReadlink) {
		err = errors.ErrUnsupported
	}
	return target, err
}

// Symlink implements [filesystem.FS].
func (a *adapted) Symlink(target, link string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return contract.LinkError("symlink", target, link, a.symlink(target, link))
}

func (a *adapted) symlink(target, link string) error {
	linker, ok := a.fsys.(afero.Linker)
	if !ok && !a.ownLinks {
		return errors.ErrUnsupported
	}
	if err := contract.CheckName(target); err != nil {
		return err
	}
	at, err := a.locate(link, false)
	switch {
	case err != nil:
		return err
	case at.info != nil:
		return fs.ErrExist
	case at.dir:
		return fs.ErrNotExist
	}
	if a.ownLinks {
		a.touch(at.path)
		return a.put(at.path, []byte(target), os.O_WRONLY|os.O_CREATE, fs.ModeSymlink|fs.ModePerm, a.setMode)
	}
	switch err := linker.SymlinkIfPossible(target, at.path); {
	case errors.Is(err, afero.ErrNoSymlink):
		return errors.ErrUnsupported
	case err != nil:
		return err
	}
	if written, err := a.readlink(at.path); err != nil || written != target {
		a.fsys.Remove(at.path)
		return errors.ErrUnsupported
	}
	return nil
}

// setMode sets the whole mode of a file, its type included.
func (a *adapted) setMode(name string, mode fs.FileMode) error {
	f, err := a.fsys.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	if file, ok := f.(*mem.File); ok {
		mem.SetMode(file.Data(), mode)
	}
	return nil
}
