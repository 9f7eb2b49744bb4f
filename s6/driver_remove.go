package s6

import (
	"errors"
	"io/fs"
	"time"

	"github.com/evenkeel/evenkeel/s6/supervise"
)

// remove does one step of a removal: the link goes before what it leads to,
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
		d.pruned = time.Time{}
	}
	var held []string
	for _, dir := range []string{d.service, d.paths.logger} {
		supervisor, err := d.tree.Supervisor(dir)
		if err != nil {
			return err
		}
		if supervisor.Held {
			held = append(held, dir)
		}
	}
	first := d.pruned.IsZero()
	if first && len(held) < 2 {
		// s6-svscan may have just started one that holds no lock yet.
		// Not the pass's reading: a slow pass must not shorten the time for that.
		d.calm = time.Now().Add(scanTime)
	}
	switch {
	case len(held) > 0:
		return d.dismiss(now, held[0])
	case first:
		err := d.tree.Prune()
		if err == nil {
			d.pruned = time.Now() // Not the pass's reading: as above.
		}
		if !errors.Is(err, supervise.ErrNotSupervised) {
			return err
		}
	case now.Before(d.calm):
		return nil
	}
	return d.delete(spec)
}

// delete takes the directory of a service away that nobody supervises and no
// process holds: the logs first, if they go, and then all that is left at once,
// so that there is a manifest as long as there is something to remove.
func (d *driver) delete(spec *Spec) error {
	process, err := d.tree.Process(d.service)
	if err != nil {
		return err
	}
	if process.Held {
		return errors.New("one of its processes has not ended")
	}
	if spec == nil {
		m, err := readManifest(d.fs, d.service)
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
	d.pruned, d.calm = time.Time{}, time.Time{}
	d.asked, d.tally = nil, tallyCache{}
	return d.fs.RemoveAll(gone)
}
