package s6

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/evenkeel/evenkeel/s6/supervise"
)

// Shutdown ends the tree: every service gets its stop signal, loggers read to
// the end, and s6-svscan exits. It returns when no supervisor of the tree lives
// any more. All services stop at the same time; a caller that wants an order
// stops them before. Nothing is asked of them for the future: services that
// were up start again with the tree.
//
// s6 2.13 and 2.15 hang if the end follows a scan at once, so Shutdown leaves
// some time after the last scan of this tree. If s6-svscan does not end, or if
// the supervisors are orphans, they are told one by one. A stray process gets its
// stop signal, and KILL when its time to stop is over. What a process has left
// running whose supervisor was killed, or whose service directory was deleted,
// gets TERM and KILL. If ctx ends first the error names what still runs, and
// Shutdown may be called again. A service that cannot be looked at keeps no other
// from ending; the error names it. The tree is still to be closed.
//
// A logger that cannot write, as on a full disk, does not end by itself: it is
// told, and killed when it has got no further for two seconds, in which it did not
// wait for a processor. The error of a Shutdown that has ended everything but lost
// the end of a log wraps ErrLogLost.
func (t *SystemTree) Shutdown(ctx context.Context) error {
	lost, err := t.shutdown(ctx)
	if err != nil {
		err = fmt.Errorf("cannot shut down %s: %w", t.layout.ScanDir, err)
	}
	if lost != nil {
		err = errors.Join(err, fmt.Errorf("%w: %s", ErrLogLost, strings.Join(lost, "; ")))
	}
	return err
}

// shutdown also returns what is lost of logs.
func (t *SystemTree) shutdown(ctx context.Context) (lost []string, err error) {
	t.keeper.end()
	t.burial.end()
	t.nudges.end(ctx)
	services, err := t.pairs()
	if err != nil {
		return nil, err
	}
	if err := t.calm(ctx); err != nil {
		return nil, err
	}
	patient := time.Now().Add(scanPatience) // until then it is left to s6-svscan
	err = supervise.WriteControl(t.layout.scanControl(), supervise.ScanCommandTerminate)
	switch {
	case errors.Is(err, supervise.ErrNotSupervised):
		patient = time.Time{} // nobody else tells the supervisors
	case err != nil:
		return nil, err
	}
	t.tellOrphans(services)
	var told endings
	var left undertaker
	for over := false; ; over = ctx.Err() != nil {
		used := usedTime()
		services = t.living(services)
		scanner, err := t.scanner()
		if err != nil {
			return lost, err
		}
		now := time.Now()
		known := !slices.ContainsFunc(services, func(p pair) bool { return !p.lost(now) })
		alone := known && !scanner.Held
		left.end(now, t, alone)
		if alone && left.none() {
			return lost, unreadable(services)
		}
		if over {
			return lost, errors.Join(fmt.Errorf("still running: %s: %w", names(services, left.found), context.Cause(ctx)), unreadable(services))
		}
		t.endStrays(now, services)
		if now.After(patient) {
			lost = append(lost, t.tell(now, services)...)
			if known {
				t.dismissScanner(now, scanner, &told)
			}
		}
		select {
		case <-ctx.Done(): // a look that takes its time is not to be the last
		case <-time.After(max(poll, lookShare*(usedTime()-used))):
		}
	}
}

// usedTime returns for how long processors have worked for this program. That is what
// looks take from others; on a busy machine they last longer.
func usedTime() time.Duration {
	var used unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &used); err != nil {
		return 0
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
