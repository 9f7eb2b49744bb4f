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

// tell tells supervisors to end: first a service's own, then its logger's, so
// that what was printed can be read to its end.
func (t *SystemTree) tell(now time.Time, services []pair) {
	for n := range services {
		if p := &services[n]; p.supervisor.Held {
			t.tellService(now, p)
		} else if p.logSupers.Held {
			t.tellLogger(now, p)
		}
	}
}

// tellService tells a service's supervisor to bring the service down, once, and
// not if it does so already: the service would get as much time once more.
func (t *SystemTree) tellService(now time.Time, p *pair) {
	due := p.told.due(now, p.supervisor.PID, scanPatience)
	if due == endWait {
		return
	}
	commands := []supervise.Command{supervise.CommandExit}
	if status, err := t.Status(p.service); due == endAsk && (err != nil || !status.Up() || status.WantUp) {
		commands = []supervise.Command{supervise.CommandDown, supervise.CommandExit}
	}
	p.told.note(p.supervisor.PID)
	_ = t.Control(p.service, commands...)
}

// tellLogger tells a logger's supervisor to end. If that does not end in time,
// because a process that the service has left lives on, the logger is ended all
// the same.
func (t *SystemTree) tellLogger(now time.Time, p *pair) {
	if p.told.due(now, p.logSupers.PID, scanPatience) == endWait {
		return
	}
	commands := []supervise.Command{supervise.CommandExit}
	if p.quiet.lasts(now, scanPatience) {
		commands = []supervise.Command{supervise.CommandDown, supervise.CommandExit}
	}
	p.told.note(p.logSupers.PID)
	_ = t.Control(logger(p.service), commands...)
}

// tellOrphans tells orphans to end: no s6-svscan will.
func (t *SystemTree) tellOrphans(services []pair) {
	scanner, err := t.scanner()
	if err != nil {
		return
	}
	for n := range services {
		if p := &services[n]; orphaned(p.supervisor, scanner) {
			p.told.note(p.supervisor.PID)
			_ = t.Control(p.service, supervise.CommandDown, supervise.CommandExit)
		}
	}
}

// endStrays ends processes that have lost their supervisor.
func (t *SystemTree) endStrays(now time.Time, services []pair) {
	for n := range services {
		p := &services[n]
		if p.stray.PID == 0 {
			continue
		}
		signal := syscall.SIGTERM
		switch p.told.due(now, p.stray.PID, t.timeToStop(p.service)) {
		case endWait:
			continue
		case endInsist:
			signal = syscall.SIGKILL
		}
		p.told.note(p.stray.PID)
		_ = t.Signal(p.service, p.stray.PID, signal) // it may be gone by now
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
func (t *SystemTree) dismissScanner(now time.Time, scanner supervise.LockState, told *endings) {
	due := told.due(now, scanner.PID, scanPatience)
	if due == endWait {
		return
	}
	told.note(scanner.PID)
	_ = supervise.WriteControl(t.layout.scanControl(), supervise.ScanCommandAbort)
	if due == endInsist && scanner.PID > 0 {
		_ = syscall.Kill(scanner.PID, syscall.SIGKILL)
	}
}
