//go:build integration

package peers

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/integration/harness"
)

// short is for tests that measure nothing.
var short = Times{Settle: 1100 * time.Millisecond, Idle: 100 * time.Millisecond, Kills: 2}

// there returns the peers that can be had here. Evenkeel and s6 are among them.
func there(t *testing.T, all []Entry) (found []Entry) {
	t.Helper()
	for _, e := range all {
		if _, err := e.Peer.Version(); err == nil {
			found = append(found, e)
		}
	}
	require.GreaterOrEqual(t, len(found), 4)
	return found
}

// TestEachPeerDoesTheJob: each that can be had here starts, restarts, changes one
// and no other, and stops.
func TestEachPeerDoesTheJob(t *testing.T) {
	name, err := engine()
	require.NoError(t, err)
	for _, e := range there(t, All(built)) {
		t.Run("sleepers/"+e.Name, func(t *testing.T) {
			judge(t, e, Measure(t, e, Sleepers(harness.NewRoot(t), 3), short))
		})
	}
	for _, e := range there(t, OfStreams(built, name)) {
		t.Run("streams/"+e.Name, func(t *testing.T) {
			judge(t, e, Measure(t, e, Streams(t, harness.NewRoot(t), name, 2), short))
		})
	}
}

func judge(t *testing.T, e Entry, figures map[string]float64) {
	t.Helper()
	for _, unit := range []string{"up-ms", "change-ms", "stop-ms", "MB", "processes"} {
		assert.Positive(t, figures[unit], unit)
	}
	assert.Contains(t, figures, "idle-%core")
	assert.Contains(t, figures, "lost")
	assert.Zero(t, figures["lost"])
	if !e.Once {
		assert.Positive(t, figures["back-ms"])
		assert.Positive(t, figures["known-ms"])
	}
}

func TestServicesAreKnownByTheirProcesses(t *testing.T) {
	j := Sleepers("/r", 2)
	assert.True(t, j.Services[1].Is([]string{"/bin/sleep", j.Services[1].Command[1]}, "/"))
	assert.False(t, j.Services[0].Is(j.Services[1].Command, "/r"))
	before := j.Services[1].Command
	j.Change(t, j.Services[1])
	assert.False(t, j.Services[1].Is(before, "/"))

	s := &Service{Name: "stream0001", Command: []string{"/b/benthos"}, root: "/r", Stream: Streams(t, t.TempDir(), "/b/benthos", 1).Services[0].Stream}
	assert.True(t, s.Is([]string{"/b/benthos", "-c", "/r/stream0001.yaml"}, "/"))
	assert.True(t, s.Is([]string{"benthos", "-c", "benthos.yaml"}, "/r/services/benthos-stream0001"))
	assert.False(t, s.Is([]string{"benthos", "-c", "benthos.yaml"}, "/other/stream0001"))
	assert.False(t, s.Is([]string{"sh", "-c", "/r/stream0001"}, "/r"))
	assert.False(t, s.Is(nil, "/r"))
}
