package s6

import (
	"context"
	"errors"
	"time"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

// Observe implements fsm.Driver.
func (d *driver) Observe(ctx context.Context, desired fsm.Desired[*Spec]) (Observed, error) {
	d.hear()
	now := fsm.Now(ctx)
	o, err := d.observe(now, desired)
	d.quiet = err == nil && d.isQuiet(now, &o, desired)
	return o, err
}

func (d *driver) observe(now time.Time, desired fsm.Desired[*Spec]) (o Observed, err error) {
	d.want(desired.Spec)
	if err := d.observeFiles(now, &o); err != nil {
		return Observed{}, err
	}
	if err := d.observeProcess(now, &o); err != nil {
		return Observed{}, err
	}
	if desired.State == fsm.StateRemoved {
		if o.Leftover, err = d.leftover(); err != nil {
			return Observed{}, err
		}
	}
	if desired.Spec == nil {
		d.rest()
		return o, nil
	}
	o.StartTimeout = desired.Spec.StartTime()
	o.ReadyRequired, o.Stays = desired.Spec.Ready.required(), desired.Spec.Ready.stays()
	o.WantHash, o.WantProcess = d.wantHash, d.wantProcess
	if err := d.observeCourse(&o, desired.Spec); err != nil {
		return Observed{}, err
	}
	if err := d.observeCheck(now, &o, desired); err != nil {
		return Observed{}, err
	}
	if desired.State == Running && !o.Status.Up() {
		if o.CommandProblem, err = d.tree.Unstartable(d.service); err == nil && o.CommandProblem == "" {
			o.CommandProblem, err = d.commandProblem(desired.Spec)
		}
	}
	return o, err
}

func (d *driver) observeProcess(now time.Time, o *Observed) error {
	service, err := d.tree.Supervisor(d.service)
	if err != nil {
		return err
	}
	logs, err := d.tree.Supervisor(d.paths.logger)
	if err != nil {
		return err
	}
	process, err := d.tree.Process(d.service)
	if err != nil {
		return err
	}
	o.Supervised, o.LoggerSupervised, o.Locked = service.Held, logs.Held, process.Held
	o.Status, err = d.tree.Status(d.service)
	o.Late = time.Since(now) // Not the pass's reading: a slow pass sees what has begun since.
	if torn(err) {
		o.StatusProblem = err.Error()
	}
	there, err := written(err)
	if err != nil {
		return err
	}
	d.silent.Note(!there && service.Held)
	if !there {
		// On a full disk the supervisor cannot write one, and serves its
		// service all the same. One whose status has been torn has written one.
		o.Supervised = service.Held && o.StatusProblem != "" || d.silent.Lasts(now, statusPatience)
	}
	if len(d.ending) > 0 {
		d.ending.keep(append(d.leaders.pids(o.Status.PID, process.PID), pids(d.remains)...)...)
	}
	if o.Started, err = d.readStarted(&o.Status); err != nil {
		return err
	}
	if err := d.observeLeft(now, o, process); err != nil {
		return err
	}
	d.owed.Note(o.Linked && !(o.Supervised && o.LoggerSupervised))
	o.Owed = d.owed.Since
	if err := d.reconcileStatus(now, o, service, process); err != nil {
		return err
	}
	if err := d.observeRemains(now, o, service, logs, process); err != nil {
		return err
	}
	d.observeRecord(now, o)
	d.observeTold(now, o)
	if err := d.observeLogger(now, o); err != nil {
		return err
	}
	if err := d.observeUnstarted(now, o); err != nil {
		return err
	}
	o.Failed = d.failed.Load()
	return d.observeDeaths(now, o)
}

func (d *driver) observeDeaths(now time.Time, o *Observed) error {
	if !d.tally.stamp.Equal(o.Status.Stamp) {
		deaths, err := supervise.ReadTally(d.fs, d.service)
		if _, err := found(err); err != nil && !errors.As(err, new(*supervise.StampError)) {
			return err // a broken record leaves those before it
		}
		d.tally.read(o.Status.Stamp, deaths, time.Now()) // Not the pass's reading: they are older than this.
	}
	o.Restarts = len(d.tally.deaths)
	if o.Restarts > 0 {
		o.Last = d.tally.deaths[o.Restarts-1]
	}
	o.Deaths, o.Unasked = recentDeaths(&d.tally, requests{opened: d.opened, asked: d.asked, changed: d.changed, stop: d.spec.manner().signal}, now)
	d.observeWords(now, o)
	return nil
}
