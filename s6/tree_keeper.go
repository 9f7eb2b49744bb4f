package s6

import (
	"context"
	"os"
	"time"

	"github.com/evenkeel/evenkeel/s6/supervise"
)

func (t *SystemTree) keep(ctx context.Context) {
	// Orphans of an earlier run may be there from the beginning.
	for orphans := true; ; {
		if orphans {
			orphans = t.releaseOrphans()
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(keepEvery):
		}
		t.trimStderr()
		if t.Served() == nil {
			continue
		}
		// A scan directory that was removed is not made again.
		if _, err := os.Stat(t.layout.ScanDir); err != nil {
			continue
		}
		limited, cancel := context.WithTimeout(ctx, startPatience)
		// What keeps it from starting is reported by whatever next needs it.
		orphans = t.start(limited) == nil || orphans
		cancel()
	}
}

// releaseOrphans tells orphans to exit after their process, and reports whether
// there are any. s6-svscan tries every second to start others in their place. A
// logger's supervisor is told once its service's supervisor has exited. Until
// then it restarts s6-log when that dies, on the pipe that the service writes
// to and that nobody else has any more.
func (t *SystemTree) releaseOrphans() (any bool) {
	services, err := t.pairs()
	if err != nil {
		return true // to be looked at again
	}
	scanner, err := t.scanner()
	if err != nil || scanner.PID == 0 {
		return err != nil || !scanner.Held
	}
	for _, p := range services {
		switch {
		case p.unread != nil:
			any = true // to be looked at again
		case orphaned(p.supervisor, scanner):
			_ = t.Control(p.service, supervise.CommandExit) // it may be gone by now
			any = true
		case orphaned(p.logSupers, scanner):
			_ = t.Control(logger(p.service), supervise.CommandExit)
			any = true
		}
	}
	return any
}
