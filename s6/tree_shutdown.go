package s6

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/evenkeel/evenkeel/s6/supervise"
)

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
	t.nudges.end(ctx)
	services, err := t.pairs()
	if err != nil {
		return err
	}
	if err := t.calm(ctx); err != nil {
		return err
	}
	patient := time.Now().Add(scanPatience) // so long s6-svscan is left to it
	err = supervise.WriteControl(t.layout.scanControl(), supervise.ScanCommandTerminate)
	switch {
	case errors.Is(err, supervise.ErrNotSupervised):
		patient = time.Time{} // nobody else tells the supervisors
	case err != nil:
		return err
	}
	t.tellOrphans(services)
	var told endings
	for {
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
		now := time.Now()
		t.endStrays(now, services)
		if now.After(patient) {
			t.tell(now, services)
			if len(services) == 0 {
				t.dismissScanner(now, scanner, &told)
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("still running: %s: %w", names(services), context.Cause(ctx))
		case <-time.After(poll):
		}
	}
}
