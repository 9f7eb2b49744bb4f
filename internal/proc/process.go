package proc

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/procfs"
	"golang.org/x/sys/unix"
)

// Process is an entry of the process table, as it was when it was read.
type Process struct {
	PID, Parent int
	// Group is the process group, by the id of its leader.
	Group int
	// Started is when it started, after the machine did: see [SinceBoot]. It is
	// rounded down to a tick of ten milliseconds.
	Started time.Duration
	// State is that of proc_pid_stat(5): "R", "S", "D", "T" and so on.
	State string
	// Args is the command line, Dir the working directory.
	Args []string
	Dir  string
	// Program is the file that is run, empty where it cannot be read.
	Program string
}

// String shows what a process is in one line.
func (p Process) String() string { return fmt.Sprintf("%d %q in %s", p.PID, p.Args, p.Dir) }

// Is reports whether the command line runs the named program, by whatever path.
func (p Process) Is(program string) bool {
	return len(p.Args) > 0 && filepath.Base(p.Args[0]) == program
}

// In reports whether a process works in a directory or below it.
func (p Process) In(dir string) bool {
	return p.Dir == dir || strings.HasPrefix(p.Dir, strings.TrimSuffix(dir, "/")+"/")
}

// OfS6 reports whether a process is one of s6's own programs.
func (p Process) OfS6() bool { return strings.HasPrefix(filepath.Base(p.Program), "s6-") }

// Read returns a process. The error satisfies fs.ErrNotExist where there is
// none with that id, or one that has ended and was not reaped yet.
func (f FS) Read(pid int) (Process, error) {
	p, err := f.read(pid)
	if err != nil {
		return Process{}, fmt.Errorf("cannot read process %d: %w", pid, err)
	}
	return p, nil
}

func (f FS) read(pid int) (Process, error) {
	p, err := f.process(pid)
	if err != nil {
		return Process{}, err
	}
	stat, err := p.Stat()
	if err != nil {
		return Process{}, err
	}
	if stat.State == "Z" || stat.State == "X" {
		return Process{}, fmt.Errorf("it has ended: %w", fs.ErrNotExist)
	}
	args, err := p.CmdLine()
	if err != nil {
		return Process{}, err
	}
	dir, err := p.Cwd()
	if err == nil && dir == "" {
		err = fmt.Errorf("it is ending: %w", fs.ErrNotExist)
	}
	if err != nil {
		return Process{}, err
	}
	program, _ := p.Executable()
	return Process{
		PID: pid, Parent: stat.PPID, Group: stat.PGRP, Started: time.Duration(stat.Starttime) * Tick,
		State: stat.State, Args: args, Dir: dir, Program: program,
	}, nil
}

// Tick is the unit of times in /proc: USER_HZ is 100 wherever Go runs.
const Tick = 10 * time.Millisecond

// SinceBoot returns for how long the machine has run, its sleep included, on
// the clock of [Process.Started].
func SinceBoot() (time.Duration, error) {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &now); err != nil {
		return 0, os.NewSyscallError("clock_gettime", err)
	}
	return time.Duration(now.Nano()), nil
}

// Group returns the processes of a process group, in the order of All, without
// those that have ended. An error says that this could not be found out. Of the
// processes it reads what may always be read: Dir and Program are empty.
func (f FS) Group(id int) ([]Process, error) {
	table, err := procfs.NewFS(string(f))
	if err != nil {
		return nil, fmt.Errorf("cannot list the processes: %w", err)
	}
	all, err := table.AllProcs()
	if err != nil {
		return nil, fmt.Errorf("cannot list the processes: %w", err)
	}
	var found []Process
	for _, p := range all {
		stat, err := p.Stat()
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESRCH) {
			continue // ended meanwhile
		}
		if err != nil {
			return nil, fmt.Errorf("cannot read process %d: %w", p.PID, err)
		}
		if stat.PGRP != id || stat.State == "Z" || stat.State == "X" {
			continue
		}
		args, _ := p.CmdLine()
		found = append(found, Process{
			PID: p.PID, Parent: stat.PPID, Group: id, Started: time.Duration(stat.Starttime) * Tick, State: stat.State, Args: args,
		})
	}
	slices.SortFunc(found, func(a, b Process) int { return a.PID - b.PID })
	return found, nil
}

// All returns the processes that can be read, ordered by their ids. An error
// says that the table could not be read; a single process that cannot be read
// is left out.
func (f FS) All() ([]Process, error) {
	pids, err := f.PIDs()
	if err != nil {
		return nil, err
	}
	all := make([]Process, 0, len(pids))
	for _, pid := range pids {
		if p, err := f.read(pid); err == nil {
			all = append(all, p)
		}
	}
	return all, nil
}

// Under returns the processes that work in a directory or below it, in the order
// of All. Of the others it reads the directory alone, which takes a small part
// of the time of All.
func (f FS) Under(dir string) ([]Process, error) {
	table, err := procfs.NewFS(string(f))
	if err != nil {
		return nil, fmt.Errorf("cannot list the processes: %w", err)
	}
	all, err := table.AllProcs()
	if err != nil {
		return nil, fmt.Errorf("cannot list the processes: %w", err)
	}
	var found []Process
	for _, p := range all {
		if in, err := p.Cwd(); err != nil || !(Process{Dir: in}).In(dir) {
			continue
		}
		if one, err := f.read(p.PID); err == nil && one.In(dir) {
			found = append(found, one)
		}
	}
	slices.SortFunc(found, func(a, b Process) int { return a.PID - b.PID })
	return found, nil
}

// UnderReal returns what Under does for the directory that a path leads to: the
// working directory of a process has no symbolic links in it. The error satisfies
// fs.ErrNotExist where there is no such directory.
func (f FS) UnderReal(path string) ([]Process, error) {
	dir, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, err
	}
	return f.Under(dir)
}
