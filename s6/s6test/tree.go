package s6test

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/evenkeel/evenkeel/filesystem"
	"github.com/evenkeel/evenkeel/filesystem/memfs"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

// Config says what tree to make; the zero value works.
type Config struct {
	// Version of s6 to behave as.
	Version Version
	// Layout of the tree; an empty one means /run/service, /data/services
	// and /data/logs.
	Layout s6.Layout
	// FS to be on, for instance what another tree left; nil means a new one.
	FS *memfs.FS
	// Latency is how long each step of s6 takes: a scan, a command, the start
	// of a run script, the reaping of a process. Zero means 1 ms.
	Latency time.Duration
	// MaxServices is how many services s6-svscan takes; zero means any number.
	MaxServices int
	// MaxPID is the highest process id. The next is the lowest free one from 101
	// on. Zero means that no id comes twice.
	MaxPID int
	// Hears: what happens to the files of services is told, as by the real tree, a
	// Latency later.
	Hears bool
	// OnProcess is told of each process when it starts, when it begins its work
	// and when it ends; nil for nobody. It must not call the tree.
	OnProcess func(Happening)
}

// firstPID is the id of the first process.
const firstPID = 101

// Tree is a supervision tree in memory. Its methods may be called from any
// goroutine.
type Tree struct {
	config Config
	mem    *memfs.FS
	owners s6.Owners
	born   time.Time // the machine on which it is
	ear    ear

	mu         sync.Mutex // guards all below and what it leads to
	closed     bool
	schedule   schedule
	planned    int
	timer      *time.Timer // of the first in the schedule
	svscan     *svscan     // nil while there is none
	burial     *burial     // nil for none
	lastPID    int
	live       []*supervisor
	processes  []*process // by age
	programs   map[string]Program
	barred     map[string]string // services that cannot be started: what is said
	commands   map[string]Program
	scripts    map[string]script // by their text
	watches    []*watch
	lastLabel  time.Time // of a rotated log file
	violations []string
	exhausted  int // processes that were ended for want of memory
}

var _ s6.Tree = (*Tree)(nil)

// New returns a tree that an s6-svscan serves. Its directories are made. The
// caller closes it.
func New(config Config) *Tree {
	config.Latency = cmp.Or(config.Latency, time.Millisecond)
	if config.Layout == (s6.Layout{}) {
		config.Layout = s6.Layout{ScanDir: "/run/service", ServicesDir: "/data/services", LogsDir: "/data/logs"}
	}
	if config.FS == nil {
		config.FS = memfs.New()
	}
	t := &Tree{
		config: config, mem: config.FS, born: time.Now(), lastPID: firstPID - 1,
		programs: make(map[string]Program), barred: make(map[string]string), commands: make(map[string]Program), scripts: make(map[string]script),
	}
	t.timer = time.AfterFunc(time.Hour, t.happen)
	t.listen()
	for _, dir := range []string{config.Layout.ScanDir, config.Layout.ServicesDir, config.Layout.LogsDir} {
		t.note(t.mem.MkdirAll(dir, 0o755))
	}
	t.StartSvscan()
	return t
}

// Claim implements s6.Tree.
func (t *Tree) Claim(owner string) (release func(), err error) { return t.owners.Claim(owner) }

// Close ends all that runs, without a trace. The error lists the violations, so
// that a test that checks it cannot miss them. Close may be called more than
// once.
func (t *Tree) Close() error {
	violations := t.Violations()
	t.mu.Lock()
	t.closed = true
	t.timer.Stop()
	t.ear.timer.Stop()
	t.mem.OnChange(nil)
	watches := t.watches
	t.watches = nil
	t.mu.Unlock()
	for _, w := range watches {
		w.end()
	}
	var errs []error
	for _, v := range violations {
		errs = append(errs, errors.New(v))
	}
	return errors.Join(errs...)
}

// Reboot ends all that runs, without a trace, as the end of the machine does,
// and returns a tree on a copy of what is on disk, as the next boot finds it. It
// has the same programs, and begins with the violations so far.
func (t *Tree) Reboot() *Tree {
	before := t.Violations()
	_ = t.Close() // the violations
	t.mu.Lock()
	defer t.mu.Unlock()
	config := t.config
	config.FS = t.mem.Clone()
	next := New(config)
	next.mu.Lock()
	defer next.mu.Unlock()
	next.violations = before
	maps.Copy(next.programs, t.programs)
	maps.Copy(next.commands, t.commands)
	return next
}

// Install puts an executable on the filesystem, where a command is looked for:
// one without a slash goes to the first absolute directory of PATH. Services
// with this command do what the program says, unless SetProgram says otherwise.
// Installing it again replaces it, for processes that start afterwards.
func (t *Tree) Install(command string, p Program) {
	file := command
	if path.Base(command) == command {
		file = path.Join(binDir(), command)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.note(t.mem.MkdirAll(path.Dir(file), 0o755))
	t.note(t.mem.WriteFile(file, []byte("#!/bin/sh\n"), 0o755))
	t.commands[file] = p
}

// binDir is where programs are installed.
func binDir() string {
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		if path.IsAbs(dir) {
			return dir
		}
	}
	return "/usr/bin"
}

// SetProgram says what the named service's process does, whatever its command,
// from its next start on. The command must exist nevertheless.
func (t *Tree) SetProgram(service string, p Program) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.programs[service] = p
}

// Violations returns what happened and must never happen: two processes of one
// service at work at once, or one beside what an earlier one has left, a
// service directory deleted under a live process, and errors of the filesystem
// underneath.
func (t *Tree) Violations() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, p := range t.processes {
		p.checkDir()
	}
	return slices.Clone(t.violations)
}

// note makes an error of the filesystem a violation: the tree's own files can
// always be written.
func (t *Tree) note(err error) {
	if err != nil {
		t.violate(err.Error())
	}
}

func (t *Tree) violate(what string) {
	if !slices.Contains(t.violations, what) {
		t.violations = append(t.violations, what)
	}
}

func (t *Tree) newPID() int {
	for {
		t.lastPID++
		if t.config.MaxPID > 0 && t.lastPID > t.config.MaxPID {
			t.lastPID = firstPID
		}
		if !t.runs(t.lastPID) {
			return t.lastPID
		}
	}
}

// runs reports whether a process id is taken.
func (t *Tree) runs(pid int) bool {
	return slices.ContainsFunc(t.live, func(s *supervisor) bool { return s.pid == pid }) ||
		slices.ContainsFunc(t.processes, func(p *process) bool { return p.pid == pid || p.leader == pid })
}

// stat describes what a name leads to, nil if that is nothing.
func (t *Tree) stat(name string) fs.FileInfo {
	info, err := t.mem.Stat(name)
	if err != nil {
		return nil
	}
	return info
}

func (t *Tree) same(a, b fs.FileInfo) bool { return a != nil && b != nil && t.mem.SameFile(a, b) }

// supervisor returns the live s6-supervise that holds the lock of a service
// directory, nil for none.
func (t *Tree) supervisor(service string) *supervisor {
	id := t.stat(service)
	for _, s := range t.live {
		if t.same(s.id, id) && (s.dir == service || s.in()) && s.locks() {
			return s
		}
	}
	return nil
}

// holder returns the process that holds a service's instance lock, nil for
// none.
func (t *Tree) holder(service string) *process {
	id := t.stat(service + "/data/lock")
	for _, p := range t.processes {
		if p.working && t.same(p.lock, id) {
			return p
		}
	}
	return nil
}

// Layout implements s6.Tree.
func (t *Tree) Layout() s6.Layout { return t.config.Layout }

// FS implements s6.Tree. It is a *memfs.FS.
func (t *Tree) FS() filesystem.FS { return t.mem }

// Tools implements s6.Tree.
func (t *Tree) Tools() s6.Tools { return s6.Tools{Dir: "/usr/bin"} }

// OnHost implements s6.Tree: there are no processes. What is built on the tree
// has nothing to execute and nobody to ask.
func (t *Tree) OnHost() bool { return false }

// Served implements s6.Tree.
func (t *Tree) Served() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.svscan == nil {
		return fmt.Errorf("no s6-svscan serves %s: %w", t.config.Layout.ScanDir, supervise.ErrNotSupervised)
	}
	return nil
}

// Limits implements s6.Tree.
func (t *Tree) Limits() ([]s6.Limit, error) {
	if t.config.MaxServices == 0 {
		return nil, nil
	}
	return []s6.Limit{{
		Most: t.config.MaxServices, PerService: 1,
		Name: fmt.Sprintf("s6-svscan takes %d services", t.config.MaxServices), Remedy: "set MaxServices",
	}}, nil
}

// Supervisor implements s6.Tree.
func (t *Tree) Supervisor(service string) (supervise.LockState, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if s := t.supervisor(service); s != nil {
		return supervise.LockState{Held: true, PID: s.pid}, nil
	}
	return supervise.LockState{}, nil
}

// Process implements s6.Tree.
func (t *Tree) Process(service string) (supervise.LockState, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if p := t.holder(service); p != nil {
		return supervise.LockState{Held: true, PID: p.pid}, nil
	}
	return supervise.LockState{}, nil
}

// Logger implements s6.Tree.
func (t *Tree) Logger(name string) (supervise.LockState, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, p := range t.processes {
		if p.logDir != nil && !p.dead && p.logDir.dir == t.config.Layout.Log(name) && p.logDir.in() {
			return supervise.LockState{Held: true, PID: p.pid}, nil
		}
	}
	return supervise.LockState{}, nil
}

// Child implements s6.Tree.
func (t *Tree) Child(service string, pid int) (bool, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.supervisor(service)
	return s != nil && slices.ContainsFunc(t.processes, func(p *process) bool { return p.pid == pid && p.supervisor == s && !p.dead }), nil
}

// Status implements s6.Tree.
func (t *Tree) Status(service string) (supervise.Status, error) {
	return supervise.ReadStatus(t.mem, service)
}

// Control implements s6.Tree.
func (t *Tree) Control(service string, commands ...supervise.Command) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.supervisor(service)
	if s == nil {
		return fmt.Errorf("cannot send %q to %s: %w", commands, service, supervise.ErrNotSupervised)
	}
	s.enqueue(commands)
	return nil
}

// AnnounceReady implements s6.Tree.
func (t *Tree) AnnounceReady(service string, pid int) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.supervisor(service)
	fail := func(why error) error {
		return fmt.Errorf("cannot announce that process %d is ready: %w", pid, why)
	}
	switch {
	case s == nil:
		return fail(supervise.ErrNotSupervised)
	case !s.status.Up() || s.status.PID != pid:
		return fail(fmt.Errorf("the service's process is %d by now", s.status.PID))
	case s.status.Ready:
		return nil
	case !s.notified:
		return fail(errors.New("its supervisor does not listen for that"))
	}
	s.ready()
	return nil
}

// Signal implements s6.Tree.
func (t *Tree) Signal(service string, pid int, signal syscall.Signal) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.holder(service)
	if p == nil || p.pid != pid {
		return fmt.Errorf("cannot signal process %d: it does not hold the lock of %s any more: %w", pid, service, syscall.ESRCH)
	}
	for _, member := range t.group(p.dir, pid) {
		member.signal(signal)
	}
	return nil
}
