package s6

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/evenkeel/evenkeel/internal/proc"
)

// Group implements Tree. A process group is there for as long as one of its
// processes has not been reaped, and its id is given to no other until then.
func (t *SystemTree) Group(service string, leader int, seen time.Time) (pids []int, err error) {
	members, err := t.group(service, leader, seen)
	if err != nil {
		return nil, fmt.Errorf("cannot see the processes of group %d: %w", leader, err)
	}
	for _, p := range members {
		pids = append(pids, p.PID)
	}
	return pids, nil
}

func (t *SystemTree) group(service string, leader int, seen time.Time) ([]proc.Process, error) {
	if leader <= 1 || errors.Is(syscall.Kill(-leader, 0), syscall.ESRCH) {
		return nil, nil
	}
	members, err := proc.System.Group(leader)
	if err != nil || len(members) == 0 {
		return nil, err
	}
	ours, err := earlier(members, seen)
	if err != nil || ours {
		return members, err
	}
	for _, p := range members {
		if t.marked(service, p.PID) {
			return members, nil
		}
	}
	return nil, nil
}

// Record implements Tree. As with earlier, what is as old as the moment is not
// known to be older.
func (t *SystemTree) Record(service string, pid int) (string, error) {
	fail := func(err error) (string, error) {
		return "", fmt.Errorf("cannot tell whose process %d is: %w", pid, err)
	}
	now, err := proc.SinceBoot()
	if err != nil {
		return fail(err)
	}
	supervisor, err := t.Supervisor(service)
	if err != nil || supervisor.PID == 0 {
		return "", err
	}
	since, err := proc.System.Start(supervisor.PID)
	if err != nil && !ended(err) {
		return fail(err)
	}
	parent, err := proc.System.Parent(pid)
	if err != nil && !ended(err) {
		return fail(err)
	}
	if parent != supervisor.PID || since == 0 {
		return "", nil
	}
	return fmt.Sprintf("%d %d.%d %d", pid, supervisor.PID, since/proc.Tick, now/proc.Tick-1), nil
}

// earlier reports whether one of a group's processes started before a time at
// which its leader was alive. Then the group has been the same since.
func earlier(group []proc.Process, seen time.Time) (bool, error) {
	if seen.IsZero() {
		return false, nil
	}
	now, err := proc.SinceBoot()
	if err != nil {
		return false, err
	}
	alive := now - time.Since(seen) - proc.Tick
	return slices.ContainsFunc(group, func(p proc.Process) bool { return p.Started < alive }), nil
}

// marked reports whether a process is known to be one of the service's: it has
// the instance lock open, as what its leader has started inherits it. Where that
// cannot be looked at it is not known.
func (t *SystemTree) marked(service string, pid int) bool {
	dir, err := filepath.EvalSymlinks(service)
	if err != nil {
		return false
	}
	held, err := proc.System.Holds(pid, path.Join(dir, fileInstanceLock))
	return err == nil && held
}

// SignalGroup implements Tree.
func (t *SystemTree) SignalGroup(service string, leader int, seen time.Time, signal syscall.Signal) error {
	members, err := t.group(service, leader, seen)
	if err != nil {
		return fmt.Errorf("cannot signal the processes of group %d: %w", leader, err)
	}
	return signalAll(members, signal)
}

// signalAll signals processes, youngest first: the leader of a group is the
// oldest, and who waits for it is not to begin before the others have ended.
func signalAll(members []proc.Process, signal syscall.Signal) error {
	var errs []error
	for _, p := range slices.SortedStableFunc(slices.Values(members), func(a, b proc.Process) int { return cmp.Compare(b.Started, a.Started) }) {
		if err := signalProcess(p, signal); err != nil {
			errs = append(errs, fmt.Errorf("cannot signal process %d: %w", p.PID, err))
		}
	}
	return errors.Join(errs...)
}

// signalProcess signals a process, and no other that has its id by now.
func signalProcess(p proc.Process, signal syscall.Signal) error {
	fd, err := proc.PIDFD(p.PID)
	if errors.Is(err, unix.ESRCH) {
		return nil
	}
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	// From here on the id means one process. Is it the right one?
	now, err := proc.System.Start(p.PID)
	if err == nil && now == p.Started {
		err = unix.PidfdSendSignal(fd, signal, nil, 0)
	}
	if errors.Is(err, unix.ESRCH) || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Signal implements Tree.
func (t *SystemTree) Signal(service string, pid int, signal syscall.Signal) error {
	fd, err := proc.PIDFD(pid)
	if err != nil {
		return fmt.Errorf("cannot signal process %d: %w", pid, err)
	}
	defer unix.Close(fd)
	// From here on the id means one process. Is it the right one?
	if now, err := t.Process(service); err != nil || now.PID != pid {
		return fmt.Errorf("cannot signal process %d: it does not hold %s any more: %w", pid, lockOf(service), errors.Join(err, unix.ESRCH))
	}
	// A process that s6-supervise has just started may not be in the status
	// yet.
	supervisor, err := t.Supervisor(service)
	if err != nil {
		return fmt.Errorf("cannot signal process %d: %w", pid, err)
	}
	if parent, err := proc.System.Parent(pid); supervisor.PID != 0 && (err != nil || parent == supervisor.PID) {
		return fmt.Errorf("cannot signal process %d: it is supervised, by process %d: %w", pid, supervisor.PID, errors.Join(err, unix.EPERM))
	}
	// It leads its process group, as all that s6-supervise starts.
	members, err := proc.System.Group(pid)
	if err != nil {
		return fmt.Errorf("cannot signal what process %d has started: %w", pid, err)
	}
	members = slices.DeleteFunc(members, func(p proc.Process) bool { return p.PID == pid })
	if err := signalAll(members, signal); err != nil {
		return err
	}
	if err := unix.PidfdSendSignal(fd, signal, nil, 0); err != nil {
		return fmt.Errorf("cannot signal process %d: %w", pid, err)
	}
	return nil
}
