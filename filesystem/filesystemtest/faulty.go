package filesystemtest

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/evenkeel/evenkeel/filesystem"
)

// Faulty is a [filesystem.FS] whose operations fail as its injectors say.
type Faulty struct {
	inner     filesystem.FS
	injectors []Injector
	count     atomic.Int64
	failed    atomic.Int64
	crashed   atomic.Bool

	mu       sync.Mutex // guards unsynced
	unsynced []unsynced // what WriteFile and AppendFile have written
}

var _ filesystem.Appender = (*Faulty)(nil)

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

// Failed returns how many operations failed as an injector said.
func (f *Faulty) Failed() int { return int(f.failed.Load()) }

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
		f.failed.Add(1)
		if errors.Is(fault.Err, ErrCrashed) {
			f.crashed.Store(true)
		}
		return fault
	}
	return Fault{}
}

// Crashed reports whether the code under test is dead: see [Crash].
func (f *Faulty) Crashed() bool { return f.crashed.Load() }

// Do counts an operation of another interface than [filesystem.FS], a Query or
// a Command, by a name that says what it is, and does it unless it is to fail.
func (f *Faulty) Do(kind Kind, name string, do func() error) error {
	return f.whole(Op{Kind: kind, Path: name}, do)
}

// check is fault for operations that are not done at all where they fail.
func (f *Faulty) check(kind Kind, name string) error {
	return injected(kind, name, f.fault(Op{Kind: kind, Path: name}))
}

// whole does an operation that is done as a whole or not at all, unless it is
// to fail.
func (f *Faulty) whole(op Op, do func() error) error {
	fault := f.fault(op)
	if fault.Err == nil || fault.Done {
		if err := do(); err != nil && !errors.Is(fault.Err, ErrCrashed) {
			return err
		}
	}
	return injected(op.Kind, op.Path, fault)
}

// parted does an operation that has parts, or the part of it that a fault
// leaves.
func (f *Faulty) parted(op Op, do func() error, part func(Fault)) error {
	fault := f.fault(op)
	switch {
	case fault.Err == nil, fault.Done:
		if err := do(); err != nil && !errors.Is(fault.Err, ErrCrashed) {
			return err
		}
	case fault.Torn:
		part(fault)
	}
	return injected(op.Kind, op.Path, fault)
}

// linked gives an injected error the two names that its operation has.
func linked(op, oldName, newName string, err error) error {
	var injected *fs.PathError
	if errors.As(err, &injected) {
		return &os.LinkError{Op: op, Old: oldName, New: newName, Err: injected.Err}
	}
	return err
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
	return f.parted(Op{Kind: WriteFile, Path: name, Size: len(data)},
		func() error { f.written(name, 0); return f.inner.WriteFile(name, data, perm) },
		// Whether that much can be written or not, the operation fails.
		func(fault Fault) { _ = f.inner.WriteFile(name, fault.part(data), perm) })
}

// AppendFile implements [filesystem.Appender]. Where the filesystem below is none,
// it fails with errors.ErrUnsupported.
func (f *Faulty) AppendFile(name string, data []byte, perm fs.FileMode) error {
	inner, can := f.inner.(filesystem.Appender)
	if !can {
		return &fs.PathError{Op: "append", Path: name, Err: errors.ErrUnsupported}
	}
	return f.parted(Op{Kind: AppendFile, Path: name, Size: len(data)},
		func() error { f.appended(name); return inner.AppendFile(name, data, perm) },
		func(fault Fault) { f.appended(name); _ = inner.AppendFile(name, fault.part(data), perm) })
}

// ReplaceFile implements [filesystem.FS].
func (f *Faulty) ReplaceFile(name string, data []byte, perm fs.FileMode) error {
	return f.parted(Op{Kind: ReplaceFile, Path: name, Size: len(data)},
		func() error { f.synced(name); return f.inner.ReplaceFile(name, data, perm) },
		func(fault Fault) {
			if errors.Is(fault.Err, ErrCrashed) {
				_ = f.inner.WriteFile(path.Join(path.Dir(name), filesystem.TempPrefix+"crashed"), fault.part(data), 0o600)
			}
		})
}

// SyncAll implements [filesystem.FS].
func (f *Faulty) SyncAll(name string) error {
	return f.whole(Op{Kind: SyncAll, Path: name}, func() error {
		err := f.inner.SyncAll(name)
		if err == nil {
			f.syncedBelow(name)
		}
		return err
	})
}

// Mkdir implements [filesystem.FS].
func (f *Faulty) Mkdir(name string, perm fs.FileMode) error {
	return f.whole(Op{Kind: Mkdir, Path: name}, func() error { return f.inner.Mkdir(name, perm) })
}

// MkdirAll implements [filesystem.FS].
func (f *Faulty) MkdirAll(name string, perm fs.FileMode) error {
	return f.parted(Op{Kind: MkdirAll, Path: name},
		func() error { return f.inner.MkdirAll(name, perm) },
		func(Fault) { _ = f.inner.MkdirAll(path.Dir(strings.TrimRight(name, "/")), perm) })
}

// Symlink implements [filesystem.FS].
func (f *Faulty) Symlink(target, link string) error {
	err := f.whole(Op{Kind: Symlink, Path: link}, func() error { return f.inner.Symlink(target, link) })
	return linked("symlink", target, link, err)
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
	err := f.whole(Op{Kind: Rename, Path: oldName, To: newName}, func() error {
		err := f.inner.Rename(oldName, newName)
		if err == nil {
			f.renamed(oldName, newName)
		}
		return err
	})
	return linked("rename", oldName, newName, err)
}

// Remove implements [filesystem.FS].
func (f *Faulty) Remove(name string) error {
	return f.whole(Op{Kind: Remove, Path: name}, func() error { return f.inner.Remove(name) })
}

// RemoveAll implements [filesystem.FS].
func (f *Faulty) RemoveAll(name string) error {
	return f.parted(Op{Kind: RemoveAll, Path: name},
		func() error { return f.inner.RemoveAll(name) },
		func(Fault) { f.removeHalf(name) })
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
