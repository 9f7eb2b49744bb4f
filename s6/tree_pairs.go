package s6

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/evenkeel/evenkeel/internal/proc"
	"github.com/evenkeel/evenkeel/internal/spell"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

// pair is a service that the scan directory leads to, with its supervisor and
// that of its logger, its stray process, and what was left running.
type pair struct {
	service               string
	supervisor, logSupers supervise.LockState
	stray                 supervise.LockState
	leaders               leaders           // its processes that were seen
	left                  leaders           // those of them that have left something running
	leftPIDs              []int             // what that is
	quiet                 spell.Spell[bool] // only its logger's side is left
	told                  endings           // of all these, during a shutdown
	downed                endings           // of the logger's supervisor, told to end it now
	backlog               spell.Spell[backlog]

	unread error             // why it could not be looked at; what else it says is from before
	dark   spell.Spell[bool] // unread
}

func (p pair) ended() bool {
	return p.unread == nil && !p.running()
}

// lost reports whether nothing more is to be expected of a service: nothing of
// it is known to run, and it has not been possible to look at it for a while.
func (p pair) lost(now time.Time) bool {
	return p.dark.Lasts(now, scanPatience) && !p.running()
}

// running reports whether something of it is known to run.
func (p pair) running() bool {
	return p.supervisor.Held || p.logSupers.Held || p.stray.Held || len(p.left) > 0
}

// pairs lists the services that the scan directory leads to, those that cannot
// be looked at included.
func (t *SystemTree) pairs() (all []pair, err error) {
	entries, err := os.ReadDir(t.layout.ScanDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if e.Name()[0] == '.' {
			continue
		}
		p := pair{service: path.Join(t.layout.ScanDir, e.Name())}
		t.look(&p)
		all = append(all, p)
	}
	return all, nil
}

// look looks at a service again.
func (t *SystemTree) look(p *pair) {
	seen := *p
	if seen.unread = t.lookAt(&seen); seen.unread == nil {
		*p = seen
	}
	p.unread = seen.unread
	p.dark.Note(p.unread != nil)
	p.quiet.Note(!p.supervisor.Held && !p.stray.Held)
	p.told.keep(p.leaders.pids(p.supervisor.PID, p.logSupers.PID)...)
	p.downed.keep(p.logSupers.PID)
}

func (t *SystemTree) lookAt(p *pair) (err error) {
	if p.supervisor, err = t.Supervisor(p.service); errors.Is(err, syscall.ENOTDIR) {
		return nil // a file in the scan directory, which s6-svscan ignores
	} else if err != nil {
		return err
	}
	if p.logSupers, err = t.Supervisor(logger(p.service)); err != nil {
		return err
	}
	now := time.Now() // no later than what is seen
	process, err := t.Process(p.service)
	if err != nil {
		return err
	}
	p.leaders.note(process.PID, now)
	p.stray, p.left, p.leftPIDs = supervise.LockState{}, nil, nil
	if !p.supervisor.Held {
		p.stray = process
		if err := t.lookForLeft(p); err != nil {
			return err
		}
	}
	return nil
}

// lookForLeft finds out what a service without a supervisor has left running. As
// long as there is a supervisor, it sees to that itself.
func (t *SystemTree) lookForLeft(p *pair) error {
	for _, l := range p.leaders {
		if l.pid == p.stray.PID {
			continue
		}
		members, err := t.Group(p.service, l.pid, l.seen)
		if err != nil {
			return err
		}
		if len(members) > 0 {
			p.left = append(p.left, l)
			p.leftPIDs = append(p.leftPIDs, members...)
		}
	}
	return nil
}

// living looks at services again and returns those that have a supervisor, or
// of which that is not known.
func (t *SystemTree) living(services []pair) []pair {
	for n := range services {
		t.look(&services[n])
	}
	return slices.DeleteFunc(services, pair.ended)
}

// unreadable returns why services could not be looked at, nil if all could.
func unreadable(services []pair) error {
	var errs []error
	for _, p := range services {
		if p.unread != nil {
			errs = append(errs, fmt.Errorf("it is not known what runs of %s: %w", p.service, p.unread))
		}
	}
	return errors.Join(errs...)
}

// names lists what of the services still runs, and of those that were deleted.
func names(services []pair, left map[string][]Remnant) string {
	var names []string
	for _, p := range services {
		for _, running := range []struct {
			what, dir string
			state     supervise.LockState
		}{
			{"the supervisor of", p.service, p.supervisor},
			{"the supervisor of", logger(p.service), p.logSupers},
			{"a stray process of", p.service, p.stray},
		} {
			if running.state.Held {
				names = append(names, fmt.Sprintf("%s %s (pid %d)", running.what, running.dir, running.state.PID))
			}
		}
		for _, pid := range p.leftPIDs {
			names = append(names, fmt.Sprintf("what a process of %s has started (pid %d)", p.service, pid))
		}
	}
	for _, service := range slices.Sorted(maps.Keys(left)) {
		for _, r := range left[service] {
			names = append(names, fmt.Sprintf("a process of %s, which was deleted (pid %d)", service, r.PID))
		}
	}
	if names == nil {
		return "s6-svscan"
	}
	return strings.Join(names, ", ")
}

// orphaned reports whether a supervisor is known to be the child of another
// process than the s6-svscan.
func orphaned(supervisor, scanner supervise.LockState) bool {
	if supervisor.PID == 0 {
		return false
	}
	parent, err := proc.System.Parent(supervisor.PID)
	return err == nil && parent != scanner.PID
}
