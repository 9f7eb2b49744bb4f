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
	"time"

	"golang.org/x/sys/unix"

	"github.com/evenkeel/evenkeel/internal/proc"
)

// Remains implements Tree. What was found is used for all who ask for a look no
// older than that one: a look reads the whole process table.
func (t *SystemTree) Remains(service string, known Sighting, since time.Time) ([]Remnant, error) {
	t.remains.asked.note(service)
	return t.remainsOf(service, known, since)
}

func (t *SystemTree) remainsOf(service string, known Sighting, since time.Time) ([]Remnant, error) {
	all, err := t.lookSince(since)
	if err != nil {
		return nil, err
	}
	found := slices.Clone(all[service])
	if known.lives(known.PID) && !has(found, known.PID) {
		ours, err := t.current(service, known.PID)
		if err != nil {
			return nil, err
		}
		if !ours {
			found = append(found, Remnant{PID: known.PID})
		}
	}
	for dir, pid := range map[string]int{service: known.Supervisor, logger(service): known.Logger} {
		if found, err = t.addSighted(found, service, dir, pid, known); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(found, func(a, b Remnant) int { return a.rank() - b.rank() })
	return found, nil
}

// addSighted adds a supervisor that was seen to serve a directory and does not
// any more, with what it has started.
func (t *SystemTree) addSighted(found []Remnant, service, dir string, pid int, known Sighting) ([]Remnant, error) {
	if !known.lives(pid) || has(found, pid) {
		return found, nil
	}
	supervisor, err := t.Supervisor(dir)
	if err != nil || supervisor.PID == pid {
		return found, err
	}
	all := map[string][]Remnant{service: append(found, Remnant{PID: pid, Supervisor: true, Logger: dir != service})}
	err = addChildren(all, map[int]string{pid: dir})
	return all[service], err
}

// current reports whether a process is a service's own, or a stray one that
// keeps its own waiting: it holds the instance lock, or the supervisor that
// serves the directory has started it.
func (t *SystemTree) current(service string, pid int) (bool, error) {
	process, err := t.Process(service)
	if err != nil || process.PID == pid {
		return true, err
	}
	return t.supervises(service, pid)
}

// lives reports whether one of those that were seen is still there. A process
// that has its id now and is younger than the sighting is another.
func (s Sighting) lives(pid int) bool {
	if pid <= 0 {
		return false
	}
	if _, err := proc.System.Read(pid); errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
		return false
	}
	started, err := proc.System.Start(pid)
	now, clockErr := proc.SinceBoot()
	return err == nil && clockErr == nil && started <= now-time.Since(s.At)+proc.Tick
}

func has(found []Remnant, pid int) bool {
	return slices.ContainsFunc(found, func(r Remnant) bool { return r.PID == pid })
}

// supervises reports whether a process, or one that has started it, was started
// by the supervisor that serves the directory now.
func (t *SystemTree) supervises(service string, pid int) (bool, error) {
	supervisor, err := t.Supervisor(service)
	if err != nil || supervisor.PID == 0 {
		return false, err
	}
	for pid > 1 && pid != supervisor.PID {
		if pid, err = proc.System.Parent(pid); err != nil {
			return false, nil // it has ended
		}
	}
	return pid == supervisor.PID, nil
}

// lookSince returns what was found by a look that began after since.
func (t *SystemTree) lookSince(since time.Time) (map[string][]Remnant, error) {
	t.remains.mu.Lock()
	defer t.remains.mu.Unlock()
	if t.remains.found != nil && t.remains.began.After(since) {
		return t.remains.found, nil
	}
	began := time.Now()
	found, err := t.findRemains()
	if err != nil {
		return nil, fmt.Errorf("cannot look for what is left of service directories that were deleted: %w", err)
	}
	t.remains.began, t.remains.found = began, found
	return found, nil
}

// deleted is what /proc says after the name of what was deleted.
const deleted = " (deleted)"

// findRemains looks through the process table. A supervisor is known by the
// directory that it works in, or by the lock that it has open, a logger by its
// directory; a process by the instance lock that it has open, or by the
// supervisor that has started it. Somebody's shell that was left in a deleted
// directory is none of them.
func (t *SystemTree) findRemains() (map[string][]Remnant, error) {
	all, err := proc.System.Touching(t.layout.ServicesDir)
	if err != nil {
		return nil, err
	}
	found := make(map[string][]Remnant)
	supervisors := make(map[int]string) // of what directory
	for _, p := range all {
		if service, dir, r := t.remnantOf(p); service != "" {
			found[service] = append(found[service], r)
			if r.Supervisor {
				supervisors[p.PID] = dir
			}
		}
		for _, file := range p.Open {
			service, file := t.placeOf(file)
			if service == "" || file != lockOf(service) || has(found[service], p.PID) {
				continue
			}
			supervised, err := t.supervises(service, p.PID)
			if err != nil {
				return nil, err
			}
			if !supervised {
				found[service] = append(found[service], Remnant{PID: p.PID})
			}
		}
	}
	if len(supervisors) > 0 {
		if err := addChildren(found, supervisors); err != nil {
			return nil, err
		}
	}
	for _, of := range found {
		slices.SortStableFunc(of, func(a, b Remnant) int { return a.rank() - b.rank() })
	}
	return found, nil
}

// remnantOf returns what is left of a directory, a service's or its logger's, if
// a process is its supervisor or its logger; service is "" where it is neither.
func (t *SystemTree) remnantOf(p proc.Touch) (service, dir string, r Remnant) {
	service, dir = t.placeOf(p.Dir)
	for _, file := range p.Open {
		if of, file := t.placeOf(file); service == "" && strings.HasSuffix(file, "/"+fileSuperviseLock) {
			service, dir = of, path.Dir(path.Dir(file))
		}
	}
	if service == "" {
		return "", "", r
	}
	command, _ := proc.System.Command(p.PID)
	switch {
	case command == "s6-supervise":
		return service, dir, Remnant{PID: p.PID, Supervisor: true, Logger: dir != service}
	case command == "s6-log" && dir != service:
		return service, dir, Remnant{PID: p.PID, Logger: true}
	}
	return "", "", r
}

// addChildren adds what the supervisors have started.
func addChildren(found map[string][]Remnant, supervisors map[int]string) error {
	pids, err := proc.System.PIDs()
	if err != nil {
		return err
	}
	for _, pid := range pids {
		parent, err := proc.System.Parent(pid)
		dir, ours := supervisors[parent]
		if err != nil || !ours {
			continue
		}
		service := dir
		if path.Base(dir) == dirLog {
			service = path.Dir(dir)
		}
		if _, err := proc.System.Read(pid); err != nil || has(found[service], pid) {
			continue // it has ended, or is known
		}
		found[service] = append(found[service], Remnant{PID: pid, Logger: dir != service})
	}
	return nil
}

// placeOf returns the service directory that something deleted was in, and what
// it was called there; "" where it was in none, or was not deleted.
func (t *SystemTree) placeOf(link string) (service, name string) {
	name, gone := strings.CutSuffix(link, deleted)
	below, in := strings.CutPrefix(name, t.layout.ServicesDir+"/")
	if !gone || !in {
		return "", ""
	}
	if _, err := os.Lstat(link); err == nil {
		return "", "" // something is called so
	}
	first, rest, _ := strings.Cut(below, "/")
	service = t.layout.Service(first)
	switch rest {
	case "", dirLog, fileInstanceLock, fileSuperviseLock, fileLogSuperviseLock:
	default:
		return "", ""
	}
	return service, name
}

// EndRemnant implements Tree.
func (t *SystemTree) EndRemnant(service string, known Sighting, pid int, signals ...syscall.Signal) error {
	t.remains.asked.note(service)
	return t.endRemnant(service, known, pid, signals...)
}

func (t *SystemTree) endRemnant(service string, known Sighting, pid int, signals ...syscall.Signal) error {
	fd, err := proc.PIDFD(pid)
	if err != nil {
		return fmt.Errorf("cannot signal process %d: %w", pid, err)
	}
	defer unix.Close(fd)
	// From here on the id means one process. Is it still one of them?
	found, err := t.remainsOf(service, known, time.Now())
	if err != nil {
		return fmt.Errorf("cannot signal process %d: %w", pid, err)
	}
	if !has(found, pid) {
		return fmt.Errorf("cannot signal process %d: it is not of a deleted directory of %s: %w", pid, service, unix.ESRCH)
	}
	for _, signal := range signals {
		if err := unix.PidfdSendSignal(fd, signal, nil, 0); err != nil {
			return fmt.Errorf("cannot signal process %d: %w", pid, err)
		}
	}
	return nil
}
