package runner

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

func TestWhatDoesNotRunIsFailing(t *testing.T) {
	as := func(name string, desired, state fsm.State, phase fsm.Phase) *fsm.Snapshot[int, int] {
		return &fsm.Snapshot[int, int]{
			Name: name, State: state, Phase: phase, Reason: fsm.Because("it crashed").With("at\nonce"),
			Desired: fsm.Desired[int]{State: desired},
		}
	}
	held := as("held", "running", "starting", fsm.PhaseStarting)
	held.Err = errors.New("no room: password=secret")
	assert.Equal(t, []string{
		"down is degraded: it crashed: at once",
		"held is starting: no room: password=***",
	}, failing("running", []*fsm.Snapshot[int, int]{
		as("runs", "running", "running", fsm.PhaseRunning),
		as("stopped", "stopped", "stopping", fsm.PhaseStopping),
		as("new", "", "to_be_created", fsm.PhaseToBeCreated),
		as("down", "running", "degraded", fsm.PhaseDegraded),
		held,
	}))
}

func TestHealthIsThatOfTheProgramWithTheLock(t *testing.T) {
	dir := t.TempDir()
	beat := filepath.Join(dir, ".it")
	check := func() error { return CheckHealth(t.Context(), "it", dir, beat) }
	require.NoError(t, os.Mkdir(filepath.Join(dir, "services"), 0o755))
	require.NoError(t, writeBeat(beat, time.Now(), nil)) // one that was killed leaves it
	assert.EqualError(t, check(), "no it keeps the services in "+filepath.Join(dir, "services"))

	lock, err := supervise.AcquireLock(filepath.Join(dir, "services", ".lock"))
	require.NoError(t, err)
	defer lock.Close()
	assert.NoError(t, check())
	require.NoError(t, writeBeat(beat, time.Now(), []string{"a is degraded: it crashed"}))
	assert.EqualError(t, check(), "it is not healthy: a is degraded: it crashed")
}
