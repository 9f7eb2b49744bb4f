package s6

import (
	"errors"
	"syscall"
	"time"

	"github.com/evenkeel/evenkeel/s6/supervise"
)

// owedSince returns since when s6-svscan owes a supervisor to the service or its
// logger, zero while it owes none.
func (d *driver) owedSince(o *Observed) time.Time {
	switch {
	case !o.Linked || o.Supervised && o.LoggerSupervised:
		d.owed = time.Time{}
	case d.owed.IsZero():
		d.owed = time.Now()
	}
	return d.owed
}

// cannotTell reports whether a supervisor has had the time to write its first
// status: on a full disk it cannot, and serves its service all the same.
func (d *driver) cannotTell(supervisor supervise.LockState) bool {
	now := time.Now()
	switch {
	case !supervisor.Held:
		d.silent = time.Time{}
		return false
	case d.silent.IsZero():
		d.silent = now
	}
	return now.Sub(d.silent) >= statusPatience
}

// reconcileStatus compares the status with who holds the instance lock. Where a
// process holds it, for a while, that the status does not name, either it has
// lost its supervisor or the status lags behind.
func (d *driver) reconcileStatus(o *Observed, process supervise.LockState) (err error) {
	if process.PID == 0 || o.Supervised && process.PID == o.Status.PID {
		d.stray = straySighting{}
		o.Ended, err = d.ended(o)
		return err
	}
	now := time.Now()
	if d.stray.pid != process.PID {
		d.stray = straySighting{process.PID, now}
		time.AfterFunc(strayPatience, d.wake)
		return nil
	}
	if now.Sub(d.stray.since) < strayPatience {
		return nil
	}
	if o.Supervised {
		if o.Lags, err = d.tree.Child(d.service, process.PID); err != nil {
			return err
		}
	}
	if o.Lags {
		o.Status.PID = process.PID
		return nil
	}
	o.StrayPID = process.PID
	return nil
}

// ended reports whether the process that the status names was told to end by
// this driver, and has, for so long that the status does not tell.
func (d *driver) ended(o *Observed) (bool, error) {
	pid := o.Status.PID
	if !o.Supervised || o.Locked || !o.AskedDown || pid == 0 || pid != d.ending.pid {
		return false, nil
	}
	child, err := d.tree.Child(d.service, pid)
	switch {
	case child || err != nil:
		d.ending.gone = time.Time{}
		return false, err
	case d.ending.gone.IsZero():
		d.ending.gone = time.Now()
		time.AfterFunc(endedPatience, d.wake)
	}
	return time.Since(d.ending.gone) >= endedPatience, nil
}

// observeLogger finds out whether the logger runs. It is looked at now and then:
// nothing depends on its state but what is said of the service.
func (d *driver) observeLogger(o *Observed) error {
	now := time.Now()
	if !o.LoggerSupervised {
		d.logs = loggerSighting{}
		return nil
	}
	if d.logs.since.IsZero() && now.Sub(d.logs.looked) < loggerEvery {
		return nil
	}
	d.logs.looked = now
	status, err := d.tree.Status(d.paths.logger)
	if ok, err := found(err); err != nil || !ok {
		return err
	}
	runs := status.Up() && status.Ready
	if !runs {
		// One that has lost its supervisor goes on all the same.
		holder, err := d.tree.Logger(d.name)
		if err != nil && !errors.Is(err, syscall.ENOTDIR) {
			return err
		}
		runs = holder.Held
	}
	if runs {
		d.logs.since, d.logs.problem = time.Time{}, ""
		return nil
	}
	if d.logs.since.IsZero() {
		d.logs.since = now
	}
	if now.Sub(d.logs.since) >= loggerPatience {
		d.logs.problem = "since " + d.logs.since.Format(time.RFC3339) + ", last " + status.WaitStatus.String()
	}
	o.LoggerProblem = d.logs.problem
	return nil
}
