package s6

import (
	"errors"
	"slices"
	"syscall"
	"time"
)

// Remnant is a process that was started from a service directory which has been
// deleted or moved away since.
type Remnant struct {
	PID int
	// Supervisor: it is an s6-supervise, and not what that has started. Logger:
	// it is of the logger, and not of the service.
	Supervisor, Logger bool
}

// Sighting is when a process, its supervisor and the supervisor of its logger
// were last seen to be a service's own. Each may be 0, for none.
type Sighting struct {
	PID, Supervisor, Logger int

	At time.Time
}

// rank puts the processes of a service before its supervisor, for the first one
// is what is named, and what is of the logger last.
func (r Remnant) rank() int {
	switch {
	case r.Logger:
		return 2
	case r.Supervisor:
		return 1
	}
	return 0
}

// asked returns the signals by which a remnant is asked to end, none for a
// logger, which ends when it has read to the end. A supervisor then exits as
// soon as its service has ended. The process is continued, as s6-supervise would
// do it.
func (r Remnant) asked(stop syscall.Signal) []syscall.Signal {
	switch {
	case r.Supervisor:
		return []syscall.Signal{syscall.SIGHUP}
	case r.Logger:
		return nil
	}
	return []syscall.Signal{stop, syscall.SIGCONT}
}

// ends are the signals that are due for a remnant that was asked when told says
// so. A supervisor is told more clearly, and what does not end is killed. By
// SIGTERM a supervisor asks its process once more, which some take for a demand
// to end at once: it gets that when the process has had its time.
func (r Remnant) ends(now time.Time, told endings, m manner) []syscall.Signal {
	patience := m.patience
	firmly := scanPatience // s6-log ends at the end of a line, however often it is told
	if !r.Logger {
		firmly = max(patience, scanPatience) + scanPatience/2
	}
	if r.Supervisor || r.Logger {
		patience = max(patience, scanPatience) + scanPatience
	}
	switch {
	case !told.has(r.PID):
		return r.asked(m.signal)
	case told.due(now, r.PID, patience) == endInsist:
		return []syscall.Signal{syscall.SIGKILL}
	case (r.Supervisor || r.Logger) && told.due(now, r.PID, firmly) == endInsist:
		return []syscall.Signal{syscall.SIGTERM}
	}
	return nil
}

// endRemnants tells remnants, supervisors first, to end by the signals that are
// due, and notes whom it has told. Who could not be told is told the next time,
// if it is still there, and so is a process whose supervisor could not be told.
func endRemnants(left []Remnant, told *endings, due func(Remnant) []syscall.Signal, signal func(pid int, signals ...syscall.Signal) error) error {
	var errs []error
	untold := false // a supervisor is
	for _, r := range left {
		first := !told.has(r.PID)
		if first && untold && !r.Supervisor {
			continue
		}
		if signals := due(r); len(signals) > 0 {
			if err := signal(r.PID, signals...); err != nil {
				if !errors.Is(err, syscall.ESRCH) {
					errs = append(errs, err)
				}
				untold = untold || r.Supervisor
				continue
			}
		}
		if first {
			told.note(r.PID)
		}
	}
	return errors.Join(errs...)
}

// next returns those of the remnants that are to end first: the service's, and
// the logger's once that has nothing more to read. A supervisor is told before
// its process: it would start another one.
func next(all []Remnant) []Remnant {
	// They are in the order of their ranks.
	if n := slices.IndexFunc(all, func(r Remnant) bool { return r.Logger }); n > 0 {
		all = all[:n]
	}
	var supervisors, others []Remnant
	for _, r := range all {
		if r.Supervisor {
			supervisors = append(supervisors, r)
		} else {
			others = append(others, r)
		}
	}
	return append(supervisors, others...)
}
