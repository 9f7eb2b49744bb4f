package filesystemtest

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"strings"
	"sync/atomic"

	"github.com/evenkeel/evenkeel/filesystem"
)

// Faulty is a [filesystem.FS] whose operations fail as its injectors say.
type Faulty struct {
	inner     filesystem.FS
	injectors []Injector
	count     atomic.Int64
	crashed   atomic.Bool
}

var _ filesystem.FS = (*Faulty)(nil)

// Inject wraps a filesystem. The injectors are asked in order about every
// operation. The first that returns an error decides, and those behind it do
// not see the operation. Injected errors are wrapped as the contract of
// [filesystem.FS] says.
func Inject(inner filesystem.FS, injectors ...Injector) *Faulty {
	return &Faulty{inner: inner, injectors: injectors}
}

// Count returns how many operations there were, including those that failed.
// SameFile and closing a file do not count.
func (f *Faulty) Count() int { return int(f.count.Load()) }

// String returns the injectors as they are written in Go.
func (f *Faulty) String() string {
	names := make([]string, 0, len(f.injectors))
	for _, injector := range f.injectors {
		names = append(names, injector.String())
	}
	return strings.Join(names, ", ")
}

// fault asks the injectors about an operation.
func (f *Faulty) fault(op Op) Fault {
	op.N = int(f.count.Add(1))
	if f.crashed.Load() {
		return Fault{Err: ErrCrashed}
	}
	for _, injector := range f.injectors {
		fault := injector.Inject(op)
		if fault.Err == nil {
			continue
		}
		if errors.Is(fault.Err, ErrCrashed) {
			f.crashed.Store(true)
		}
		return fault
	}
	return Fault{}
}

// check is fault for operations that are done as a whole or not at all.
func (f *Faulty) check(kind Kind, name string) error {
	return injected(kind, name, f.fault(Op{Kind: kind, Path: name}))
}

func injected(kind Kind, name string, fault Fault) error {
	if fault.Err == nil {
		return nil
	}
	return &fs.PathError{Op: strings.ToLower(kind.String()), Path: name, Err: fault.Err}
}

// ReadFile implements [filesystem.FS].
func (f *Faulty) ReadFile(name string) ([]byte, error) {
	if err := f.check(ReadFile, name); err != nil {
		return nil, err
	}
	return f.inner.ReadFile(name)
}

// ReadRange implements [filesystem.FS].
func (f *Faulty) ReadRange(name string, p []byte, off int64) (int, error) {
	if err := f.check(ReadRange, name); err != nil {
		return 0, err
	}
	return f.inner.ReadRange(name, p, off)
}

// Open implements [filesystem.FS].
func (f *Faulty) Open(name string) (filesystem.File, error) {
	if err := f.check(Open, name); err != nil {
		return nil, err
	}
	file, err := f.inner.Open(name)
	if err != nil {
		return nil, err
	}
	return &faultyFile{File: file, fsys: f, name: name}, nil
}

// WriteFile implements [filesystem.FS].
func (f *Faulty) WriteFile(name string, data []byte, perm fs.FileMode) error {
	fault := f.fault(Op{Kind: WriteFile, Path: name, Size: len(data)})
	if fault.Err == nil {
		return f.inner.WriteFile(name, data, perm)
	}
	if fault.Torn {
		// Whether that much can be written or not, the operation fails.
		_ = f.inner.WriteFile(name, fault.part(data), perm)
	}
	return injected(WriteFile, name, fault)
}

// ReplaceFile implements [filesystem.FS].
func (f *Faulty) ReplaceFile(name string, data []byte, perm fs.FileMode) error {
	fault := f.fault(Op{Kind: ReplaceFile, Path: name, Size: len(data)})
	if fault.Err == nil {
		return f.inner.ReplaceFile(name, data, perm)
	}
	if fault.Torn && errors.Is(fault.Err, ErrCrashed) {
		_ = f.inner.WriteFile(path.Join(path.Dir(name), filesystem.TempPrefix+"crashed"), fault.part(data), 0o600)
	}
	return injected(ReplaceFile, name, fault)
}

// Mkdir implements [filesystem.FS].
func (f *Faulty) Mkdir(name string, perm fs.FileMode) error {
	if err := f.check(Mkdir, name); err != nil {
		return err
	}
	return f.inner.Mkdir(name, perm)
}

// MkdirAll implements [filesystem.FS].
func (f *Faulty) MkdirAll(name string, perm fs.FileMode) error {
	fault := f.fault(Op{Kind: MkdirAll, Path: name})
	if fault.Err == nil {
		return f.inner.MkdirAll(name, perm)
	}
	if fault.Torn {
		_ = f.inner.MkdirAll(path.Dir(strings.TrimRight(name, "/")), perm)
	}
	return injected(MkdirAll, name, fault)
}

// Symlink implements [filesystem.FS].
func (f *Faulty) Symlink(target, link string) error {
	if fault := f.fault(Op{Kind: Symlink, Path: link}); fault.Err != nil {
		return &os.LinkError{Op: "symlink", Old: target, New: link, Err: fault.Err}
	}
	return f.inner.Symlink(target, link)
}

// Readlink implements [filesystem.FS].
func (f *Faulty) Readlink(name string) (string, error) {
	if err := f.check(Readlink, name); err != nil {
		return "", err
	}
	return f.inner.Readlink(name)
}

// Rename implements [filesystem.FS].
func (f *Faulty) Rename(oldName, newName string) error {
	if fault := f.fault(Op{Kind: Rename, Path: oldName, To: newName}); fault.Err != nil {
		return &os.LinkError{Op: "rename", Old: oldName, New: newName, Err: fault.Err}
	}
	return f.inner.Rename(oldName, newName)
}

// Remove implements [filesystem.FS].
func (f *Faulty) Remove(name string) error {
	if err := f.check(Remove, name); err != nil {
		return err
	}
	return f.inner.Remove(name)
}

// RemoveAll implements [filesystem.FS].
func (f *Faulty) RemoveAll(name string) error {
	fault := f.fault(Op{Kind: RemoveAll, Path: name})
	if fault.Err == nil {
		return f.inner.RemoveAll(name)
	}
	if fault.Torn {
		f.removeHalf(name)
	}
	return injected(RemoveAll, name, fault)
}

// removeHalf removes the first half of what is in a directory.
func (f *Faulty) removeHalf(name string) {
	if info, err := f.inner.Lstat(name); err != nil || !info.IsDir() {
		return
	}
	entries, _ := f.inner.ReadDir(name)
	for _, entry := range entries[:(len(entries)+1)/2] {
		_ = f.inner.RemoveAll(path.Join(name, entry.Name()))
	}
}

// Stat implements [filesystem.FS].
func (f *Faulty) Stat(name string) (fs.FileInfo, error) {
	if err := f.check(Stat, name); err != nil {
		return nil, err
	}
	return f.inner.Stat(name)
}

// Lstat implements [filesystem.FS].
func (f *Faulty) Lstat(name string) (fs.FileInfo, error) {
	if err := f.check(Lstat, name); err != nil {
		return nil, err
	}
	return f.inner.Lstat(name)
}

// ReadDir implements [filesystem.FS].
func (f *Faulty) ReadDir(name string) ([]fs.DirEntry, error) {
	if err := f.check(ReadDir, name); err != nil {
		return nil, err
	}
	return f.inner.ReadDir(name)
}

// SameFile implements [filesystem.FS]. It never fails.
func (f *Faulty) SameFile(a, b fs.FileInfo) bool { return f.inner.SameFile(a, b) }

// faultyFile is an open file of a Faulty.
type faultyFile struct {
	filesystem.File
	fsys *Faulty
	name string
}

// ReadAt implements [io.ReaderAt].
func (f *faultyFile) ReadAt(p []byte, off int64) (int, error) {
	if err := f.fsys.check(ReadAt, f.name); err != nil {
		return 0, err
	}
	return f.File.ReadAt(p, off)
}

// Stat implements [filesystem.File].
func (f *faultyFile) Stat() (fs.FileInfo, error) {
	if err := f.fsys.check(FileStat, f.name); err != nil {
		return nil, err
	}
	return f.File.Stat()
}
