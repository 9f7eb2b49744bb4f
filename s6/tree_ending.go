package s6

import (
	"os"
	"path"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/evenkeel/evenkeel/s6/supervise"
)

// tell tells supervisors to end: those of loggers when those of their services
// have, for then what was printed can be read to its end; those that find no end
// in some time, because a process that the service has left lives on, are ended
// all the same. Those that have just gone need no telling. Each is told to bring its service down
// once, and not where it does already: it would give it as much time once more.
func (t *SystemTree) tell(now time.Time, services []pair, told map[int]bool) {
	for _, p := range services {
		switch {
		case p.supervisor.Held:
			status, err := t.Status(p.service)
			commands := []supervise.Command{supervise.CommandExit}
			if !told[p.supervisor.PID] && (err != nil || !status.Up() || status.WantUp) {
				commands = []supervise.Command{supervise.CommandDown, supervise.CommandExit}
			}
			told[p.supervisor.PID] = true
			_ = t.Control(p.service, commands...)
		case p.quiet.lasts(now, scanPatience):
			_ = t.Control(logger(p.service), supervise.CommandDown, supervise.CommandExit)
		default:
			_ = t.Control(logger(p.service), supervise.CommandExit)
		}
	}
}

// tellOrphans tells supervisors to end that no s6-svscan will tell.
func (t *SystemTree) tellOrphans(services []pair) {
	scanner, err := t.scanner()
	if err != nil {
		return
	}
	for _, p := range services {
		if orphaned(p.supervisor, scanner) {
			_ = t.Control(p.service, supervise.CommandDown, supervise.CommandExit)
		}
	}
}

// endStrays ends processes without a supervisor. They are noted in kill with
// the time when they get KILL.
func (t *SystemTree) endStrays(services []pair, kill map[int]time.Time) {
	for _, p := range services {
		pid := p.stray.PID
		if pid == 0 {
			continue
		}
		signal := syscall.SIGTERM
		when, told := kill[pid]
		if told && time.Now().Before(when) {
			continue
		}
		if told {
			signal = syscall.SIGKILL
		}
		kill[pid] = time.Now().Add(t.timeToStop(p.service))
		_ = t.Signal(p.service, pid, signal) // it may be gone by now
	}
}

// timeToStop returns how long after its stop signal a service gets KILL.
func (t *SystemTree) timeToStop(service string) time.Duration {
	data, err := os.ReadFile(path.Join(service, fileTimeoutKill))
	ms, parsed := strconv.Atoi(strings.TrimSpace(string(data)))
	if err != nil || parsed != nil || ms <= 0 {
		return defaultStopTimeout
	}
	return time.Duration(ms) * time.Millisecond
}

// dismissScanner ends an s6-svscan that hangs with nothing left to do.
func (t *SystemTree) dismissScanner(scanner supervise.LockState, insist bool) {
	_ = supervise.WriteControl(t.layout.scanControl(), supervise.ScanCommandAbort)
	if insist && scanner.PID > 0 {
		_ = syscall.Kill(scanner.PID, syscall.SIGKILL)
	}
}
