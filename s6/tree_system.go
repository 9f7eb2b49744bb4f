package s6

import (
	"errors"
	"io/fs"
	"sync"
	"syscall"
	"time"

	"github.com/evenkeel/evenkeel/filesystem"
	"github.com/evenkeel/evenkeel/internal/inotify"
	"github.com/evenkeel/evenkeel/internal/proc"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

// SystemTree is the supervision tree of an s6-svscan process.
type SystemTree struct {
	layout Layout
	tools  Tools
	lock   *supervise.Lock

	asksOptions sync.Once // guards options
	options     scanOptions

	remains  remains
	scans    scans
	keeper   *background // of a private tree
	burial   *background
	nudges   nudges
	checkers checkers
	owners   Owners

	shortages shortages
	notifier  *inotify.Notifier // nil where it would not hear all
}

var _ Tree = (*SystemTree)(nil)

// Layout implements Tree.
func (t *SystemTree) Layout() Layout { return t.layout }

// FS implements Tree: it is the real filesystem.
func (t *SystemTree) FS() filesystem.FS { return filesystem.OS{} }

// Tools implements Tree.
func (t *SystemTree) Tools() Tools { return t.tools }

// OnHost implements Tree. The tree's processes are this host's.
func (t *SystemTree) OnHost() bool { return true }

// Uptime implements Tree.
func (t *SystemTree) Uptime() (time.Duration, error) { return proc.System.Uptime() }

// Shortage implements Tree.
func (t *SystemTree) Shortage() (ended int, since time.Time, err error) {
	count, err := proc.System.OOMKills()
	if err != nil {
		return 0, time.Time{}, err
	}
	ended, since = t.shortages.look(time.Now(), count)
	return ended, since, nil
}

// Claim implements Tree. Other programs are kept out by the tree's lock.
func (t *SystemTree) Claim(owner string) (release func(), err error) { return t.owners.Claim(owner) }

// Supervisor implements Tree.
func (t *SystemTree) Supervisor(service string) (supervise.LockState, error) {
	return holder(supervisorLock(service))
}

// Process implements Tree.
func (t *SystemTree) Process(service string) (supervise.LockState, error) {
	return holder(lockOf(service))
}

// Logger implements Tree.
func (t *SystemTree) Logger(name string) (supervise.LockState, error) {
	return holder(t.layout.logLock(name))
}

// holder is supervise.LockHolder for a lock file that may not exist yet.
func holder(lock string) (supervise.LockState, error) {
	state, err := supervise.LockHolder(lock)
	if errors.Is(err, fs.ErrNotExist) {
		return supervise.LockState{}, nil
	}
	return state, err
}

// Child implements Tree.
func (t *SystemTree) Child(service string, pid int) (bool, error) {
	supervisor, err := t.Supervisor(service)
	if err != nil || supervisor.PID == 0 {
		return false, err
	}
	parent, err := proc.System.Parent(pid)
	if ended(err) {
		return false, nil
	}
	return parent == supervisor.PID, err
}

// ended reports whether an error says that there is no such process any more.
func ended(err error) bool { return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) }

// Status implements Tree.
func (t *SystemTree) Status(service string) (supervise.Status, error) {
	return supervise.ReadStatus(filesystem.OS{}, service)
}

// Control implements Tree.
func (t *SystemTree) Control(service string, commands ...supervise.Command) error {
	return supervise.WriteControl(control(service), commands...)
}
