package s6

import (
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/fsm"
)

// hear notes, before anything is looked at, whether what happens from here on is
// heard. What is looked at only now and then is looked at where it was touched.
func (d *driver) hear() {
	if d.touched.Swap(false) {
		d.lookedAt, d.loggerAt = time.Time{}, time.Time{}
	}
	d.heard = d.attending && d.watch != nil && d.watch.Attends()
}

// Hears implements fsm.Hearer. It has the tree attend to a service that needs nothing
// else. What was seen before that does not count: a pass has to look at all of it since.
func (d *driver) Hears() bool {
	if !d.quiet || d.heard || d.watch == nil {
		return d.quiet && d.heard
	}
	files := make([]string, len(d.files))
	for n, f := range d.files {
		files[n] = f.name
	}
	d.attending = d.watch.Attend(files) == nil
	d.touched.Store(d.attending)
	return false
}

// isQuiet reports whether nothing but what the tree can hear changes what was seen:
// time alone changes nothing of it, and nothing is there that has no file and no
// supervisor.
func (d *driver) isQuiet(now time.Time, o *Observed, desired fsm.Desired[*Spec]) bool {
	// A process that has just begun, or was just told something, is judged leniently.
	lenient := slices.ContainsFunc([]time.Time{o.Status.Stamp, o.Status.ReadyStamp, d.toldUp, d.toldDown}, func(t time.Time) bool {
		return within(now, t, quietPatience) || within(now.Add(o.Late), t, quietPatience)
	})
	whole := o.whole() && o.Intact && o.Owner == "" && desired.Spec != nil && o.StatusProblem == "" && !o.Unrecorded && !d.unrecorded
	alone := d.doubt.IsZero() && len(d.remains) == 0 && len(o.Left) == 0 && o.StrayPID == 0 && o.stranger == 0
	waits := o.Lags || o.Told || o.Unheard || o.Awaited || !o.Waits.IsZero() || d.sleeper.Of != 0 || d.gone.Of != 0 ||
		d.silent.Of || d.owed.Of || d.unstarted.Of || d.loggerDown.Of || d.logsGone
	counted := o.Deaths > 0 || o.Check.Failures > 0 || o.Check.Unmade || o.Check.Restarts > 0
	return !lenient && whole && alone && !waits && !counted && o.CommandProblem == ""
}
