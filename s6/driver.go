package s6

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/evenkeel/evenkeel/filesystem"
	"github.com/evenkeel/evenkeel/fsm"
)

// driver observes one service and acts on it. It remembers nothing that could
// not be found out again, except for what has to be timed.
type driver struct {
	name    string
	service string // its directory
	paths   paths
	kind    string
	tree    Tree
	fs      filesystem.FS
	wake    func()

	buf    [hashSize + 32]byte // what is read from small files
	watch  Watch
	failed atomic.Bool // s6-supervise gave up on the service

	// For the desired spec.
	spec                  *Spec
	wantHash, wantProcess string
	changed               time.Time // when another process came to be wanted

	examined bool // intact is known
	intact   bool

	tally  tallyCache
	asked  []time.Time // when the process was told to end, newest last
	stray  straySighting
	owed   time.Time // as Observed.Owed
	ending ending
	pruned time.Time // when supervisors without a link were last told to end
	calm   time.Time // when s6-svscan has surely done with a service it was starting
}

// paths are those that every pass needs.
type paths struct {
	link, down, hash, started, logger string
}

// tallyCache holds the deaths that belong to a status.
type tallyCache struct {
	stamp  time.Time
	deaths []Death
}

// straySighting is when a process without a supervisor was first seen.
type straySighting struct {
	pid   int
	since time.Time
}

// ending is a process that was told to end.
type ending struct {
	pid  int
	told time.Time
}

// strayPatience is how long a lock may be held by another process than the
// status names: between the start of a process and its status there is some
// time.
const strayPatience = 100 * time.Millisecond

var _ fsm.Driver[*Spec, Observed] = (*driver)(nil)

func newDriver(tree Tree, kind, name string, wake func()) *driver {
	service := tree.Layout().Service(name)
	return &driver{
		name: name, kind: kind, tree: tree, fs: tree.FS(), wake: wake,
		service: service,
		paths: paths{
			link:    tree.Layout().Link(name),
			down:    path.Join(service, fileDown),
			hash:    path.Join(service, fileHash),
			started: path.Join(service, fileStarted),
			logger:  logger(service),
		},
	}
}

// Close ends the watch.
func (d *driver) Close() error {
	if d.watch == nil {
		return nil
	}
	err := d.watch.Close()
	d.watch = nil
	return err
}

// want remembers what is desired, with the hashes that are dear to compute.
func (d *driver) want(spec *Spec) {
	if spec == d.spec {
		return
	}
	before := d.wantProcess
	d.spec, d.wantHash, d.wantProcess = spec, "", ""
	d.failed.Store(false)
	if spec != nil {
		d.wantHash, d.wantProcess = spec.Hash(), spec.processHash()
	}
	if before != "" && before != d.wantProcess {
		d.changed = time.Now()
	}
}

// Observe implements fsm.Driver.
func (d *driver) Observe(_ context.Context, desired fsm.Desired[*Spec]) (o Observed, err error) {
	d.want(desired.Spec)
	if err := d.observeFiles(&o); err != nil {
		return Observed{}, err
	}
	if err := d.observeProcess(&o); err != nil {
		return Observed{}, err
	}
	if desired.State == fsm.StateRemoved {
		if o.Leftover, err = d.leftover(); err != nil {
			return Observed{}, err
		}
	}
	if desired.Spec == nil {
		return o, nil
	}
	o.StartTimeout = desired.Spec.StartTimeout
	if o.StartTimeout == 0 {
		o.StartTimeout = defaultStartTimeout
	}
	o.ReadyRequired = desired.Spec.Ready.required()
	o.WantHash, o.WantProcess = d.wantHash, d.wantProcess
	if desired.State == Running && !o.Status.Up() {
		o.CommandProblem, err = d.commandProblem(desired.Spec)
	}
	return o, err
}

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
	o.Status, err = d.tree.Status(d.service)
	if errors.Is(err, fs.ErrNotExist) && !service.Held {
		o.Status, err = Status{}, nil
	} else if errors.Is(err, fs.ErrNotExist) {
		err = nil // its supervisor is about to write the first
		o.Supervised = false
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
	o.StrayPID = d.strayPID(o, process)
	o.Failed = d.failed.Load()
	return d.observeDeaths(o)
}

// strayPID returns the process that holds the instance without being the one
// that is supervised, once that has been so for a while.
func (d *driver) strayPID(o *Observed, process LockState) int {
	if process.PID == 0 || o.Supervised && process.PID == o.Status.PID {
		d.stray = straySighting{}
		return 0
	}
	now := time.Now()
	if d.stray.pid != process.PID {
		d.stray = straySighting{process.PID, now}
		time.AfterFunc(strayPatience, d.wake)
		return 0
	}
	if now.Sub(d.stray.since) < strayPatience {
		return 0
	}
	return process.PID
}

func (d *driver) observeDeaths(o *Observed) error {
	if !d.tally.stamp.Equal(o.Status.Stamp) {
		deaths, err := ReadTally(d.fs, d.service)
		if _, err := found(err); err != nil && !errors.As(err, new(*StampError)) {
			return err // a record that is none leaves those before it
		}
		d.tally = tallyCache{o.Status.Stamp, deaths}
	}
	o.Restarts = len(d.tally.deaths)
	if o.Restarts > 0 {
		o.Last = d.tally.deaths[o.Restarts-1]
	}
	o.Deaths = recentDeaths(d.tally.deaths, d.asked, d.changed, time.Now())
	return nil
}

// recentDeaths counts the deaths within CrashWindow before now, less those
// that were asked for, the first after each request, and those of what was
// wanted before the last change.
func recentDeaths(deaths []Death, asked []time.Time, changed, now time.Time) (count int) {
	for _, death := range deaths {
		expected := death.Time.Before(changed)
		for len(asked) > 0 && !death.Time.Before(asked[0]) {
			expected, asked = true, asked[1:]
		}
		if age := now.Sub(death.Time); !expected && age < CrashWindow && age > -CrashWindow {
			count++
		}
	}
	return count
}
