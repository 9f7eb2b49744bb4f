package s6

import (
	"reflect"
	"time"

	"github.com/evenkeel/evenkeel/fsm"
)

// observeCheck tells what the checks of the process have found out, and has those
// made that are due: of a process that is to run and can be held to it. What was
// found out about another process, or by another check, does not count.
func (d *driver) observeCheck(now time.Time, o *Observed, desired fsm.Desired[*Spec]) error {
	spec := desired.Spec
	if spec.Check.IsZero() {
		d.rest()
		return nil
	}
	of := ""
	if desired.State == Running && o.Owner == "" && o.checkable() {
		of = identity(&o.Status)
	}
	d.aim(now, of, o, spec)
	var passed time.Time
	o.Check, passed = d.checking.found()
	o.Check.What, o.Check.Limit, o.Check.Restart = spec.Check.what(), spec.Check.failures(), spec.Check.Restart
	if spec.Check.Restart {
		if err := d.observeRestarts(o, passed); err != nil {
			return err
		}
	}
	d.check = o.Check
	return nil
}

// observeRestarts tells how many restarts for the check there were in a row, and
// when the next one may be. Passed is when a check was passed last.
func (d *driver) observeRestarts(o *Observed, passed time.Time) error {
	h, err := d.readHung()
	if err != nil || h.restarts == 0 {
		return err
	}
	uptime, err := d.tree.Uptime()
	if err != nil {
		return err
	}
	now := time.Now() // Not the pass's reading: that is from before this uptime.
	last := now.Add(h.at - uptime)
	o.Check.Why = h.why
	if h.at <= uptime && passed.Sub(last) >= longestPause {
		return nil // the next one is the first in a row
	}
	o.Check.Restarts, o.Check.Next = h.restarts, now.Add(h.left(uptime))
	return nil
}

// aim has a process checked as a spec says, none where it is the empty text. The
// age of a process is taken once: what the clock is set to later does not make it
// older.
func (d *driver) aim(now time.Time, of string, o *Observed, spec *Spec) {
	if c := d.checking; c != nil && c.of == of && (c.spec == spec || reflect.DeepEqual(c.spec.Check, spec.Check)) {
		return
	}
	d.rest()
	if of == "" {
		return
	}
	began := o.Status.Stamp
	if o.Began.After(began) {
		began = o.Began
	}
	grace := now
	if within(now.Add(o.Late), began, spec.StartTime()) {
		grace = now.Add(spec.StartTime() - max(0, now.Sub(began)))
	}
	d.checking = &checking{tree: d.tree, service: d.service, spec: spec, of: of, grace: grace, wake: d.wake}
	d.checking.begin()
}

// rest has nothing checked.
func (d *driver) rest() {
	d.checking.end()
	d.checking = nil
}
