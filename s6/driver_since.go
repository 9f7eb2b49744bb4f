package s6

import (
	"errors"
	"syscall"
	"time"

	"github.com/evenkeel/evenkeel/s6/supervise"
)

// reconcileStatus compares the status with who holds the instance lock. If a
// process that the status does not name has held it for a while, either the
// process is a stray or the status lags. The same goes for a process that the
// status names and the supervisor has not started: the status may be what an
// earlier supervisor has left.
func (d *driver) reconcileStatus(now time.Time, o *Observed, supervisor, process supervise.LockState) error {
	gone, err := d.hasGone(o)
	if err != nil {
		return err
	}
	if d.gone.Note(gone) {
		time.AfterFunc(endedPatience, d.wake)
	}
	o.Ended = d.gone.Lasts(now, endedPatience)
	stray := process.PID
	if o.Supervised && stray == o.Status.PID {
		own, err := d.hasStarted(supervisor.PID, stray)
		if err != nil {
			return err
		}
		if own {
			stray = 0
		}
	}
	if d.stray.Note(stray) {
		time.AfterFunc(strayPatience, d.wake)
	}
	lasts := d.stray.Lasts(now, strayPatience)
	own := false
	if o.Supervised && stray != 0 {
		if own, err = d.tree.Child(d.service, stray); err != nil {
			return err
		}
	}
	if o.Lags = own && (lasts || o.StatusProblem != ""); o.Lags {
		o.Status.PID = stray
		return nil
	}
	if !own {
		o.stranger = stray
	}
	if lasts {
		o.StrayPID = stray
	}
	return nil
}

// hasStarted reports whether a supervisor has started a process, 0 for none, as
// far as it is known which they are. It asks about each two once.
func (d *driver) hasStarted(supervisor, pid int) (bool, error) {
	both := [2]int{supervisor, pid}
	if supervisor == 0 || pid == 0 || d.started == both {
		return true, nil
	}
	child, err := d.tree.Child(d.service, pid)
	if child && err == nil {
		d.started = both
	}
	return child, err
}

// hasGone returns the process that the status names, if this driver told it to
// end and it has ended; 0 for none.
func (d *driver) hasGone(o *Observed) (pid int, err error) {
	pid = o.Status.PID
	if !o.Supervised || o.Locked || !o.AskedDown || pid == 0 || !d.ending.has(pid) {
		return 0, nil
	}
	child, err := d.tree.Child(d.service, pid)
	if child || err != nil {
		return 0, err
	}
	return pid, nil
}

// observeTold finds out whether the process has been told to end.
func (d *driver) observeTold(now time.Time, o *Observed) {
	if o.Status.Up() && within(now, d.toldDown, quietPatience) {
		d.ending.note(o.Status.PID) // it began just before its supervisor heard that
		d.toldDown = time.Time{}
	}
	d.seen, d.stamp = o.Status.PID, o.Status.Stamp
	o.Told = d.ending.has(d.seen)
	o.Overdue = o.Told && d.ending.downDue(now, d.seen, d.spec.manner()) == endInsist
}

// observeUnstarted finds out whether a process that is to start is awaited, or may
// be about to start, and whether the supervisor could not start it. The supervisor
// tries again after ten seconds or a minute, unless it is told.
func (d *driver) observeUnstarted(now time.Time, o *Observed) (err error) {
	if o.Status.Up() && o.Status.PID != d.replacing {
		d.replacing = 0 // another one runs
	}
	o.Unheard = o.Supervised && o.Status.PID == 0 && within(now, d.toldUp, quietPatience) && o.Status.Stamp.Equal(d.toldAfter)
	o.Awaited = d.replacing != 0 && o.Supervised && o.Status.PID == 0 && o.Status.WantUp
	d.unstarted.Note(o.Supervised && o.Status.PID == 0 && o.Status.WantUp)
	if !d.unstarted.Lasts(now, unstartedPatience) {
		return nil
	}
	if o.Complaint, err = d.tree.Complaint(d.service); err != nil {
		return err
	}
	o.Unstarted = o.Complaint != "" || d.unstarted.Lasts(now, quietPatience)
	o.StartDue = now.Sub(d.toldUp) >= later
	return nil
}

// observeLogger finds out whether the logger runs. It looks now and then: no
// decision depends on the logger but what is said of the service. Only a look
// that came to its end counts as one.
func (d *driver) observeLogger(now time.Time, o *Observed) error {
	defer func() { o.LogsDeleted = d.logsGone && o.LoggerSupervised }()
	if !o.LoggerSupervised {
		d.loggerDown.Note(false)
		d.loggerAt = time.Time{}
		return nil
	}
	if !d.loggerDown.Of && now.Sub(d.loggerAt) < loggerEvery {
		return nil
	}
	status, statusErr := d.tree.Status(d.paths.logger)
	if ok, err := written(statusErr); err != nil || !ok && !torn(statusErr) {
		return err
	}
	runs, obstacle := status.Up() && status.Ready, error(nil)
	// A logger that has lost its supervisor goes on all the same, and one whose
	// directory was deleted holds the lock of none.
	holder, err := d.tree.Logger(d.name)
	if obstacle = barred(err); err != nil && obstacle == nil {
		return err
	}
	if d.logsGone, err = d.lostLogs(runs && !holder.Held && obstacle == nil); err != nil {
		return err
	}
	runs = runs || holder.Held
	d.loggerAt = now
	d.loggerDown.Note(!runs)
	if d.loggerDown.Lasts(now, loggerPatience) {
		o.LoggerProblem = "since " + d.loggerDown.Since.Format(time.RFC3339) + ", last " + status.WaitStatus.String()
		if obstacle != nil {
			o.LoggerProblem += ", and " + d.tree.Layout().Log(d.name) + ": " + obstacle.Error()
		}
	}
	return nil
}

// lostLogs reports whether a logger that holds no lock has none to hold.
func (d *driver) lostLogs(unlocked bool) (bool, error) {
	if !unlocked {
		return false, nil
	}
	_, err := d.fs.Lstat(d.tree.Layout().logLock(d.name))
	there, err := found(err)
	return err == nil && !there, err
}

// barred returns what keeps this program, and with it the logger, from a log
// directory; nil if err is not of that sort.
func barred(err error) error {
	for _, why := range []error{syscall.ENOTDIR, syscall.EACCES, syscall.ELOOP} {
		if errors.Is(err, why) {
			return why
		}
	}
	return nil
}
