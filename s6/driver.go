package s6

import (
	"io/fs"
	"path"
	"sync/atomic"
	"time"

	"github.com/evenkeel/evenkeel/filesystem"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/internal/spell"
)

// driver observes one service and acts on it. It remembers only what can be
// found out again, and what has to be timed.
type driver struct {
	name    string
	service string // its directory
	paths   paths
	owner   string
	tree    Tree
	fs      filesystem.FS
	wake    func()

	buf    [hashSize + 64]byte // what is read from small files
	watch  Watch
	failed atomic.Bool // s6-supervise gave up on the service

	touched   atomic.Bool // something has happened to its files
	attending bool        // the watch attends to all of them
	heard     bool        // and did before the last observation began
	quiet     bool        // nothing that the last observation saw changes unheard

	// For the desired spec.
	spec                  *Spec
	wantHash, wantProcess string
	changed               time.Time // when what is wanted of the process changed

	marks      marks            // what data/marked says
	startOf    startOf          // what data/started said of a process
	unrecorded bool             // it does not say which process runs
	course     course           // what data/course said when it was read last
	begun      time.Time        // when the process began its command that begunOf says
	begunOf    string           // which process, empty for none
	sleeper    spell.Spell[int] // a process that waits for a pause that was forgotten
	opened     time.Time        // when this driver was made; it knows of no request before

	examined bool // intact and foreign are known
	intact   bool
	foreign  string // the service directory's owner, if it is another one
	said     said   // what its manifest said
	files    []keptFile
	damage   string    // why it is not intact
	made     string    // of what the files have a process started from, where it is
	lookedAt time.Time // when it was last looked whether the files are there

	checking  *checking // nil while no process is checked
	check     Checked   // what the last observation saw of that
	hung      hung      // what data/hung says
	hungKnown bool
	hungKey   string // of the desired spec, empty while it is not known

	tally      tallyCache
	words      words             // what the process printed last that ended last
	asked      []time.Time       // when the process was told to end, newest last
	leaders    leaders           // what runs, or has left something running
	left       leaders           // those of them that have ended
	recalled   bool              // what ran before this driver is among them
	stray      spell.Spell[int]  // a process that the status does not name
	owed       spell.Spell[bool] // s6-svscan owes a supervisor
	toldUp     time.Time         // when the supervisor was last told to bring it up
	toldAfter  time.Time         // the stamp of what it had said last by then
	stamp      time.Time         // of the status that the last observation saw
	toldDown   time.Time         // when it was told the contrary, and no process ran; zero once one has
	unstarted  spell.Spell[bool] // the supervisor is to start a process, and none runs
	silent     spell.Spell[bool] // a supervisor has written no status
	loggerDown spell.Spell[bool] // the logger does not run
	logsGone   bool              // the logger writes into a directory that was deleted
	loggerAt   time.Time         // when the logger was last looked at
	started    [2]int            // a supervisor and a process that it has started
	seen       int               // the process that the last observation saw
	ending     endings           // its processes, and what is left of deleted directories
	doubt      time.Time         // since when something may be left of a deleted directory; zero for never
	remains    []Remnant         // what is
	supervisor int               // that was seen last
	logSuper   int               // that of the logger
	sighting   Sighting          // the process that was seen last
	gone       spell.Spell[int]  // a process that was told to end has, and the status names it
	replacing  int               // the process that was told to end for another to take its place
	dismissed  endings           // its supervisors, once the link is gone

	// When s6-svscan, told that the link is gone, has certainly finished with a
	// service that it was starting. Zero before it is told.
	calm time.Time
}

// said is the text of a manifest, and the owner that it names.
type said struct {
	text, owner string
}

// keptFile is what is remembered of a file of the service directory.
type keptFile struct {
	name string
	path string
	size int64
	mode fs.FileMode
}

var (
	_ fsm.Driver[*Spec, Observed] = (*driver)(nil)
	_ fsm.Restarter[*Spec]        = (*driver)(nil)
	_ fsm.Hearer                  = (*driver)(nil)
)

// marks is what data/marked says, once that is known: as what a process counts
// as started from, and which process. The zero value is not known.
type marks struct {
	known  bool
	as, of string
}

// startOf is what the start of a process has said, once that was read: from what
// the process was started. The zero value says nothing.
type startOf struct {
	pid   int
	stamp time.Time // of the status that names it
	hash  string
}

// paths are those that every pass needs.
type paths struct {
	link, down, hash, started, marked, logger string
}

func newDriver(tree Tree, owner, name string, wake func()) *driver {
	service := tree.Layout().Service(name)
	opened := time.Now() // Not the pass's reading: there is no pass.
	return &driver{
		name: name, owner: owner, tree: tree, fs: tree.FS(), wake: wake,
		service: service, opened: opened, doubt: opened, // an earlier run may have left something
		paths: paths{
			link:    tree.Layout().Link(name),
			down:    path.Join(service, fileDown),
			hash:    path.Join(service, fileHash),
			started: path.Join(service, fileStarted),
			marked:  path.Join(service, fileMarked),
			logger:  logger(service),
		},
	}
}

// want remembers what is desired, with its hashes, which are expensive to
// compute.
func (d *driver) want(spec *Spec) {
	if spec == d.spec {
		return
	}
	before := d.wantProcess
	d.spec, d.wantHash, d.wantProcess, d.hungKey = spec, "", "", ""
	d.failed.Store(false)
	if spec != nil {
		d.wantHash, d.wantProcess = spec.Hash(), spec.processHash()
	}
	if before != "" && before != d.wantProcess {
		// Not the pass's reading: it tells deaths before the change from others.
		d.changed = time.Now()
	}
}

// aside returns where this service's directory is built or deleted.
func (d *driver) aside(prefix string) string { return d.tree.Layout().aside(prefix, d.owner, d.name) }
