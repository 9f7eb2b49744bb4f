package proc

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/procfs"
)

// FS is a proc(5) file system, by the directory that it is mounted on.
type FS string

// System is the one of this machine.
const System FS = procfs.DefaultMountPoint

// PIDs returns the ids of all processes in ascending order.
func (f FS) PIDs() ([]int, error) {
	table, err := procfs.NewFS(string(f))
	if err != nil {
		return nil, fmt.Errorf("cannot list the processes: %w", err)
	}
	all, err := table.AllProcs()
	if err != nil {
		return nil, fmt.Errorf("cannot list the processes: %w", err)
	}
	pids := make([]int, 0, len(all))
	for _, p := range all {
		pids = append(pids, p.PID)
	}
	slices.Sort(pids)
	return pids, nil
}

// Command returns the command name of a process, at most 15 bytes.
func (f FS) Command(pid int) (string, error) {
	p, err := f.process(pid)
	if err != nil {
		return "", err
	}
	return p.Comm()
}

// Parent returns the parent of a process.
func (f FS) Parent(pid int) (int, error) {
	p, err := f.process(pid)
	if err != nil {
		return 0, err
	}
	stat, err := p.Stat()
	return stat.PPID, err
}

// Start returns when a process started, as Process.Started.
func (f FS) Start(pid int) (time.Duration, error) {
	p, err := f.process(pid)
	if err != nil {
		return 0, err
	}
	stat, err := p.Stat()
	return time.Duration(stat.Starttime) * Tick, err
}

// Elsewhere reports whether a process is seen to be in another network namespace
// than this one. Where that cannot be read it is taken to be in this one.
func (f FS) Elsewhere(pid int) bool {
	here, err := os.Readlink(filepath.Join(string(f), "self/ns/net"))
	if err != nil {
		return false
	}
	there, err := os.Readlink(filepath.Join(string(f), strconv.Itoa(pid), "ns/net"))
	return err == nil && here != there
}

// Owner returns the effective user id of a process.
func (f FS) Owner(pid int) (uid int, err error) {
	p, err := f.process(pid)
	if err != nil {
		return 0, err
	}
	status, err := p.NewStatus()
	return int(status.UIDs[1]), err
}

// Environ returns the environment that a process began with, each as NAME=value.
func (f FS) Environ(pid int) ([]string, error) {
	p, err := f.process(pid)
	if err != nil {
		return nil, err
	}
	return p.Environ()
}

// Limits returns the soft limits of a process.
func (f FS) Limits(pid int) (procfs.ProcLimits, error) {
	p, err := f.process(pid)
	if err != nil {
		return procfs.ProcLimits{}, err
	}
	return p.Limits()
}

// EphemeralPorts returns the range of ports, both included, that the kernel
// gives to outgoing connections.
func (f FS) EphemeralPorts() (first, last int, err error) {
	table, err := procfs.NewFS(string(f))
	if err != nil {
		return 0, 0, err
	}
	const name = "net.ipv4.ip_local_port_range"
	both, err := table.SysctlInts(name)
	if err != nil {
		return 0, 0, err
	}
	if len(both) != 2 {
		return 0, 0, fmt.Errorf("cannot read %s: %v is not a range", name, both)
	}
	return both[0], both[1], nil
}

// Uptime returns for how long the machine has run, as scripts read it: to a
// hundredth of a second. In a container it may be another time than SinceBoot.
func (f FS) Uptime() (time.Duration, error) {
	text, err := os.ReadFile(filepath.Join(string(f), "uptime"))
	if err != nil {
		return 0, err
	}
	first, _, _ := strings.Cut(string(text), " ")
	seconds, err := strconv.ParseFloat(first, 64)
	if err != nil || seconds < 0 {
		return 0, fmt.Errorf("cannot read the uptime: %q is none", text)
	}
	return time.Duration(math.Round(seconds*100)) * 10 * time.Millisecond, nil
}

// process returns a process that exists. The error satisfies fs.ErrNotExist
// where there is none with that id.
func (f FS) process(pid int) (procfs.Proc, error) {
	table, err := procfs.NewFS(string(f))
	if err != nil {
		return procfs.Proc{}, err
	}
	return table.Proc(pid)
}
