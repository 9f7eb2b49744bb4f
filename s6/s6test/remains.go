package s6test

import (
	"fmt"
	"path"
	"slices"
	"syscall"
	"time"

	"github.com/evenkeel/evenkeel/s6"
)

// Remains implements s6.Tree.
func (t *Tree) Remains(service string, known s6.Sighting, _ time.Time) ([]s6.Remnant, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.burial != nil {
		t.burial.asked[service] = true
	}
	return t.remains(service, known), nil
}

func (t *Tree) remains(service string, known s6.Sighting) (all []s6.Remnant) {
	for _, s := range t.live {
		if own(service, s.dir) && !s.locked() {
			all = append(all, s6.Remnant{PID: s.pid, Supervisor: true, Logger: s.isLogger()})
		}
	}
	current := t.supervisor(service)
	for _, p := range t.processes {
		gone := own(service, p.dir) && (!p.in() || p.supervisor != nil && !p.supervisor.locked())
		unlocked := p.dir == service && p.lock != nil && !t.same(p.lock, t.stat(path.Join(service, "data/lock"))) && (p.supervisor == nil || p.supervisor != current)
		seen := p.pid == known.PID && !p.started.After(known.At) && !p.in()
		if gone || unlocked || seen {
			all = append(all, s6.Remnant{PID: p.pid, Logger: p.role == roleLogger})
		}
	}
	rank := func(r s6.Remnant) (n int) {
		if r.Logger {
			return 2
		}
		if r.Supervisor {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(all, func(a, b s6.Remnant) int { return rank(a) - rank(b) })
	return all
}

// own reports whether a directory is a service's or its logger's.
func own(service, dir string) bool { return dir == service || dir == path.Join(service, "log") }

// EndRemnant implements s6.Tree.
func (t *Tree) EndRemnant(service string, known s6.Sighting, pid int, signals ...syscall.Signal) error {
	all, _ := t.Remains(service, known, time.Time{}) // it never fails
	t.mu.Lock()
	defer t.mu.Unlock()
	if !slices.ContainsFunc(all, func(r s6.Remnant) bool { return r.PID == pid }) {
		return fmt.Errorf("cannot signal process %d: it is not of a deleted directory of %s: %w", pid, service, syscall.ESRCH)
	}
	t.signal(pid, signals...)
	return nil
}

// signal sends signals to a supervisor or a process that lives.
func (t *Tree) signal(pid int, signals ...syscall.Signal) {
	for _, signal := range signals {
		if at := slices.IndexFunc(t.live, func(s *supervisor) bool { return s.pid == pid }); at >= 0 {
			t.live[at].signal(signal)
		} else if at := slices.IndexFunc(t.processes, func(p *process) bool { return p.pid == pid }); at >= 0 {
			t.processes[at].signal(signal)
		}
	}
}

// signal is what s6-supervise does when it gets a signal itself.
func (s *supervisor) signal(signal syscall.Signal) {
	switch signal {
	case syscall.SIGHUP:
		s.leave()
	case syscall.SIGTERM:
		s.terminate()
	case syscall.SIGKILL:
		s.end()
	}
}
