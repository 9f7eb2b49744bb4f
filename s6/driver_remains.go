package s6

import (
	"time"

	"github.com/evenkeel/evenkeel/s6/supervise"
)

// observeRemains finds out whether something is left of a service directory
// that was deleted. It asks the tree, which is expensive, only where that is in
// doubt: at first, once the directory or the supervisor that was known is gone,
// and as long as something is left.
func (d *driver) observeRemains(now time.Time, o *Observed, supervisor, logs, process supervise.LockState) error {
	if err := d.observeLock(now, o, process); err != nil {
		return err
	}
	lost := d.lost(&d.supervisor, supervisor)
	if d.lost(&d.logSuper, logs) || lost || d.watch != nil && !d.watch.Linked() {
		d.doubt = time.Now() // Not the pass's reading: what is seen is newer.
	}
	if !d.doubt.IsZero() {
		left, err := d.tree.Remains(d.service, d.sighting, d.doubt)
		if err != nil {
			return err
		}
		d.remains = left
		if len(left) == 0 {
			d.doubt = time.Time{}
		} else {
			d.doubt = time.Now() // Not the pass's reading: the next look is to be newer.
		}
	}
	if len(d.remains) > 0 && d.remains[0].Logger && o.Exists && o.Supervised {
		o.LoggerRemains = true
		return nil
	}
	if len(d.remains) > 0 {
		o.StrayPID, o.Deleted, o.Locked, o.Lags = d.remains[0].PID, true, true, false
		return nil
	}
	pid := process.PID
	if pid == 0 && o.Supervised && o.Status.Up() {
		pid = o.Status.PID
	}
	if pid != 0 || supervisor.PID != 0 || logs.PID != 0 {
		d.sighting = Sighting{pid, supervisor.PID, logs.PID, time.Now()} // Not the pass's reading: they were seen after that.
	}
	return nil
}

// lost notes which supervisor serves a directory, and reports whether another one
// did that nobody has told to end.
func (d *driver) lost(known *int, now supervise.LockState) bool {
	before := *known
	*known = now.PID
	return before != 0 && before != now.PID && !d.dismissed.has(before)
}

// observeLock finds out whether the instance lock of a process that runs was
// deleted. Its start makes it, so one that has only just started may have none.
func (d *driver) observeLock(now time.Time, o *Observed, process supervise.LockState) error {
	if process.Held || !o.Supervised || !o.Status.Up() || within(now, o.Status.Stamp, startedPatience) {
		return nil
	}
	_, err := d.fs.Lstat(lockOf(d.service))
	there, err := found(err)
	o.Unlocked = err == nil && !there && o.Exists
	return err
}

func pids(remains []Remnant) (all []int) {
	for _, r := range remains {
		all = append(all, r.PID)
	}
	return all
}
