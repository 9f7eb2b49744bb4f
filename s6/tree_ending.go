package s6

import (
	"syscall"
	"time"

	"github.com/evenkeel/evenkeel/internal/spell"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

// tell tells supervisors to end: first a service's own, then its logger's, so
// that what was printed can be read to its end. It returns what of that is lost.
func (t *SystemTree) tell(now time.Time, services []pair) (lost []string) {
	for n := range services {
		if p := &services[n]; p.supervisor.Held {
			t.tellService(now, p)
		} else if p.logSupers.Held {
			if said := t.tellLogger(now, p); said != "" {
				lost = append(lost, said)
			}
		}
	}
	return lost
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

// tellLogger tells a logger's supervisor to end once the logger has read to the
// end. If that does not end in time, because a process that the service has left
// lives on, the logger is told to end all the same: once, for s6-supervise would
// give it as much time once more. A logger that was told and gets no further, as
// on a full disk, is killed. It returns what is lost by that, "" for nothing.
func (t *SystemTree) tellLogger(now time.Time, p *pair) (lost string) {
	pid := p.logSupers.PID
	if p.downed.has(pid) {
		seen := t.backlogOf(p.service)
		if busy(pid, seen.pid) {
			p.backlog = spell.Spell[backlog]{} // it has not had its time yet
		}
		p.backlog.Note(seen)
		if !p.backlog.Lasts(now, flushPatience) || p.downed.due(now, pid, flushPatience) != endInsist {
			return ""
		}
		if p.backlog.Of.pid > 0 {
			lost = t.lost(p.service, p.backlog.Of)
		}
		p.downed.note(pid)
		_ = t.Control(logger(p.service), supervise.CommandDown, supervise.CommandKill, supervise.CommandExit)
		return lost
	}
	switch {
	case p.quiet.Lasts(now, scanPatience):
		p.downed.note(pid)
		_ = t.Control(logger(p.service), supervise.CommandDown, supervise.CommandExit)
	case p.told.due(now, pid, scanPatience) != endWait:
		p.told.note(pid)
		_ = t.Control(logger(p.service), supervise.CommandExit)
	}
	return ""
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

// endStrays ends processes that have lost their supervisor, and what processes
// without a supervisor have left running.
func (t *SystemTree) endStrays(now time.Time, services []pair) {
	for n := range services {
		p := &services[n]
		if p.stray.PID != 0 {
			if signal := p.due(now, p.stray.PID, readManner(t.FS(), p.service)); signal != 0 {
				_ = t.Signal(p.service, p.stray.PID, signal) // it may be gone by now
			}
		}
		for _, l := range p.left {
			if signal := p.due(now, l.pid, manner{syscall.SIGTERM, defaultFinishTimeout / 2}); signal != 0 {
				_ = t.SignalGroup(p.service, l.pid, l.seen, signal)
			}
		}
	}
}

// due returns the signal that is due for a process that is to end in this
// manner, 0 for none, and takes it for sent.
func (p *pair) due(now time.Time, pid int, m manner) syscall.Signal {
	signal := m.signal
	switch p.told.due(now, pid, m.patience) {
	case endWait:
		return 0
	case endInsist:
		signal = syscall.SIGKILL
	}
	p.told.note(pid)
	return signal
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
