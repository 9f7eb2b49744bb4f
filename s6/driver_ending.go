package s6

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"syscall"
	"time"

	"github.com/evenkeel/evenkeel/s6/supervise"
)

// asks records that the process is about to be asked to end: its death is no
// crash.
func (d *driver) asks(now time.Time) {
	d.asked = slices.DeleteFunc(d.asked, func(t time.Time) bool { return now.Sub(t) > askedWindow })
	// Not the pass's reading: a death before this moment was not asked for.
	d.asked = append(d.asked, time.Now())
}

// voidRequests forgets requests to end that met no process: those since the last
// one died. The next death is that of a process which nobody has asked yet.
func (d *driver) voidRequests() {
	if d.seen == 0 {
		// The status is stamped by the wall clock.
		d.asked = slices.DeleteFunc(d.asked, func(t time.Time) bool { return t.Round(0).After(d.tally.stamp) })
	}
}

// down ends the process for good. It tells the process once, for s6-supervise
// would give it as much time once more. If the process is wanted up all the
// same, s6-supervise has not read that yet, or somebody has told it otherwise
// since: it is told again, and the process is not.
func (d *driver) down(now time.Time, spec *Spec) error {
	// The file first: a tree that restarts in between must not start the
	// process. If there is no room for the file, the process is to end all the
	// same.
	fileErr := d.fs.WriteFile(path.Join(d.service, fileDown), nil, 0o644)
	if errors.Is(fileErr, fs.ErrNotExist) {
		fileErr = nil // the directory was deleted: a tree has nothing to start
	}
	status, err := d.tree.Status(d.service)
	if _, err := written(err); err != nil {
		return errors.Join(fileErr, err)
	}
	commands := []supervise.Command{supervise.CommandDown}
	due := d.ending.downDue(now, status.PID, spec.manner())
	switch {
	case status.Up() && due == endWait && !status.WantUp:
		return fileErr
	case status.Up() && due == endWait:
		commands = []supervise.Command{supervise.CommandOnceAtMost}
	case status.Up() && due == endInsist:
		commands = []supervise.Command{supervise.CommandOnceAtMost, supervise.CommandKill}
	}
	d.asks(now)
	err = d.tree.Control(d.service, commands...)
	switch {
	case err == nil && status.Up() && due == endAsk:
		d.ending.note(status.PID)
	case err == nil && !status.Up():
		d.toldDown = time.Now() // Not the pass's reading: what begins after that is told.
	case errors.Is(err, supervise.ErrNotSupervised):
		err = nil // nothing to bring down
	}
	if err == nil {
		// Not before: what pauses would begin, if s6-supervise starts it now.
		err = errors.Join(d.clearCourse(), d.forgetHung(spec))
	}
	return errors.Join(fileErr, err)
}

// restart ends the process once with its stop signal, and with KILL if that
// does not end it.
func (d *driver) restart(now time.Time, spec *Spec) error {
	status, err := d.tree.Status(d.service)
	if _, err := written(err); err != nil {
		return err
	}
	if !status.Up() || status.PID != d.seen {
		return nil // it has ended, and another may have begun
	}
	switch d.ending.due(now, status.PID, spec.manner().patience) {
	case endInsist:
		return d.tree.Control(d.service, supervise.CommandKill)
	case endAsk:
		d.asks(now)
		if spec.Judges() && d.mark(startedReplaced, &status) != nil {
			// On a full disk its end counts as a failure.
			d.marks = marks{}
		}
		if err := d.clearCourse(); err != nil {
			return err
		}
		if err := d.tree.Control(d.service, supervise.CommandRestart, supervise.CommandCont); err != nil {
			return err
		}
		d.ending.note(status.PID)
		d.replacing = status.PID
	}
	return nil
}

// restartHung ends a process that does not answer its check, once that is written
// down: the count goes on though this program is killed at any moment.
func (d *driver) restartHung(now time.Time, spec *Spec) error {
	status, err := d.tree.Status(d.service)
	if _, err := written(err); err != nil {
		return err
	}
	if !status.Up() || status.PID != d.seen {
		return nil // it has ended, and another may have begun
	}
	uptime, err := d.tree.Uptime()
	if err != nil {
		return err
	}
	h := hung{restarts: d.check.Restarts + 1, at: uptime, of: identity(&status), key: d.hungKey, why: d.check.evidence()}
	d.hungKnown = false // if this fails half-way
	if err := d.fs.ReplaceFile(path.Join(d.service, fileHung), []byte(h.text()), 0o600); err != nil {
		return err
	}
	d.hung, d.hungKnown = h, true
	return d.restart(now, spec)
}

// endStray ends a process that lost its supervisor, in the same way.
func (d *driver) endStray(now time.Time, spec *Spec) error {
	if len(d.remains) > 0 {
		return d.endRemains(now, spec)
	}
	pid := d.stray.Of
	m := spec.manner()
	due := d.ending.due(now, pid, m.patience)
	signal := syscall.SIGKILL
	switch due {
	case endWait:
		return nil
	case endAsk:
		signal = m.signal
	}
	err := d.tree.Signal(d.service, pid, signal)
	if err != nil && !errors.Is(err, syscall.ESRCH) {
		return err
	}
	if due == endAsk {
		d.ending.note(pid) // or it has ended
	}
	return nil
}

// endRemains ends what is left of a deleted directory, in the time that the
// service has for it: its own time-outs went with the directory.
func (d *driver) endRemains(now time.Time, spec *Spec) error {
	// A link that leads nowhere keeps some versions from starting anything.
	_, err := d.fs.Stat(d.paths.link)
	if errors.Is(err, fs.ErrNotExist) {
		if err := d.fs.Remove(d.paths.link); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	left := next(d.remains)
	handsOver := left[0].Logger && d.supervisor != 0
	if left[0].Logger && !handsOver {
		// s6-svscan has to let go of the pipe that the logger reads.
		if err := d.tree.Prune(); err != nil && !errors.Is(err, supervise.ErrNotSupervised) {
			return err
		}
	}
	m := spec.manner()
	due := func(r Remnant) []syscall.Signal {
		if !d.ending.has(r.PID) {
			d.asks(now)
			if handsOver && r.Supervisor {
				// It ends its logger at the end of a line. What comes meanwhile
				// waits in the pipe for the next one.
				return []syscall.Signal{syscall.SIGTERM}
			}
		}
		return r.ends(now, d.ending, m)
	}
	return endRemnants(left, &d.ending, due, func(pid int, signals ...syscall.Signal) error {
		return d.tree.EndRemnant(d.service, d.sighting, pid, signals...)
	})
}
