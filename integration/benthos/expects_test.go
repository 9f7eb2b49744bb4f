//go:build integration

package benthos

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/integration/harness"
)

// expecting returns a stream that is to get a message each d.
func expecting(c *benthos.Config, d time.Duration) *benthos.Config {
	return changed(c, func(c *benthos.Config) { c.ExpectTraffic = d })
}

// TestExpectedTraffic: a stream that gets no message is degraded for that, and
// recovers with the next one; what is expected of it changes without the process,
// and another program counts anew and says so.
func TestExpectedTraffic(t *testing.T) {
	t.Parallel()
	w := newWorld(t, bento(t))
	c := printer(t)
	w.run(streams{"s": expecting(c, 24*time.Hour)})
	pid := w.pid("s")
	w.Says("s", benthos.StateIdle, "no message yet, where one is expected each 24h: counted since ")
	w.Declare(active(streams{"s": expecting(c, 2*time.Second)}))
	w.Says("s", benthos.StateDegraded, "no message for ", ", where one is expected each 2s")
	url := "http://" + local(inputPort(c)) + "/"
	require.NoError(t, harness.Post(url, "hello", 0))
	w.Became("s", benthos.StateIdle, "it is ready")
	w.Says("s", benthos.StateDegraded, "no message for ", ", where one is expected each 2s")
	w.Declare(active(streams{"s": expecting(c, time.Hour)}))
	w.Await(fsm.PhaseRunning, "s")
	w.Unmanage()
	w.manage()
	w.Declare(active(streams{"s": expecting(c, time.Hour)}))
	w.Says("s", benthos.StateIdle, "no message yet, where one is expected each 1h: counted since ")
	require.NoError(t, harness.Post(url, "hello", 0))
	w.Says("s", benthos.StateActive)
	assert.Equal(t, pid, w.pid("s"))
}

// TestTrafficThatCannotBeTold: an engine without metrics is not said to get none.
func TestTrafficThatCannotBeTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t, bento(t))
	dropped := printer(t)
	dropped.MetricsMapping = `root = if this == "input_received" { deleted() }`
	w.run(streams{"s": expecting(dropped, time.Second)})
	harness.Pause(t, 3*time.Second, "it would have been quiet for long")
	w.Says("s", benthos.StateIdle, "it cannot be told whether messages come in, where one is expected each 1s: the engine does not serve input_received")
}
