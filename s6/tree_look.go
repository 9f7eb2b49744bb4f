package s6

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"time"

	"github.com/evenkeel/evenkeel/filesystem"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

// ErrLook is wrapped by the error of all that would change a tree that is only
// looked at.
var ErrLook = errors.New("the tree is only looked at")

// Look opens a tree to look at it alone, beside the program that manages it or
// where none does. A directory that is missing is one without anything in it.
// Nothing is made, locked, told or written, so that it works on a filesystem that
// is read-only as well: managers on such a tree can plan. Every act of theirs
// fails, with ErrLook or syscall.EROFS. There is nothing to close.
//
// The error says what is wrong and what to do, as that of Attach: s6 is not
// installed, or a directory can be written by others.
func Look(config TreeConfig) (Tree, error) {
	t, err := newTree(config)
	if err != nil {
		return nil, err
	}
	if err := t.checkTrust(); err != nil {
		return nil, err
	}
	return LookAt(t), nil
}

// LookAt returns a tree as one that can only be looked at, as Look does. What is
// left of directories that were deleted is looked for once.
func LookAt(tree Tree) Tree { return &lookedAt{tree: tree} }

// lookedAt passes on what only reads.
type lookedAt struct {
	tree   Tree
	owners Owners
}

var _ Tree = (*lookedAt)(nil)

func cannot(what, service string) error {
	return fmt.Errorf("cannot %s %s: %w", what, service, ErrLook)
}

// Layout implements Tree, as do all that follow.
func (l *lookedAt) Layout() Layout    { return l.tree.Layout() }
func (l *lookedAt) FS() filesystem.FS { return lookedFS{l.tree.FS()} }
func (l *lookedAt) Tools() Tools      { return l.tree.Tools() }
func (l *lookedAt) OnHost() bool      { return l.tree.OnHost() }

func (l *lookedAt) Uptime() (time.Duration, error) { return l.tree.Uptime() }

func (l *lookedAt) Shortage() (ended int, since time.Time, err error) { return l.tree.Shortage() }

// Claim keeps books of its own: the program beside it has claimed all.
func (l *lookedAt) Claim(owner string) (release func(), err error) { return l.owners.Claim(owner) }

// Served does not open what commands are written to.
func (l *lookedAt) Served() error {
	if t, ok := l.tree.(*SystemTree); ok {
		return t.scanned()
	}
	return l.tree.Served()
}

func (l *lookedAt) Limits() ([]Limit, error) { return l.tree.Limits() }

func (l *lookedAt) Supervisor(service string) (supervise.LockState, error) {
	return l.tree.Supervisor(service)
}

func (l *lookedAt) Process(service string) (supervise.LockState, error) {
	return l.tree.Process(service)
}

func (l *lookedAt) Logger(name string) (supervise.LockState, error) { return l.tree.Logger(name) }

func (l *lookedAt) Child(service string, pid int) (bool, error) { return l.tree.Child(service, pid) }

func (l *lookedAt) Record(service string, pid int) (string, error) {
	return l.tree.Record(service, pid)
}

func (l *lookedAt) Unstartable(service string) (string, error) { return l.tree.Unstartable(service) }

func (l *lookedAt) Complaint(service string) (string, error) { return l.tree.Complaint(service) }

func (l *lookedAt) Status(service string) (supervise.Status, error) { return l.tree.Status(service) }

func (l *lookedAt) Control(service string, _ ...supervise.Command) error {
	return cannot("tell the supervisor of", service)
}

func (l *lookedAt) AnnounceReady(service string, _ int) error {
	return cannot("announce the readiness of", service)
}

func (l *lookedAt) Signal(service string, _ int, _ syscall.Signal) error {
	return cannot("signal the process of", service)
}

func (l *lookedAt) Group(service string, leader int, seen time.Time) ([]int, error) {
	return l.tree.Group(service, leader, seen)
}

func (l *lookedAt) SignalGroup(service string, _ int, _ time.Time, _ syscall.Signal) error {
	return cannot("signal what was started by", service)
}

// Remains looks once: it is one look at the tree.
func (l *lookedAt) Remains(service string, known Sighting, _ time.Time) ([]Remnant, error) {
	return l.tree.Remains(service, known, time.Time{})
}

func (l *lookedAt) EndRemnant(service string, _ Sighting, _ int, _ ...syscall.Signal) error {
	return cannot("end what is left of", service)
}

func (l *lookedAt) Check(_ context.Context, service string, _ *Spec) error {
	return fmt.Errorf("%w: %w", ErrNoCheck, cannot("check the process of", service))
}

func (l *lookedAt) Rescan() error { return cannot("scan", l.Layout().ScanDir) }
func (l *lookedAt) Prune() error  { return cannot("scan", l.Layout().ScanDir) }
func (l *lookedAt) Nudge() error  { return cannot("scan", l.Layout().ScanDir) }

func (l *lookedAt) Watch(service string, _ func(supervise.Event)) (Watch, error) {
	return nil, cannot("listen to events of", service)
}

// lookedFS is a filesystem that is only read. What would change it fails with
// syscall.EROFS.
type lookedFS struct{ fs filesystem.FS }

func readOnly(op, name string) error { return &fs.PathError{Op: op, Path: name, Err: syscall.EROFS} }

func (f lookedFS) ReadFile(name string) ([]byte, error) { return f.fs.ReadFile(name) }

func (f lookedFS) ReadRange(name string, p []byte, off int64) (int, error) {
	return f.fs.ReadRange(name, p, off)
}

func (f lookedFS) Open(name string) (filesystem.File, error) { return f.fs.Open(name) }

func (f lookedFS) WriteFile(name string, _ []byte, _ fs.FileMode) error {
	return readOnly("write", name)
}

func (f lookedFS) ReplaceFile(name string, _ []byte, _ fs.FileMode) error {
	return readOnly("replace", name)
}

func (f lookedFS) SyncAll(name string) error                 { return readOnly("sync", name) }
func (f lookedFS) Mkdir(name string, _ fs.FileMode) error    { return readOnly("mkdir", name) }
func (f lookedFS) MkdirAll(name string, _ fs.FileMode) error { return readOnly("mkdir", name) }
func (f lookedFS) Symlink(_, link string) error              { return readOnly("symlink", link) }
func (f lookedFS) Readlink(name string) (string, error)      { return f.fs.Readlink(name) }
func (f lookedFS) Rename(oldName, _ string) error            { return readOnly("rename", oldName) }
func (f lookedFS) Remove(name string) error                  { return readOnly("remove", name) }
func (f lookedFS) RemoveAll(name string) error               { return readOnly("remove", name) }
func (f lookedFS) Stat(name string) (fs.FileInfo, error)     { return f.fs.Stat(name) }
func (f lookedFS) Lstat(name string) (fs.FileInfo, error)    { return f.fs.Lstat(name) }

func (f lookedFS) ReadDir(name string) ([]fs.DirEntry, error) { return f.fs.ReadDir(name) }
func (f lookedFS) SameFile(a, b fs.FileInfo) bool             { return f.fs.SameFile(a, b) }
