package s6

import (
	"errors"
	"path"
	"slices"
	"syscall"
	"time"

	"github.com/evenkeel/evenkeel/s6/supervise"
)

// observeLeft finds out what processes of the service have left running that
// have ended. What runs itself is not looked at: its group is its own.
func (d *driver) observeLeft(now time.Time, o *Observed, process supervise.LockState) error {
	if err := d.observeLeaders(now, o, process); err != nil {
		return err
	}
	d.left = d.left[:0]
	for n := len(d.leaders) - 1; n >= 0; n-- {
		l := d.leaders[n]
		if l.pid == process.PID || l.pid == o.Status.PID && o.Supervised && o.Status.Up() {
			continue
		}
		left, err := d.tree.Group(d.service, l.pid, l.seen)
		if err != nil {
			return err
		}
		if len(left) == 0 {
			d.leaders = slices.Delete(d.leaders, n, n+1)
			continue
		}
		d.left = append(d.left, l)
		o.Left = append(o.Left, left...)
	}
	return nil
}

// observeLeaders notes the processes that are alive for sure: the one that holds
// the instance lock, and a child of the supervisor. Others may have come and gone
// unseen: those that are written down are noted with each that is new.
func (d *driver) observeLeaders(now time.Time, o *Observed, process supervise.LockState) error {
	fresh := d.leaders.note(process.PID, now)
	if pid := o.Status.PID; o.Supervised && o.Status.Up() && pid != process.PID {
		child, err := d.tree.Child(d.service, pid)
		if err != nil {
			return err
		}
		if child {
			fresh = d.leaders.note(pid, now) || fresh
		}
	}
	d.recalled = d.recalled && !fresh
	if d.recalled {
		return nil
	}
	unfinished, err := d.readUnfinished()
	if err != nil {
		return err
	}
	for _, pid := range unfinished {
		d.leaders.note(pid, time.Time{})
	}
	d.recalled = true
	return nil
}

// forgetUnfinished empties the list of processes that no finish script has seen
// to, once nothing of any but the last runs.
func (d *driver) forgetUnfinished() error {
	name := path.Join(d.service, fileUnfinished)
	if n, err := d.readStart(name, d.buf[:]); n == 0 || err != nil || len(d.leaders) > 1 {
		return err
	}
	return d.fs.WriteFile(name, nil, 0o644)
}

// endLeft ends what earlier processes have left running, as endStray does. It is
// killed at once where another process of the service is at work by now.
func (d *driver) endLeft(now time.Time, spec *Spec) error {
	process, err := d.tree.Process(d.service)
	if err != nil {
		return err
	}
	var errs []error
	for _, l := range d.left {
		due := d.ending.due(now, l.pid, spec.groupTimeout())
		signal := syscall.SIGKILL
		switch {
		case process.PID != 0:
		case due == endWait:
			continue
		case due == endAsk:
			signal = spec.manner().signal
		}
		err := d.tree.SignalGroup(d.service, l.pid, l.seen, signal)
		if err == nil && due == endAsk {
			d.ending.note(l.pid)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
