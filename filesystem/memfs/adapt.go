package memfs

import (
	"bytes"
	"cmp"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"syscall"

	"github.com/spf13/afero"

	"github.com/evenkeel/evenkeel/filesystem"
	"github.com/evenkeel/evenkeel/filesystem/internal/contract"
)

// Adapted is an afero filesystem that keeps the contract of [filesystem.FS].
// [Adapt] makes one.
//
// Where the filesystem below is laxer than the contract (afero.MemMapFs makes
// missing parents, removes directories that are not empty, renames over
// anything) Adapted checks first. Its lock makes the check and the change one
// step for everyone who goes through it. It cannot make up for the following:
//
//   - ReplaceFile and Rename are as atomic as the Rename below, and as durable as
//     the Sync of its files; a directory renamed over an empty one
//     is two steps.
//   - Without afero.Linker and afero.LinkReader, Symlink and Readlink fail
//     with errors.ErrUnsupported. So does Symlink where the target that was
//     written is not the one read back, as in afero.BasePathFs.
//   - SameFile knows files of the operating system and of afero.MemMapFs; any
//     others are never the same.
//   - Relative names, and ".." after a link, are what the filesystem below takes
//     them for.
type Adapted struct{ adapted }

var _ filesystem.Appender = (*Adapted)(nil)

// Adapt makes a [filesystem.FS] of any afero filesystem.
func Adapt(fsys afero.Fs) *Adapted { return &Adapted{adapted{fsys: fsys}} }

// adapted is a filesystem.FS on top of an afero.Fs: what [FS] and [Adapted]
// share.
type adapted struct {
	// mu is held for writing by what changes the tree, so that its checks hold
	// until it is done. afero.MemMapFs needs it for reading too: it sorts a
	// directory by names that a rename may be changing.
	mu   sync.RWMutex
	fsys afero.Fs
	// ownLinks: fsys knows no links. They are files with fs.ModeSymlink that
	// hold their target, and are followed here.
	ownLinks bool
	// known is what was looked up before, where ownLinks: nobody else changes fsys.
	known known
	// told is told of each change; nil for nobody.
	told func(Change)
}

// ReadFile implements [filesystem.FS].
func (a *adapted) ReadFile(name string) ([]byte, error) {
	if a.ownLinks {
		return a.readOwn(name)
	}
	f, err := a.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	content := new(bytes.Buffer)
	if _, err := content.ReadFrom(io.NewSectionReader(f, 0, 1<<62)); err != nil {
		return nil, contract.PathError("read", name, err)
	}
	return content.Bytes(), nil
}

// readOwn is ReadFile where ownLinks.
func (a *adapted) readOwn(name string) ([]byte, error) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	at, err := a.regular(name)
	if err != nil {
		return nil, contract.PathError("open", name, err)
	}
	content, err := contentOf(at.info)
	return content, contract.PathError("read", name, err)
}

// ReadRange implements [filesystem.FS].
func (a *adapted) ReadRange(name string, p []byte, off int64) (int, error) {
	f, err := a.Open(name)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	return f.ReadAt(p, off)
}

// Open implements [filesystem.FS].
func (a *adapted) Open(name string) (filesystem.File, error) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	at, err := a.regular(name)
	if err != nil {
		return nil, contract.PathError("open", name, err)
	}
	f, err := a.open(at)
	if err != nil {
		return nil, contract.PathError("open", name, err)
	}
	return &openFile{name: name, file: f}, nil
}

// regular returns where a name leads that is a regular file's.
func (a *adapted) regular(name string) (place, error) {
	at, err := a.existing(name, true)
	if err == nil {
		err = contract.Regular(at.info)
	}
	return at, err
}

// open opens what is there, for reading.
func (a *adapted) open(at place) (afero.File, error) {
	if a.ownLinks {
		return openOwn(at.info), nil
	}
	return a.fsys.Open(at.path)
}

// Stat implements [filesystem.FS].
func (a *adapted) Stat(name string) (fs.FileInfo, error) {
	return a.describe("stat", name, true)
}

// Lstat implements [filesystem.FS].
func (a *adapted) Lstat(name string) (fs.FileInfo, error) {
	return a.describe("lstat", name, strings.HasSuffix(name, "/"))
}

func (a *adapted) describe(op, name string, follow bool) (fs.FileInfo, error) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	at, err := a.existing(name, follow)
	if err != nil {
		return nil, contract.PathError(op, name, err)
	}
	return named(at.info, path.Base(name)), nil
}

// ReadDir implements [filesystem.FS].
func (a *adapted) ReadDir(name string) ([]fs.DirEntry, error) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	infos, err := a.list(name)
	if err != nil {
		return nil, contract.PathError("readdir", name, err)
	}
	entries := make([]fs.DirEntry, 0, len(infos))
	for _, info := range infos {
		entries = append(entries, fs.FileInfoToDirEntry(snapshot(info)))
	}
	slices.SortFunc(entries, func(x, y fs.DirEntry) int { return cmp.Compare(x.Name(), y.Name()) })
	return entries, nil
}

// list returns what is in a directory, in no order.
func (a *adapted) list(name string) ([]fs.FileInfo, error) {
	at, err := a.existing(name, true)
	if err != nil {
		return nil, err
	}
	if !at.info.IsDir() {
		return nil, syscall.ENOTDIR
	}
	return a.entries(at.path)
}

func (a *adapted) entries(dir string) ([]fs.FileInfo, error) {
	f, err := a.fsys.Open(dir)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.Readdir(-1)
}

// SameFile implements [filesystem.FS].
func (a *adapted) SameFile(x, y fs.FileInfo) bool { return sameFile(x, y) }
