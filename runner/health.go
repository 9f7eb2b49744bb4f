package runner

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

// HealthTime is what a health check may take as a whole; Docker waits for it for
// longer.
const HealthTime = 3 * time.Second

// CheckHealth returns an error if no program keeps the services in dir, which is
// a Config's Dir, or the one whose beat that is makes no passes, or its beat says
// that something is wrong. It looks at a lock and at the beat, and changes nothing.
// The program is called name in the error.
func CheckHealth(ctx context.Context, name, dir, beat string) error {
	services, err := filepath.Abs(filepath.Join(dir, "services"))
	if err != nil {
		return err
	}
	lock, err := supervise.LockHolder(filepath.Join(services, ".lock"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if !lock.Held {
		return fmt.Errorf("no %s keeps the services in %s", name, services)
	}
	if err := checkBeat(ctx, beat); err != nil {
		return fmt.Errorf("%s is not healthy: %w", name, err)
	}
	return nil
}

// Late says for each instance, a line for each, that it is not looked at: its pass
// should have been made for longer than a pass may take.
func (r *Runner) Late(now time.Time) []string {
	return append(overdue(now, r.Services.Snapshot()), overdue(now, r.Streams.Snapshot())...)
}

// Failing says for each instance that is to run and does not, a line for each, in
// which state it is and why. What is done does not have to. What was refused is
// none: what it was asked before counts.
func (r *Runner) Failing() []string {
	return append(failing(s6.Running, r.Services.Snapshot()), failing(benthos.Active, r.Streams.Snapshot())...)
}

func failing[D, O any](running fsm.State, all []*fsm.Snapshot[D, O]) (lines []string) {
	for _, s := range all {
		if s.Desired.State != running || s.Phase == fsm.PhaseRunning || s.Phase == fsm.PhaseDone {
			continue
		}
		why := s.Reason.String()
		if s.Err != nil {
			why = s.Err.Error()
		}
		lines = append(lines, fsm.EscapeLine(fsm.MaskText(fmt.Sprintf("%s is %s: %s", s.Name, s.State, why))))
	}
	return lines
}
