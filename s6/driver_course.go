package s6

import (
	"errors"
	"io"
	"path"
	"time"
)

// observeCourse finds out what the scripts have made of the last end of the
// process. That a process has begun is read once.
func (d *driver) observeCourse(o *Observed, spec *Spec) error {
	o.Ends, o.Pauses = spec.Ends(), spec.Backoff != (Backoff{})
	if !spec.policed() {
		return nil
	}
	of := ""
	if o.Status.Up() {
		if of = identity(&o.Status); of == d.begunOf {
			o.Failures, o.began = d.course.failures, d.begun
			return nil
		}
	}
	c, err := d.readCourse()
	if err != nil {
		return err
	}
	uptime, err := d.tree.Uptime()
	if err != nil {
		return err
	}
	d.course, d.begunOf = c, ""
	now := time.Now() // Not the pass's reading: that is from before this uptime.
	switch {
	case c.state == courseRuns && o.Status.Up():
		d.begunOf, d.begun = of, now.Add(c.at-uptime)
		o.began = d.begun
	case c.state == courseWaits && (o.Status.Up() || c.left(uptime) > 0):
		o.Waits = now.Add(c.left(uptime)) // or until it begins
	case o.Status.PID == 0 && !o.Status.WantUp:
		o.Verdict = c.verdict(spec, d.wantProcess)
		o.Failed = o.Failed && c.hash == "" // it says why
	}
	o.Failures = c.failures
	return nil
}

func (d *driver) readCourse() (course, error) {
	n, err := d.readStart(path.Join(d.service, fileCourse), d.buf[:])
	return parseCourse(string(d.buf[:n])), err
}

// setCourse has a file for what the scripts write down where a spec needs one, and
// none where it does not.
func (d *driver) setCourse(spec *Spec) error {
	name := path.Join(d.service, fileCourse)
	_, err := d.fs.ReadRange(name, nil, 0)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	there, err := found(err)
	switch {
	case err != nil || there == spec.policed():
		return err
	case there:
		return d.fs.Remove(name)
	}
	return d.fs.ReplaceFile(name, []byte(freshCourse), 0o644)
}

// clearCourse forgets what has happened: the next failure is the first, and what
// was not to run again may.
func (d *driver) clearCourse() error {
	if !d.spec.policed() {
		return nil
	}
	c, err := d.readCourse()
	if err != nil || c.failures == 0 && c.hash == "" {
		return err
	}
	d.begunOf = ""
	name := path.Join(d.service, fileCourse)
	if err := d.fs.ReplaceFile(name, []byte(freshCourse), 0o644); err != nil {
		return d.fs.Remove(name) // as good, where there is no room for another
	}
	return nil
}
