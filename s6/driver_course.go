package s6

import (
	"errors"
	"io"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/s6/supervise"
)

// observeCourse finds out what the scripts have made of the last end of the
// process. That a process has begun is read once. A process that waits may have
// been started for another spec.
func (d *driver) observeCourse(o *Observed, spec *Spec) error {
	o.Judged = spec.Judges()
	o.Ends, o.Once, o.Pauses = spec.Ends(), spec.Restart == RestartNever, spec.Backoff != (Backoff{})
	o.Failed = o.Failed && len(spec.Finish) > 0
	of := ""
	if o.Status.Up() {
		if of = identity(&o.Status); of == d.begunOf {
			o.Failures, o.Began = d.course.failures, d.begun
			return nil
		}
	} else if !spec.policed() {
		return nil
	}
	c, err := d.readCourse()
	if err != nil {
		return err
	}
	var uptime time.Duration
	if c.state == courseWaits || c.state == courseRuns {
		if uptime, err = d.tree.Uptime(); err != nil {
			return err
		}
	}
	if err := d.observeSleeper(c, &o.Status); err != nil {
		return err
	}
	now := time.Now() // Not the pass's reading: that is from before this uptime.
	d.course, d.begunOf, d.begun = c, "", time.Time{}
	switch until := now.Add(c.left(uptime)); {
	case o.Status.Up() && c.state == courseWaits && until.After(now.Add(-beginPatience)):
		o.Waits = until
	case d.sleeper.Of != 0 && o.Status.Up():
		o.Waits, o.Overslept = o.Status.Stamp, d.sleeper.Lasts(now, beginPatience)
	case o.Status.Up():
		d.begunOf = of
		if c.state == courseRuns {
			d.begun = now.Add(c.at - uptime)
		}
		o.Began = d.begun
	case c.state == courseWaits && until.After(now):
		o.Waits = until
	case o.Status.PID == 0 && !o.Status.WantUp:
		o.Verdict = c.verdict(spec, d.wantProcess)
		o.Failed = o.Failed && c.hash == "" // it says why
	}
	o.Failures = c.failures
	return nil
}

// observeSleeper finds out whether the process waits for a pause that was forgotten
// since it has looked. One that has looked again is about to write down that it
// begins.
func (d *driver) observeSleeper(c course, status *supervise.Status) error {
	sleeper := 0
	if status.Up() && c.state == courseNone {
		n, err := d.readStart(path.Join(d.service, filePauses), d.buf[:])
		if err != nil {
			return err
		}
		if pid, err := strconv.Atoi(strings.TrimSpace(string(d.buf[:n]))); err == nil && pid == status.PID {
			sleeper = pid
		}
	}
	if d.sleeper.Note(sleeper) {
		time.AfterFunc(beginPatience, d.wake)
	}
	return nil
}

func (d *driver) readCourse() (course, error) {
	n, err := d.readStart(path.Join(d.service, fileCourse), d.buf[:])
	return parseCourse(string(d.buf[:n])), err
}

// setCourse has a file for what the scripts write down where a spec needs one, and
// none where it does not. By it a process is known that waits, which may have been
// started for the spec before.
func (d *driver) setCourse(spec *Spec) error {
	name := path.Join(d.service, fileCourse)
	_, err := d.fs.ReadRange(name, nil, 0)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	there, err := found(err)
	if err != nil || there == spec.policed() {
		return err
	}
	if there {
		if c, err := d.readCourse(); err != nil || c.state == courseWaits {
			return err
		}
		_, err := found(d.fs.Remove(path.Join(d.service, filePauses)))
		return errors.Join(err, d.fs.Remove(name))
	}
	return d.fs.ReplaceFile(name, []byte(freshCourse), 0o644)
}

// clearCourse forgets what has happened: the next failure is the first, and what
// was not to run again may.
func (d *driver) clearCourse() error {
	c, err := d.readCourse()
	if err != nil || c.state == courseNone {
		return err
	}
	d.begunOf = ""
	name := path.Join(d.service, fileCourse)
	if d.spec.policed() && d.fs.ReplaceFile(name, []byte(freshCourse), 0o644) == nil {
		return nil
	}
	return d.fs.Remove(name) // as good, where there is no room for another
}
