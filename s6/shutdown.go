package s6

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/evenkeel/evenkeel/s6/supervise"
)

// scanTime is more than a scan takes that has nothing to start.
const scanTime = 250 * time.Millisecond

// Shutdown ends the tree: every service gets its stop signal, loggers read to
// the end, s6-svscan exits. It returns when no supervisor of the tree lives
// any more. Services stop at once and together; a caller that wants an order
// stops them before. They are asked nothing for the future: those that were up
// start again with the tree.
//
// s6 2.13 and 2.15 hang on a scan that is followed at once by the end, so
// Shutdown leaves some time after the last scan of this tree. Where s6-svscan
// does not end, or its supervisors are those of one that was killed, they are
// told one by one; a process that has lost its supervisor gets TERM, and KILL
// when its time to stop is over. When ctx ends first the error names what still
// runs, and Shutdown may be called again. Close is still to be called.
func (t *SystemTree) Shutdown(ctx context.Context) error {
	if err := t.shutdown(ctx); err != nil {
		return fmt.Errorf("cannot shut down %s: %w", t.layout.ScanDir, err)
	}
	return nil
}

func (t *SystemTree) shutdown(ctx context.Context) error {
	t.keeper.end()
	t.endNudges(ctx)
	services, err := t.pairs()
	if err != nil {
		return err
	}
	if err := t.calm(ctx); err != nil {
		return err
	}
	patient := time.Now().Add(scanPatience)
	err = supervise.WriteControl(t.scanControl(), supervise.ScanCommandTerminate)
	switch {
	case errors.Is(err, supervise.ErrNotSupervised):
		patient = time.Time{} // nobody else tells the supervisors
	case err != nil:
		return err
	}
	t.tellOrphans(services)
	strays, told := make(map[int]time.Time), make(map[int]bool)
	for insist := false; ; {
		if services, err = t.living(services); err != nil {
			return err
		}
		scanner, err := t.scanner()
		if err != nil {
			return err
		}
		if len(services) == 0 && !scanner.Held {
			return nil
		}
		t.endStrays(services, strays)
		if time.Now().After(patient) {
			patient = time.Now().Add(scanPatience)
			t.tell(services, told)
			if len(services) == 0 {
				t.dismissScanner(scanner, insist)
			}
			insist = true
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("still running: %s: %w", names(services), context.Cause(ctx))
		case <-time.After(poll):
		}
	}
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

// tell tells supervisors to end: those of loggers when those of their services
// have, for then what was printed can be read to its end; those that find no end
// in some time, because a process that the service has left lives on, are ended
// all the same. Those that have just gone need no telling. Each is told to bring its service down
// once, and not where it does already: it would give it as much time once more.
func (t *SystemTree) tell(services []pair, told map[int]bool) {
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
		case !p.quiet.IsZero() && time.Since(p.quiet) >= scanPatience:
			_ = t.Control(logger(p.service), supervise.CommandDown, supervise.CommandExit)
		default:
			_ = t.Control(logger(p.service), supervise.CommandExit)
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
	data, err := os.ReadFile(path.Join(service, "timeout-kill"))
	ms, parsed := strconv.Atoi(strings.TrimSpace(string(data)))
	if err != nil || parsed != nil || ms <= 0 {
		return defaultStopTimeout
	}
	return time.Duration(ms) * time.Millisecond
}

// dismissScanner ends an s6-svscan that hangs with nothing left to do.
func (t *SystemTree) dismissScanner(scanner supervise.LockState, insist bool) {
	_ = supervise.WriteControl(t.scanControl(), supervise.ScanCommandAbort)
	if insist && scanner.PID > 0 {
		_ = syscall.Kill(scanner.PID, syscall.SIGKILL)
	}
}

// calm waits until the last scan that this tree asked for is surely over.
func (t *SystemTree) calm(ctx context.Context) error {
	last := t.lastScan.Load()
	if last == nil {
		return nil
	}
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(time.Until(last.Add(scanTime))):
		return nil
	}
}

// names says what of services still runs.
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
