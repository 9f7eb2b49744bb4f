package s6

import (
	"errors"
	"io/fs"
	"time"

	"github.com/evenkeel/evenkeel/s6/supervise"
)

// remove does one step of a removal. The link goes before what it leads to, and
// the supervisors end before their directory goes.
func (d *driver) remove(now time.Time, spec *Spec) error {
	linked, err := d.linked()
	if err != nil {
		return err
	}
	if linked {
		if err := d.fs.Remove(d.tree.Layout().Link(d.name)); err != nil {
			return err
		}
		d.dismissed, d.calm = nil, time.Time{}
	}
	held, err := d.supervisors()
	if err != nil {
		return err
	}
	switch {
	case len(held) > 0:
		return d.dismiss(now, held)
	case d.calm.IsZero():
		err := d.tree.Prune()
		if err == nil {
			d.pruned(held)
		}
		if !errors.Is(err, supervise.ErrNotSupervised) {
			return err
		}
	case now.Before(d.calm):
		return nil
	}
	return d.delete(spec)
}

// supervisor is a supervisor that lives, with the directory that it serves.
type supervisor struct {
	dir string
	pid int
}

// supervisors returns the service's own supervisor and that of its logger, as
// far as they live.
func (d *driver) supervisors() (held []supervisor, err error) {
	for _, dir := range []string{d.service, d.paths.logger} {
		state, err := d.tree.Supervisor(dir)
		if err != nil {
			return nil, err
		}
		if state.Held {
			held = append(held, supervisor{dir, state.PID})
		}
	}
	return held, nil
}

// dismiss ends supervisors whose link is gone, through s6-svscan. The first of
// them is told directly if it has not ended in time, or if there is no
// s6-svscan.
func (d *driver) dismiss(now time.Time, held []supervisor) error {
	first := held[0]
	due := d.dismissed.due(now, first.pid, scanPatience)
	if due == endWait {
		return nil
	}
	status, err := d.tree.Status(first.dir)
	if _, err := written(err); err != nil {
		return err
	}
	commands := []supervise.Command{supervise.CommandExit}
	// A process that was told to end is not told again: it would get as much
	// time once more.
	if due == endAsk || !status.Up() || status.WantUp {
		err := d.tree.Prune()
		if err != nil && !errors.Is(err, supervise.ErrNotSupervised) {
			return err
		}
		d.pruned(held)
		if due == endAsk && err == nil {
			return nil
		}
		commands = []supervise.Command{supervise.CommandDown, supervise.CommandExit}
	}
	d.dismissed.note(first.pid)
	if err := d.tree.Control(first.dir, commands...); err != nil && !errors.Is(err, supervise.ErrNotSupervised) {
		return err
	}
	return nil
}

// pruned records that s6-svscan was told that the link is gone, and with it all
// supervisors: the logger's supervisor also has its time to read to the end.
func (d *driver) pruned(held []supervisor) {
	for _, s := range held {
		d.dismissed.note(s.pid)
	}
	if !d.calm.IsZero() {
		return
	}
	d.calm = time.Now() // Not the pass's reading: a slow pass must not shorten the time.
	if len(held) < 2 {
		// s6-svscan may have just started a supervisor that holds no lock yet.
		d.calm = d.calm.Add(scanTime)
	}
}

// delete deletes the directory of a service that nobody supervises and whose
// instance lock nobody holds. The logs go first, if they go, and then all the
// rest at once, so that there is a manifest as long as there is something to
// remove.
func (d *driver) delete(spec *Spec) error {
	process, err := d.tree.Process(d.service)
	if err != nil {
		return err
	}
	if process.Held {
		return errors.New("one of its processes has not ended")
	}
	if spec == nil {
		m, err := untorn(readManifest(d.fs, d.service))
		if err != nil {
			return err
		}
		if m != nil {
			spec = m.Spec
		}
	}
	if spec != nil && spec.Log.RemoveWithService {
		if err := d.fs.RemoveAll(d.tree.Layout().Log(d.name)); err != nil {
			return err
		}
	}
	if err := d.Close(); err != nil {
		return err
	}
	gone := d.aside(asideGone)
	for _, dir := range []string{gone, d.aside(asideNew)} {
		if err := d.fs.RemoveAll(dir); err != nil {
			return err
		}
	}
	if err := d.fs.Rename(d.service, gone); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	d.examined, d.intact = false, false
	d.dismissed, d.calm = nil, time.Time{}
	d.asked, d.tally = nil, tallyCache{}
	return d.fs.RemoveAll(gone)
}
