package s6

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"time"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

// Do implements fsm.Driver. It does nothing to another owner's service, and
// fails for good.
func (d *driver) Do(ctx context.Context, action fsm.Action, desired fsm.Desired[*Spec]) error {
	if err := d.checkOwner(); err != nil {
		return err
	}
	now := fsm.Now(ctx)
	switch action {
	case actCreate:
		return d.create(desired)
	case actNudge:
		return d.nudge(desired)
	case actWrite:
		return d.write(desired.Spec)
	case actUp:
		return d.up()
	case actResume:
		return d.resume()
	case actDown:
		return d.down(now, desired.Spec)
	case actRestart:
		return d.restart(now, desired.Spec)
	case actHung:
		return d.restartHung(now, desired.Spec)
	case actEndStray:
		return d.endStray(now, desired.Spec)
	case actEndLeft:
		return d.endLeft(now, desired.Spec)
	case actFreshLogger:
		return d.tree.Control(d.paths.logger, supervise.CommandExit)
	case actStatus:
		// It is written with each command, and a process that is not paused ignores this.
		return d.tree.Control(d.service, supervise.CommandCont)
	case actRecord:
		return d.record()
	case actRelog:
		return d.relog()
	case actRemove:
		if desired.State != fsm.StateRemoved {
			// Something else is asked for: the next service of this name.
			return d.remove(now, nil)
		}
		return d.remove(now, desired.Spec)
	}
	return fsm.Permanent(fmt.Errorf("no action %q", action))
}

// checkOwner refuses a service of another owner.
func (d *driver) checkOwner() error {
	other, err := d.belongsTo()
	if errors.Is(err, ErrVersion) {
		d.foreign, d.examined = unknownOwner, true
		return fsm.Permanent(err)
	}
	if err != nil || other == "" || other == d.owner {
		return err
	}
	d.foreign, d.examined = other, true
	return fsm.Permanent(fmt.Errorf("%w: %s belongs to %q: give one of the two another name", ErrOwned, d.service, other))
}

// belongsTo is Owner of this service. A manifest that says what it said the last
// time is not parsed again.
func (d *driver) belongsTo() (owner string, err error) {
	text, there, err := manifestText(d.fs, d.service)
	if err != nil {
		return "", unowned(err)
	}
	switch {
	case !there:
		return "", nil
	case d.said.owner != "" && string(text) == d.said.text:
		return d.said.owner, nil
	}
	m, err := untorn(parseManifest(text, d.service))
	if err != nil {
		return "", unowned(err)
	}
	if m == nil {
		return "", nil
	}
	d.said = said{string(text), m.Kind}
	return m.Kind, nil
}

// errLags is what Restart returns of a process that no status names.
var errLags = errors.New("its supervisor has not written down which process it runs, as on a full disk")

// Restart implements fsm.Restarter. A running process is marked as one to be
// replaced; the mark outlives this program. A process that does not run is
// started at once, whatever keeps s6 from it.
func (d *driver) Restart(_ context.Context, desired fsm.Desired[*Spec]) error {
	if err := d.checkOwner(); err != nil {
		return err
	}
	if err := d.forgetHung(desired.Spec); err != nil {
		return err
	}
	status, err := d.tree.Status(d.service)
	there, err := written(err)
	if err != nil {
		return err
	}
	process, err := d.tree.Process(d.service)
	if err != nil {
		return err
	}
	if process.PID != 0 && process.PID != status.PID {
		lags, err := d.tree.Child(d.service, process.PID)
		if lags || err != nil {
			return cmp.Or(err, errLags)
		}
	}
	if !there && process.PID != 0 {
		if desired.Spec != nil && desired.Spec.Restart == RestartNever {
			return errLags // passes do not replace it, and a mark has to say which process it is of
		}
		return nil // passes do
	}
	if status.Up() {
		if err := d.mark(startedReplaced, &status); err != nil {
			return err
		}
		return d.clearCourse() // whatever has been counted
	}
	err = d.up()
	if errors.Is(err, supervise.ErrNotSupervised) {
		return nil // passes see to it
	}
	return err
}

func (d *driver) up() error {
	if err := d.fs.Remove(path.Join(d.service, fileDown)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := d.forgetUnfinished(); err != nil {
		return err
	}
	if err := d.clearCourse(); err != nil {
		return err
	}
	d.failed.Store(false)
	d.voidRequests()
	return d.tellUp()
}

// resume does not bring up what somebody has told to be down since it was observed,
// and forgets nothing of what has been counted.
func (d *driver) resume() error {
	status, err := d.tree.Status(d.service)
	if _, err := written(err); err != nil {
		return err
	}
	if status.PID != 0 || !status.WantUp || !status.Stamp.Equal(d.stamp) {
		return nil
	}
	return d.tellUp()
}

// tellUp has s6-supervise start a process at once, if none runs.
func (d *driver) tellUp() error {
	if err := d.tree.Control(d.service, supervise.CommandUp); err != nil {
		return err
	}
	d.replacing = 0
	d.toldDown = time.Time{}
	d.toldAfter = d.stamp
	d.toldUp = time.Now() // Not the pass's reading: the supervisor has this much time.
	return nil
}

// relog has s6-log restarted. It makes its own directory, and not the one above.
func (d *driver) relog() error {
	if err := d.fs.MkdirAll(d.tree.Layout().LogsDir, 0o755); err != nil {
		return err
	}
	d.loggerAt = time.Time{} // to be looked at soon
	return d.tree.Control(d.paths.logger, supervise.CommandTerm)
}
