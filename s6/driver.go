package s6

import (
	"context"
	"path"
	"sync/atomic"
	"time"

	"github.com/evenkeel/evenkeel/filesystem"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6/supervise"
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

	opened time.Time // when this driver was made, which knows of no request before

	examined bool // intact is known
	intact   bool

	tally  tallyCache
	asked  []time.Time // when the process was told to end, newest last
	stray  straySighting
	owed   time.Time // as Observed.Owed
	silent time.Time // since when its supervisor has written no status
	logs   loggerSighting
	seen   int // the process that the last observation saw
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
	deaths []supervise.Death
}

// straySighting is when a process without a supervisor was first seen.
type straySighting struct {
	pid   int
	since time.Time
}

// ending is a process that was told to end, and when it was first seen to have
// gone though the status still names it.
type ending struct {
	pid        int
	told, gone time.Time
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
		service: service, opened: time.Now(),
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
