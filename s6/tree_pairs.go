package s6

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"

	"github.com/evenkeel/evenkeel/internal/proc"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

// pair is a service that the scan directory leads to, with its supervisor and
// that of its logger, and its stray process.
type pair struct {
	service               string
	supervisor, logSupers supervise.LockState
	stray                 supervise.LockState
	quiet                 spell[bool] // only its logger's side is left
	told                  endings     // of these three, during a shutdown
	downed                endings     // of the logger's supervisor, told to end it now
	backlog               spell[backlog]
}

func (p pair) ended() bool { return !p.supervisor.Held && !p.logSupers.Held && !p.stray.Held }

// pairs lists the services that the scan directory leads to.
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
		if err := t.look(&p); err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

func (t *SystemTree) look(p *pair) (err error) {
	if p.supervisor, err = t.Supervisor(p.service); errors.Is(err, syscall.ENOTDIR) {
		return nil // a file in the scan directory, which s6-svscan ignores
	} else if err != nil {
		return err
	}
	if p.logSupers, err = t.Supervisor(logger(p.service)); err != nil {
		return err
	}
	p.stray = supervise.LockState{}
	if !p.supervisor.Held {
		p.stray, err = t.Process(p.service)
	}
	p.quiet.note(!p.supervisor.Held && !p.stray.Held)
	p.told.keep(p.supervisor.PID, p.logSupers.PID, p.stray.PID)
	p.downed.keep(p.logSupers.PID)
	return err
}

// living looks at services again and returns those that have a supervisor.
func (t *SystemTree) living(services []pair) ([]pair, error) {
	for n := range services {
		if err := t.look(&services[n]); err != nil {
			return services, err
		}
	}
	return slices.DeleteFunc(services, pair.ended), nil
}

// names lists what of the services still runs.
func names(services []pair) string {
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
