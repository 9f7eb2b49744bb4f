package s6

import "github.com/evenkeel/evenkeel/s6/supervise"

// listen watches the service's events. It watches again if the old watch has
// lost its directory.
func (d *driver) listen() error {
	if d.watch != nil && d.watch.Linked() {
		return nil
	}
	if err := d.unlisten(); err != nil {
		return err
	}
	watch, err := d.tree.Watch(d.service, func(e supervise.Event) {
		switch e {
		case supervise.EventFailed:
			d.failed.Store(true)
		case supervise.EventUp:
			d.failed.Store(false)
		case EventTouched:
			d.touched.Store(true)
		}
		d.wake()
	})
	if err != nil {
		return err
	}
	d.watch = watch
	return nil
}

// Close ends the watch, and the checks.
func (d *driver) Close() error {
	d.rest()
	return d.unlisten()
}

func (d *driver) unlisten() error {
	d.attending = false
	if d.watch == nil {
		return nil
	}
	err := d.watch.Close()
	d.watch = nil
	return err
}
