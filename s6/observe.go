package s6

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strconv"
	"syscall"
	"time"

	"github.com/evenkeel/evenkeel/s6/supervise"
)

// found turns the absence of a file into a value; every other error stays one.
func found(err error) (bool, error) {
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

func (d *driver) observeFiles(o *Observed) (err error) {
	if o.Linked, err = d.linked(); err != nil {
		return err
	}
	if o.Hash, err = d.readHash(); err != nil {
		return err
	}
	if o.Exists = o.Hash != ""; !o.Exists {
		_, err = d.fs.Lstat(d.service)
		if o.Exists, err = found(err); err != nil || !o.Exists {
			return err
		}
	}
	// Where there is none, to open it costs less than Lstat.
	_, err = d.fs.ReadRange(d.paths.down, nil, 0)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	if o.AskedDown, err = found(err); err != nil {
		return err
	}
	if !d.examined {
		if d.intact, err = d.examine(); err != nil {
			return err
		}
		d.examined = true
	}
	o.Intact = d.intact
	o.Watched = d.watch != nil && d.watch.Linked()
	return nil
}

// leftover reports whether there are parts of a service directory under the
// names that are used to make and to remove it.
func (d *driver) leftover() (bool, error) {
	for _, what := range []string{asideNew, asideGone} {
		_, err := d.fs.Lstat(d.aside(what))
		if ok, err := found(err); ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}

// linked reports whether the scan directory leads to the service. What else
// has its name there is somebody else's.
func (d *driver) linked() (bool, error) {
	link := d.paths.link
	target, err := d.fs.Readlink(link)
	switch ok, err := found(err); {
	case errors.Is(err, fs.ErrInvalid):
		return false, fmt.Errorf("%s is not a link: another service has the name %q in the scan directory", link, d.name)
	case !ok:
		return false, err
	case target != d.service:
		return false, fmt.Errorf("%s leads to %s: another service has the name %q in the scan directory", link, target, d.name)
	}
	return true, nil
}

// readHash returns what the service directory was written from; "" where that
// is not there or cut short.
func (d *driver) readHash() (string, error) {
	hash := d.buf[:hashSize]
	if n, err := d.readStart(d.paths.hash, hash); n < hashSize {
		return "", err
	}
	return d.known(hash), nil
}

// readStarted returns what the process was started from, "" where its start
// has not said so: what is in the file may be of an earlier one.
func (d *driver) readStarted(pid int) (string, error) {
	n, err := d.readStart(d.paths.started, d.buf[:])
	if n < hashSize || pid == 0 {
		return "", err
	}
	id, _, _ := bytes.Cut(d.buf[hashSize:n], []byte("\n"))
	if started, err := strconv.Atoi(string(bytes.TrimSpace(id))); err != nil || started != pid {
		return "", nil
	}
	return d.known(d.buf[:hashSize]), nil
}

// readStart reads the beginning of a file, nothing if it is not there.
func (d *driver) readStart(file string, p []byte) (n int, err error) {
	n, err = d.fs.ReadRange(file, p, 0)
	if errors.Is(err, io.EOF) || errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	if err != nil {
		n = 0
	}
	return n, err
}

// known returns a hash as a string, without allocating if it is what is wanted.
func (d *driver) known(hash []byte) string {
	if string(hash) == d.wantHash {
		return d.wantHash
	}
	if string(hash) == d.wantProcess {
		return d.wantProcess
	}
	return string(hash)
}

// examine compares the files of the service directory with those that its
// manifest calls for.
func (d *driver) examine() (intact bool, err error) {
	m, err := readManifest(d.fs, d.service)
	if err != nil || m == nil {
		return false, err
	}
	files, err := d.render(m.Spec)
	if err != nil {
		return false, err
	}
	for _, f := range files {
		data, err := d.fs.ReadFile(path.Join(d.service, f.name))
		if ok, err := found(err); err != nil || !ok {
			return false, err
		}
		if string(data) != f.data {
			return false, nil
		}
	}
	return true, nil
}

func (d *driver) render(spec *Spec) ([]file, error) {
	return render(spec, d.kind, d.tree.Layout().Log(d.name), d.tree.Tools())
}

func (d *driver) observeProcess(o *Observed) error {
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
	if o.Status, err = d.tree.Status(d.service); errors.Is(err, fs.ErrNotExist) {
		err = nil
		o.Supervised = d.cannotTell(service)
	} else {
		d.silent = time.Time{}
	}
	if err != nil {
		return err
	}
	if o.Started, err = d.readStarted(o.Status.PID); err != nil {
		return err
	}
	switch {
	case !o.Linked || o.Supervised && o.LoggerSupervised:
		d.owed = time.Time{}
	case d.owed.IsZero():
		d.owed = time.Now()
	}
	o.Owed = d.owed
	if err := d.reconcileStatus(o, process); err != nil {
		return err
	}
	d.seen = o.Status.PID
	o.Told = d.seen != 0 && d.seen == d.ending.pid
	if err := d.observeLogger(o); err != nil {
		return err
	}
	o.Failed = d.failed.Load()
	return d.observeDeaths(o)
}

// statusPatience is how long a supervisor may take to write its first status.
const statusPatience = time.Second

// cannotTell reports whether a supervisor has had the time to write its first
// status: on a full disk it cannot, and serves its service all the same.
func (d *driver) cannotTell(supervisor supervise.LockState) bool {
	now := time.Now()
	switch {
	case !supervisor.Held:
		d.silent = time.Time{}
		return false
	case d.silent.IsZero():
		d.silent = now
	}
	return now.Sub(d.silent) >= statusPatience
}

// reconcileStatus compares the status with who holds the instance lock. Where a
// process holds it, for a while, that the status does not name, either it has
// lost its supervisor or the status lags behind.
func (d *driver) reconcileStatus(o *Observed, process supervise.LockState) (err error) {
	if process.PID == 0 || o.Supervised && process.PID == o.Status.PID {
		d.stray = straySighting{}
		o.Ended, err = d.ended(o)
		return err
	}
	now := time.Now()
	if d.stray.pid != process.PID {
		d.stray = straySighting{process.PID, now}
		time.AfterFunc(strayPatience, d.wake)
		return nil
	}
	if now.Sub(d.stray.since) < strayPatience {
		return nil
	}
	if o.Supervised {
		if o.Lags, err = d.tree.Child(d.service, process.PID); err != nil {
			return err
		}
	}
	if o.Lags {
		o.Status.PID = process.PID
		return nil
	}
	o.StrayPID = process.PID
	return nil
}

// endedPatience is how long a status may lag behind the end of a process: its
// supervisor has to reap it, and to run its finish command.
const endedPatience = 500 * time.Millisecond

// ended reports whether the process that the status names was told to end by
// this driver, and has, for so long that the status does not tell.
func (d *driver) ended(o *Observed) (bool, error) {
	pid := o.Status.PID
	if !o.Supervised || o.Locked || !o.AskedDown || pid == 0 || pid != d.ending.pid {
		return false, nil
	}
	child, err := d.tree.Child(d.service, pid)
	switch {
	case child || err != nil:
		d.ending.gone = time.Time{}
		return false, err
	case d.ending.gone.IsZero():
		d.ending.gone = time.Now()
		time.AfterFunc(endedPatience, d.wake)
	}
	return time.Since(d.ending.gone) >= endedPatience, nil
}

// loggerSighting is since when a logger has not been seen to run.
type loggerSighting struct {
	looked, since time.Time
	problem       string
}

const (
	// loggerEvery is how often a logger that runs is looked at.
	loggerEvery = 2 * time.Second
	// loggerPatience is how long one may take to be started anew.
	loggerPatience = 2 * time.Second
)

// observeLogger finds out whether the logger runs. It is looked at now and then:
// nothing depends on its state but what is said of the service.
func (d *driver) observeLogger(o *Observed) error {
	now := time.Now()
	if !o.LoggerSupervised {
		d.logs = loggerSighting{}
		return nil
	}
	if d.logs.since.IsZero() && now.Sub(d.logs.looked) < loggerEvery {
		return nil
	}
	d.logs.looked = now
	status, err := d.tree.Status(d.paths.logger)
	if ok, err := found(err); err != nil || !ok {
		return err
	}
	runs := status.Up() && status.Ready
	if !runs {
		// One that has lost its supervisor goes on all the same.
		holder, err := d.tree.Logger(d.name)
		if err != nil && !errors.Is(err, syscall.ENOTDIR) {
			return err
		}
		runs = holder.Held
	}
	if runs {
		d.logs.since, d.logs.problem = time.Time{}, ""
		return nil
	}
	if d.logs.since.IsZero() {
		d.logs.since = now
	}
	if now.Sub(d.logs.since) >= loggerPatience {
		d.logs.problem = "since " + d.logs.since.Format(time.RFC3339) + ", last " + status.WaitStatus.String()
	}
	o.LoggerProblem = d.logs.problem
	return nil
}

func (d *driver) observeDeaths(o *Observed) error {
	if !d.tally.stamp.Equal(o.Status.Stamp) {
		deaths, err := supervise.ReadTally(d.fs, d.service)
		if _, err := found(err); err != nil && !errors.As(err, new(*supervise.StampError)) {
			return err // a record that is none leaves those before it
		}
		d.tally = tallyCache{o.Status.Stamp, deaths}
	}
	o.Restarts = len(d.tally.deaths)
	if o.Restarts > 0 {
		o.Last = d.tally.deaths[o.Restarts-1]
	}
	o.Deaths = recentDeaths(d.tally.deaths, requests{opened: d.opened, asked: d.asked, changed: d.changed, stop: d.stopSignal()}, time.Now())
	return nil
}

// requests are what makes deaths ones that were to be expected.
type requests struct {
	opened  time.Time      // since when it is known what was asked
	asked   []time.Time    // when the process was told to end, oldest first
	changed time.Time      // when another process came to be wanted
	stop    syscall.Signal // by which processes are told to end
}

// recentDeaths counts the deaths within CrashWindow before now, less those that
// were asked for, the first after each request, those of what was wanted before
// the last change, and of those before it was known what was asked the ones
// that look as if they had been. It compares ages, for the clock of deaths is
// the wall's, which may have been set since.
func recentDeaths(deaths []supervise.Death, r requests, now time.Time) (count int) {
	for _, death := range deaths {
		age := now.Round(0).Sub(death.Time)
		expected := age > now.Sub(r.changed) ||
			age > now.Sub(r.opened) && (death.Signal == r.stop || death.Signal == 0 && death.ExitCode == 0)
		for len(r.asked) > 0 && age <= now.Sub(r.asked[0]) {
			expected, r.asked = true, r.asked[1:]
		}
		if !expected && age < CrashWindow && age > -CrashWindow {
			count++
		}
	}
	return count
}

// stopSignal is the one by which the process is told to end.
func (d *driver) stopSignal() syscall.Signal {
	if d.spec == nil {
		return syscall.SIGTERM
	}
	return d.spec.stopSignal()
}
