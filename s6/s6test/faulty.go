package s6test

import (
	"context"
	"fmt"
	"syscall"
	"time"

	"github.com/evenkeel/evenkeel/filesystem"
	"github.com/evenkeel/evenkeel/filesystem/filesystemtest"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

// Faulty is a tree as one program sees it: what that does to the filesystem,
// asks of the tree and tells it fails as injectors say. The tree itself goes
// on, and whatever else uses it.
type Faulty struct {
	*Tree
	ops *filesystemtest.Faulty
}

var _ s6.Tree = (*Faulty)(nil)

// Inject returns a program's view of the tree. What a program asks of it is a
// filesystemtest.Query, what it tells it a filesystemtest.Command; reading a
// status is an operation of the filesystem.
func Inject(tree *Tree, injectors ...filesystemtest.Injector) *Faulty {
	return &Faulty{tree, filesystemtest.Inject(tree.mem, injectors...)}
}

// Ops is the filesystem of that program, which counts all operations.
func (f *Faulty) Ops() *filesystemtest.Faulty { return f.ops }

// FS implements s6.Tree.
func (f *Faulty) FS() filesystem.FS { return f.ops }

// ask asks the tree something. What fails has no answer, done or not.
func ask[T any](f *Faulty, what string, ask func() (T, error)) (answer T, err error) {
	err = f.ops.Do(filesystemtest.Query, what, func() (err error) {
		answer, err = ask()
		return err
	})
	if err != nil {
		var none T
		return none, err
	}
	return answer, nil
}

// Served implements s6.Tree.
func (f *Faulty) Served() error {
	return f.ops.Do(filesystemtest.Query, "is there an s6-svscan", f.Tree.Served)
}

// Uptime implements s6.Tree.
func (f *Faulty) Uptime() (time.Duration, error) { return ask(f, "uptime", f.Tree.Uptime) }

// Shortage implements s6.Tree.
func (f *Faulty) Shortage() (ended int, since time.Time, err error) {
	err = f.ops.Do(filesystemtest.Query, "shortage", func() error {
		var err error
		ended, since, err = f.Tree.Shortage()
		return err
	})
	return ended, since, err
}

// Limits implements s6.Tree.
func (f *Faulty) Limits() ([]s6.Limit, error) { return ask(f, "limits", f.Tree.Limits) }

// Supervisor implements s6.Tree.
func (f *Faulty) Supervisor(service string) (supervise.LockState, error) {
	return ask(f, "supervisor of "+service, func() (supervise.LockState, error) { return f.Tree.Supervisor(service) })
}

// Process implements s6.Tree.
func (f *Faulty) Process(service string) (supervise.LockState, error) {
	return ask(f, "process of "+service, func() (supervise.LockState, error) { return f.Tree.Process(service) })
}

// Logger implements s6.Tree.
func (f *Faulty) Logger(name string) (supervise.LockState, error) {
	return ask(f, "logger of "+name, func() (supervise.LockState, error) { return f.Tree.Logger(name) })
}

// Child implements s6.Tree.
func (f *Faulty) Child(service string, pid int) (bool, error) {
	return ask(f, "children of the supervisor of "+service, func() (bool, error) { return f.Tree.Child(service, pid) })
}

// Record implements s6.Tree.
func (f *Faulty) Record(service string, pid int) (string, error) {
	return ask(f, "record of the process of "+service, func() (string, error) { return f.Tree.Record(service, pid) })
}

// Unstartable implements s6.Tree.
func (f *Faulty) Unstartable(service string) (string, error) {
	return ask(f, "what keeps s6-svscan from starting "+service, func() (string, error) { return f.Tree.Unstartable(service) })
}

// Complaint implements s6.Tree.
func (f *Faulty) Complaint(service string) (string, error) {
	return ask(f, "complaint about "+service, func() (string, error) { return f.Tree.Complaint(service) })
}

// Status implements s6.Tree.
func (f *Faulty) Status(service string) (supervise.Status, error) {
	return supervise.ReadStatus(f.ops, service)
}

// Control implements s6.Tree.
func (f *Faulty) Control(service string, commands ...supervise.Command) error {
	text := make([]byte, 0, len(commands))
	for _, c := range commands {
		text = append(text, byte(c))
	}
	return f.ops.Do(filesystemtest.Command, string(text)+" to "+service, func() error { return f.Tree.Control(service, commands...) })
}

// AnnounceReady implements s6.Tree.
func (f *Faulty) AnnounceReady(service string, pid int) error {
	return f.ops.Do(filesystemtest.Command, "ready on behalf of "+service, func() error { return f.Tree.AnnounceReady(service, pid) })
}

// Signal implements s6.Tree.
func (f *Faulty) Signal(service string, pid int, signal syscall.Signal) error {
	return f.ops.Do(filesystemtest.Command, signal.String()+" to "+service, func() error { return f.Tree.Signal(service, pid, signal) })
}

// Group implements s6.Tree.
func (f *Faulty) Group(service string, leader int, seen time.Time) ([]int, error) {
	return ask(f, "group of "+service, func() ([]int, error) { return f.Tree.Group(service, leader, seen) })
}

// SignalGroup implements s6.Tree.
func (f *Faulty) SignalGroup(service string, leader int, seen time.Time, signal syscall.Signal) error {
	return f.ops.Do(filesystemtest.Command, signal.String()+" to the group of "+service, func() error {
		return f.Tree.SignalGroup(service, leader, seen, signal)
	})
}

// Remains implements s6.Tree.
func (f *Faulty) Remains(service string, known s6.Sighting, since time.Time) ([]s6.Remnant, error) {
	return ask(f, "what is left of deleted directories of "+service, func() ([]s6.Remnant, error) {
		return f.Tree.Remains(service, known, since)
	})
}

// EndRemnant implements s6.Tree.
func (f *Faulty) EndRemnant(service string, known s6.Sighting, pid int, signals ...syscall.Signal) error {
	return f.ops.Do(filesystemtest.Command, fmt.Sprintf("%v to a remnant of %s", signals, service), func() error {
		return f.Tree.EndRemnant(service, known, pid, signals...)
	})
}

// Check implements s6.Tree.
func (f *Faulty) Check(ctx context.Context, service string, spec *s6.Spec) error {
	return f.ops.Do(filesystemtest.Query, "check of "+service, func() error { return f.Tree.Check(ctx, service, spec) })
}

// Rescan implements s6.Tree.
func (f *Faulty) Rescan() error { return f.ops.Do(filesystemtest.Command, "scan", f.Tree.Rescan) }

// Prune implements s6.Tree.
func (f *Faulty) Prune() error {
	return f.ops.Do(filesystemtest.Command, "scan and prune", f.Tree.Prune)
}

// Nudge implements s6.Tree.
func (f *Faulty) Nudge() error { return f.ops.Do(filesystemtest.Command, "nudge", f.Tree.Nudge) }

// Watch implements s6.Tree. A watch that fails though it was begun is ended
// again: it would be the program's.
func (f *Faulty) Watch(service string, fn func(supervise.Event)) (s6.Watch, error) {
	var watch s6.Watch
	err := f.ops.Do(filesystemtest.Command, "watch "+service, func() (err error) {
		watch, err = f.Tree.Watch(service, fn)
		return err
	})
	if err != nil {
		if watch != nil {
			_ = watch.Close() // it never fails
		}
		return nil, err
	}
	return watch, nil
}
