package s6

import (
	"cmp"
	"errors"
	"path"
	"slices"
	"syscall"
	"time"

	"github.com/evenkeel/evenkeel/s6/supervise"
)

// escalation is what is due for a process that is to end.
type escalation int

const (
	endWaits escalation = iota // it was asked, and has some time left
	endAsked                   // it is to be asked, by its stop signal
	endNow                     // it did not end in time
)

func (d *driver) due(now time.Time, pid int, spec *Spec) escalation {
	if d.ending.pid != pid {
		return endAsked
	}
	timeout := defaultStopTimeout
	if spec != nil {
		timeout = cmp.Or(spec.StopTimeout, defaultStopTimeout)
	}
	if now.Sub(d.ending.told) >= timeout {
		return endNow
	}
	return endWaits
}

// told notes that a process was told to end, the first time.
func (d *driver) told(pid int) {
	if d.ending.pid != pid {
		// Not the pass's reading: a slow pass must not shorten the time to end.
		d.ending = ending{pid: pid, told: time.Now()}
	}
}

// tell notes that the process is asked to end.
func (d *driver) tell(now time.Time) {
	d.asked = slices.DeleteFunc(d.asked, func(t time.Time) bool { return now.Sub(t) > askedWindow })
	// Not the pass's reading: a death before this moment was not asked for.
	d.asked = append(d.asked, time.Now())
}

// down has the process end and not come back. It is told once, for s6-supervise
// would give it as much time once more, unless it is wanted up again.
func (d *driver) down(now time.Time, spec *Spec) error {
	// The file first: a tree that restarts in between must not start it. Where
	// there is no room for a file the process is to end all the same.
	fileErr := d.fs.WriteFile(path.Join(d.service, fileDown), nil, 0o644)
	status, err := d.tree.Status(d.service)
	if _, err := found(err); err != nil {
		return errors.Join(fileErr, err)
	}
	commands := []supervise.Command{supervise.CommandDown}
	due := d.due(now, status.PID, spec)
	switch {
	case status.Up() && due == endWaits && !status.WantUp:
		return fileErr
	case status.Up() && due == endNow:
		commands = []supervise.Command{supervise.CommandDown, supervise.CommandKill}
	}
	d.tell(now)
	err = d.tree.Control(d.service, commands...)
	switch {
	case err == nil && status.Up():
		d.told(status.PID)
	case errors.Is(err, supervise.ErrNotSupervised):
		err = nil // nothing to bring down
	}
	return errors.Join(fileErr, err)
}

// restart ends the process once with its stop signal, and with KILL if it
// does not end for that.
func (d *driver) restart(now time.Time, spec *Spec) error {
	status, err := d.tree.Status(d.service)
	if err != nil {
		return err
	}
	if !status.Up() || status.PID != d.seen {
		return nil // it has ended, and another may have begun
	}
	switch d.due(now, status.PID, spec) {
	case endNow:
		return d.tree.Control(d.service, supervise.CommandKill)
	case endAsked:
		d.tell(now)
		if err := d.tree.Control(d.service, supervise.CommandRestart, supervise.CommandCont); err != nil {
			return err
		}
		d.told(status.PID)
	}
	return nil
}

// endStray ends a process that lost its supervisor, in the same way.
func (d *driver) endStray(now time.Time, spec *Spec) error {
	signal := syscall.SIGKILL
	switch d.due(now, d.stray.of, spec) {
	case endWaits:
		return nil
	case endAsked:
		signal = spec.stopSignal()
	}
	err := d.tree.Signal(d.service, d.stray.of, signal)
	if err != nil && !errors.Is(err, syscall.ESRCH) {
		return err
	}
	d.told(d.stray.of) // or it has ended
	return nil
}

// dismiss has s6-svscan end the supervisor of a directory that it finds no link
// to any more. One that has not ended in time, or that no s6-svscan cares for,
// is told so itself.
func (d *driver) dismiss(now time.Time, dir string) error {
	first := d.pruned.IsZero()
	if !first && now.Sub(d.pruned) < scanPatience {
		return nil
	}
	status, err := d.tree.Status(dir)
	if _, err := found(err); err != nil {
		return err
	}
	commands := []supervise.Command{supervise.CommandExit}
	// A process that was told to end is not told again: it would get as much
	// time once more.
	if first || !status.Up() || status.WantUp {
		err := d.tree.Prune()
		if err != nil && !errors.Is(err, supervise.ErrNotSupervised) {
			return err
		}
		if first && err == nil {
			d.pruned = time.Now() // Not the pass's reading: as above.
			return nil
		}
		commands = []supervise.Command{supervise.CommandDown, supervise.CommandExit}
	}
	d.pruned = time.Now() // Not the pass's reading: as above.
	if err := d.tree.Control(dir, commands...); err != nil && !errors.Is(err, supervise.ErrNotSupervised) {
		return err
	}
	return nil
}
