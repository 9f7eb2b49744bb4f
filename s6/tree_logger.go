package s6

import (
	"errors"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/evenkeel/evenkeel/internal/proc"
)

// ErrLogLost is wrapped by the error of a Shutdown that has ended everything,
// and in which a logger that could write no more was killed. The error says
// which and how much.
var ErrLogLost = errors.New("the end of a log could not be written")

// backlog is what can be seen of how far a logger has got. The zero backlog is
// that of no logger.
type backlog struct {
	pid     int   // of the logger, -1 if that is not known
	unread  int   // bytes that wait in its pipe, -1 if that is not known
	size    int64 // of the newest file in its log directory
	changed time.Time
}

// backlogOf returns how far the logger of a service has got.
func (t *SystemTree) backlogOf(service string) backlog {
	b := backlog{pid: -1, unread: -1}
	if pid := t.logProcess(service); pid > 0 {
		b.pid, b.unread = pid, unread(pid, 0)
	}
	if info, err := os.Stat(path.Join(t.layout.Log(path.Base(service)), "current")); err == nil {
		b.size, b.changed = info.Size(), info.ModTime()
	}
	return b
}

// busy reports whether one of these processes runs, or waits for a processor or a
// disk. Where thousands end at once, each waits for the others.
func busy(pids ...int) bool {
	return slices.ContainsFunc(pids, func(pid int) bool {
		p, err := proc.System.Read(pid)
		return err == nil && (p.State == "R" || p.State == "D")
	})
}

// logProcess returns the logger of a service, 0 if none runs: what holds the
// service's log directory, supervised or not, else what its supervisor runs.
func (t *SystemTree) logProcess(service string) int {
	if holder, err := t.Logger(path.Base(service)); err == nil && holder.PID > 0 {
		return holder.PID
	}
	status, err := t.Status(logger(service))
	if err != nil || !status.Up() {
		return 0
	}
	if child, err := t.Child(logger(service), status.PID); err != nil || !child {
		return 0
	}
	return status.PID
}

// unread returns how many bytes wait in the pipe that a descriptor of a process
// leads to, -1 where that cannot be found out.
func unread(pid, fd int) int {
	process, err := proc.System.Open(pid)
	if err != nil {
		return -1
	}
	defer process.Close()
	n, err := process.Unread(fd)
	if err != nil {
		return -1
	}
	return n
}

// lost says what is lost with a logger that is killed for it gets no further,
// and why it does not, where that can be seen.
func (t *SystemTree) lost(service string, was backlog) string {
	log := t.layout.Log(path.Base(service))
	var b strings.Builder
	fmt.Fprintf(&b, "the logger of %s wrote nothing for %v and was killed with what it had read", service, flushPatience)
	if was.unread > 0 {
		fmt.Fprintf(&b, ", and %d bytes waited for it", was.unread)
	}
	var disk unix.Statfs_t
	if err := unix.Statfs(log, &disk); err == nil && disk.Bavail == 0 {
		fmt.Fprintf(&b, ": no space left on the device of %s", log)
	}
	return b.String()
}

// answer is what is known of something.
type answer int

const (
	unknown answer = iota
	yes
	no
)

// hears says whether the logger of a service reads the pipe that the service's
// supervisor and its process write to. It does not where it does not run.
func (t *SystemTree) hears(service string, supervisor int) answer {
	to := pipeOf(supervisor, 1)
	if process, err := t.Process(service); to == "" && err == nil {
		to = pipeOf(process.PID, 1) // the supervisor was told to exit
	}
	if to == "" {
		return unknown // or it has no logger
	}
	pid := t.logProcess(service)
	if pid == 0 {
		return no
	}
	switch pipeOf(pid, 0) {
	case "":
		return unknown
	case to:
		return yes
	}
	return no
}

// pipeOf says which pipe a descriptor of a process is, "" if it is none, or if
// that cannot be found out.
func pipeOf(pid, fd int) string {
	process, err := proc.System.Open(pid)
	if err != nil {
		return ""
	}
	defer process.Close()
	pipe, err := process.Descriptor(fd)
	if err != nil || !strings.HasPrefix(pipe, "pipe:[") {
		return ""
	}
	return pipe
}
