package s6test

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/evenkeel/evenkeel/s6/supervise"
)

// hangWindow is how soon after a scan Terminate hangs an s6-svscan that has
// that fault.
const hangWindow = 10 * time.Millisecond

// danglingRetry is how long a scan that was aborted by a dangling link is put
// off.
const danglingRetry = 4 * time.Second

// svscan is an s6-svscan.
type svscan struct {
	tree     *Tree
	services []*service
	scanned  time.Time
	scanDue  bool
	pruneDue bool
	ending   bool
	hung     bool
	due      time.Time // when missing supervisors are started; zero for never
	restart  *event    // at that time
	retry    *event    // of a scan that was aborted
}

// service is what an s6-svscan knows of a service or a logger. It knows them
// by the identity of their directory.
type service struct {
	name    string
	dir     string
	id      fs.FileInfo
	active  bool // the last scan found it
	started time.Time
	process *supervisor // nil while there is none
	logger  *service    // of a service that has one
	log     *pipe
}

// StartSvscan starts an s6-svscan, as at boot or after one was killed. If one
// serves already nothing happens.
func (t *Tree) StartSvscan() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.svscan != nil {
		return
	}
	t.svscan = &svscan{tree: t}
	t.svscan.request(true, false)
}

// KillSvscan kills the s6-svscan with SIGKILL. Its supervisors go on.
func (t *Tree) KillSvscan() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.svscan == nil {
		return
	}
	services := t.svscan.services
	t.svscan = nil
	for _, s := range services {
		s.log.hangUp()
	}
}

// Terminate tells the s6-svscan to end everything and then itself, as SIGTERM
// does. It returns at once; Served tells when it is over.
func (t *Tree) Terminate() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.svscan
	if s == nil {
		return fmt.Errorf("cannot terminate s6-svscan on %s: %w", t.config.Layout.ScanDir, supervise.ErrNotSupervised)
	}
	faulty := t.config.Version != V211
	if faulty && (s.scanDue || time.Since(s.scanned) < hangWindow) {
		s.hung = true
		return nil
	}
	t.after(t.config.Latency, s.terminate)
	return nil
}

// Rescan implements s6.Tree.
func (t *Tree) Rescan() error { return t.scan(false) }

// Prune implements s6.Tree.
func (t *Tree) Prune() error { return t.scan(true) }

// Nudge implements s6.Tree: links that lead nowhere are removed, and what
// s6-svscan owes is started at the next scan.
func (t *Tree) Nudge() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.svscan == nil {
		return fmt.Errorf("cannot scan %s: %w", t.config.Layout.ScanDir, supervise.ErrNotSupervised)
	}
	entries, err := t.mem.ReadDir(t.config.Layout.ScanDir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		link := path.Join(t.config.Layout.ScanDir, e.Name())
		if e.Type() == fs.ModeSymlink && t.stat(link) == nil {
			t.note(t.mem.Remove(link))
		}
	}
	t.svscan.request(true, false)
	t.svscan.arm(time.Now())
	return nil
}

func (t *Tree) scan(prune bool) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.svscan == nil {
		return fmt.Errorf("cannot scan %s: %w", t.config.Layout.ScanDir, supervise.ErrNotSupervised)
	}
	t.svscan.request(true, prune)
	return nil
}

// KillSupervisor kills the s6-supervise of the named service, or of its logger
// as "name/log", with SIGKILL. What it supervised goes on without it.
func (t *Tree) KillSupervisor(name string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range t.live {
		if s.name == name {
			s.end()
			return nil
		}
	}
	return fmt.Errorf("cannot kill the supervisor of %q: %w", name, supervise.ErrNotSupervised)
}

// Kill sends a signal to the process of the named service, or of its logger as
// "name/log": to the one that is at work, else to one that waits for the lock.
func (t *Tree) Kill(name string, signal syscall.Signal) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	var found *process
	for _, p := range t.processes {
		if p.name == name && p.role != roleFinish && (found == nil || p.working && !found.working) {
			found = p
		}
	}
	if found == nil {
		return fmt.Errorf("cannot signal %q: nothing of it runs: %w", name, syscall.ESRCH)
	}
	found.signal(signal)
	return nil
}

// Exhaust has the kernel end the process of the named service for want of memory.
func (t *Tree) Exhaust(name string) error {
	t.mu.Lock()
	t.exhausted++
	t.mu.Unlock()
	return t.Kill(name, syscall.SIGKILL)
}

// Shortage implements s6.Tree: of Exhaust, since the tree was made.
func (t *Tree) Shortage() (ended int, since time.Time, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.exhausted, t.born, nil
}

// request asks for a scan, and then for the end of what is not linked any more.
func (v *svscan) request(scan, prune bool) {
	v.scanDue = v.scanDue || scan
	v.pruneDue = v.pruneDue || prune
	v.later(0, v.handle)
}

// later calls fn unless this s6-svscan is gone or hangs by then.
func (v *svscan) later(d time.Duration, fn func()) *event {
	return v.tree.after(max(d, v.tree.config.Latency), func() {
		if v.tree.svscan == v && !v.hung {
			fn()
		}
	})
}

func (v *svscan) handle() {
	if v.ending {
		return
	}
	if v.retry != nil {
		v.retry.Stop()
	}
	if v.scanDue {
		v.scanDue = false
		if !v.scan() {
			v.scanDue = true
			v.retry = v.later(danglingRetry, v.handle)
			v.startDue()
			return
		}
		v.scanned = time.Now()
	}
	if v.pruneDue {
		v.pruneDue = false
		for _, s := range slices.Clone(v.services) {
			if !s.active {
				v.dismiss(s)
			}
		}
	}
	v.startDue()
}

// scan reads the scan directory. It returns false if it was aborted: then it is
// as if it had not begun.
func (v *svscan) scan() bool {
	entries, err := v.tree.mem.ReadDir(v.tree.config.Layout.ScanDir)
	if err != nil {
		return false
	}
	var active []*service
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			continue
		}
		link := path.Join(v.tree.config.Layout.ScanDir, e.Name())
		info := v.tree.stat(link)
		if info == nil && v.tree.config.Version != V211 {
			return false
		}
		if info == nil || !info.IsDir() {
			continue
		}
		dir := link
		if target, err := v.tree.mem.Readlink(link); err == nil && path.IsAbs(target) {
			dir = target
		}
		s := v.service(e.Name(), dir, info)
		if s == nil {
			continue // there are too many
		}
		active = append(active, s)
		if info := v.tree.stat(path.Join(dir, "log")); info != nil && info.IsDir() {
			s.logger = v.service(e.Name()+"/log", path.Join(dir, "log"), info)
			s.logger.log = s.log
			active = append(active, s.logger)
		}
	}
	for _, s := range v.services {
		s.active = slices.Contains(active, s)
	}
	v.forget(func(s *service) bool { return !s.active && s.process == nil })
	return true
}

// forget drops services, and with each the end of the pipe to its logger.
func (v *svscan) forget(drop func(*service) bool) {
	v.services = slices.DeleteFunc(v.services, func(s *service) bool {
		if drop(s) && s.logger != nil {
			s.log.hangUp()
		}
		return drop(s)
	})
}

// service returns what is known of a directory, or a new service for it, nil
// where there is no room for that.
func (v *svscan) service(name, dir string, id fs.FileInfo) *service {
	for _, s := range v.services {
		if v.tree.same(s.id, id) {
			return s
		}
	}
	if most := v.tree.config.MaxServices; most > 0 && !isLogger(name) {
		taken := slices.DeleteFunc(slices.Clone(v.services), func(s *service) bool { return isLogger(s.name) })
		if len(taken) >= most {
			return nil
		}
	}
	s := &service{name: name, dir: dir, id: id, log: &pipe{tree: v.tree, open: true}}
	v.services = append(v.services, s)
	v.arm(time.Now())
	return s
}

// arm schedules the start of what is missing, unless that is due sooner
// already.
func (v *svscan) arm(at time.Time) {
	if !v.due.IsZero() && !v.due.After(at) {
		return
	}
	v.due = at
	if v.restart != nil {
		v.restart.Stop()
	}
	v.restart = v.later(time.Until(at), v.startDue)
}

// startDue starts what is missing, if it is due.
func (v *svscan) startDue() {
	if !v.due.IsZero() && !v.due.After(time.Now()) {
		v.start()
	}
}

// start starts the supervisors that are missing, each no sooner than a second
// after its last start. From 2.12 on those for which it is too soon are
// forgotten until there is another reason to start one.
func (v *svscan) start() {
	v.due = time.Time{}
	for _, s := range v.services {
		if !s.active || s.process != nil || v.ending {
			continue
		}
		if again := s.started.Add(time.Second); !s.started.IsZero() && again.After(time.Now()) {
			if v.tree.config.Version == V211 {
				v.arm(again)
			}
			continue
		}
		s.started = time.Now()
		// A new s6-supervise that finds no directory, or its lock taken, exits.
		if v.tree.stat(s.dir) != nil && v.tree.supervisor(s.dir) == nil {
			s.process = v.tree.supervise(s.name, s.dir, s.id, s.log)
		} else {
			v.arm(s.started.Add(time.Second))
		}
	}
}

// reap records the end of a supervisor.
func (v *svscan) reap(gone *supervisor) {
	for _, s := range v.services {
		if s.process == gone {
			s.process = nil
			v.arm(s.started.Add(time.Second))
		}
	}
	v.forget(func(s *service) bool { return s.process == nil && (!s.active || v.ending) })
	if v.ending && len(v.services) == 0 {
		v.tree.svscan = nil
	}
}

// dismiss ends the supervisor of a service, or lets the supervisor of a logger
// end when there is nothing left to read.
func (v *svscan) dismiss(s *service) {
	switch {
	case s.process == nil:
	case s.process.isLogger():
		s.process.leave()
	default:
		s.process.terminate()
	}
}

func (v *svscan) terminate() {
	if v.tree.svscan != v || v.hung {
		return
	}
	v.ending = true
	v.forget(func(s *service) bool { return s.process == nil })
	for _, s := range slices.Clone(v.services) {
		v.dismiss(s)
	}
	if len(v.services) == 0 {
		v.tree.svscan = nil
	}
}
