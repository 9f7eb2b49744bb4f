package s6

import (
	"errors"
	"fmt"
	"time"

	"github.com/evenkeel/evenkeel/s6/supervise"
)

// restartGap is the most that lies between the end of a process and the start of
// the next one where s6 restarts it: it pauses for a second, and a finish script
// has five. What took longer had been stopped.
const restartGap = 10 * time.Second

// Restarted says what is known of the process of a service and of how it took the
// place of the one before.
type Restarted struct {
	// PID of the process, supervised or not, 0 where none runs.
	PID int
	// Restarts is how many processes have ended since the supervisor began, a
	// hundred at most.
	Restarts int
	// Took is how long it took, from the end of the process before to the
	// readiness of this one, or to its start where it announces none; zero where
	// that is not known.
	Took time.Duration
}

// LastRestart reads that from what s6-supervise has written: its status and its
// death tally, which do not say more than this. Of a process that has lost its
// supervisor, nothing is known but that it runs.
func LastRestart(tree Tree, name string) (r Restarted, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("cannot find out how %s was restarted: %w", name, err)
		}
	}()
	service := tree.Layout().Service(name)
	supervisor, err := tree.Supervisor(service)
	if err != nil {
		return r, err
	}
	process, err := tree.Process(service)
	if err != nil {
		return r, err
	}
	r.PID = process.PID
	status, err := tree.Status(service)
	if ok, err := written(err); err != nil || !ok || !status.Up() || !supervisor.Held || r.PID != 0 && r.PID != status.PID {
		return r, err
	}
	r.PID = status.PID
	deaths, err := supervise.ReadTally(tree.FS(), service)
	if ok, err := found(err); err != nil && !errors.As(err, new(*supervise.StampError)) || !ok && err == nil {
		return r, err
	}
	if r.Restarts = len(deaths); r.Restarts == 0 {
		return r, nil
	}
	died := deaths[len(deaths)-1].Time
	if gap := status.Stamp.Sub(died); gap < 0 || gap > restartGap {
		return r, nil
	}
	r.Took = status.Stamp.Sub(died)
	if status.Ready && status.ReadyStamp.After(status.Stamp) {
		r.Took = status.ReadyStamp.Sub(died)
	}
	return r, nil
}
