//go:build container

package container

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/integration/harness"
)

func TestEveryPortServes(t *testing.T) {
	t.Parallel()
	c := start(t, nil)
	c.serving()
	const message = `{"test": "message"}`
	for n := range five {
		require.NoError(t, c.post(n, message, 0))
		for _, path := range []string{"/ping", "/ready", "/version", "/metrics"} {
			status, body, err := c.get(metricsPort+n, path)
			require.NoError(t, err)
			assert.Equal(t, http.StatusOK, status, path)
			assert.NotEmpty(t, body, path)
		}
		harness.Eventually(t, "the message is in the log", func() bool {
			return strings.Contains(c.exec(fmt.Sprintf("tail /data/logs/benthos-%d/current", n)), message)
		})
	}
	up := c.exec("s6-svstat " + scanDir + "/* && for s in " + scanDir + "/*; do s6-svstat $s; done")
	assert.Equal(t, 1+five+1, strings.Count(up, "up (pid "), up)
	assert.Equal(t, "1000", c.exec("id -u"))
	assert.Equal(t, "s6-svscan", c.exec("cat /proc/1/comm"))
}

func TestVerifyInside(t *testing.T) {
	t.Parallel()
	c := start(t, nil, "-verify")
	assert.Equal(t, "0", c.endedWithin(5*time.Minute))
	assert.Equal(t, 7, strings.Count(c.output(), ": holds ("))
}

func TestItEndsWithTheExitCodeOfFivebenthos(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		options, flags []string
		code, says     string
	}{
		"well":          {nil, []string{"-duration", "30s"}, "0", "benthos-4"},
		"bad flag":      {nil, []string{"-instances", "it's none"}, "1", `"it's none"`},
		"bad verbosity": {[]string{"-e", "S6_VERBOSITY=7"}, nil, "1", "-verbosity must be from 0 to 3"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			begun := start(t, c.options, c.flags...)
			assert.Equal(t, c.code, begun.ended())
			assert.Contains(t, begun.output(), c.says)
		})
	}
}

func TestVerbosity(t *testing.T) {
	t.Parallel()
	const step, result = "starting -> starting_config_loading", "-> idle (start_done)"
	for verbosity, said := range map[string][2]bool{"0": {false, false}, "1": {false, true}, "2": {true, true}, "3": {true, true}} {
		t.Run(verbosity, func(t *testing.T) {
			c := start(t, []string{"-e", "S6_VERBOSITY=" + verbosity}, "-instances", "1")
			harness.Eventually(t, "it is healthy", func() bool { return c.health() == "healthy" })
			if said[1] {
				harness.Eventually(t, "it says so", func() bool { return strings.Contains(c.output(), result) })
			}
			c.stop()
			out := c.output()
			assert.Equal(t, said, [2]bool{strings.Contains(out, step), strings.Contains(out, result)}, out)
		})
	}
}

func TestAnotherProgramInItsPlace(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "1000 sh", mustDocker(t, "run", "--rm", image, "sh", "-c", "echo $(id -u) $(cat /proc/1/comm)"))
}

// unhealthy waits until the container is unhealthy and its health check says why.
// Docker keeps what the last checks said, and nothing of one that takes too long.
func (c *container) unhealthy(why string) {
	c.t.Helper()
	harness.Eventually(c.t, "it is unhealthy: "+why, func() error {
		said := c.inspect("{{range .State.Health.Log}}{{.Output}}{{end}}")
		if health := c.health(); health != "unhealthy" || !strings.Contains(said, why) {
			return fmt.Errorf("it is %s: %s", health, said)
		}
		return nil
	})
}

func TestHealthFollowsTheInstances(t *testing.T) {
	t.Parallel()
	c := start(t, nil)
	c.serving()
	harness.Eventually(t, "it is healthy", func() bool { return c.health() == "healthy" })
	pid := c.pid("benthos-2")
	c.signal("STOP", pid)
	c.unhealthy("benthos-2 is not healthy")
	c.signal("CONT", pid)
	harness.Eventually(t, "it is healthy again", func() bool { return c.health() == "healthy" })
}

func TestWhatDoesNotRunIsUnhealthy(t *testing.T) {
	t.Parallel()
	c := start(t, nil, "-benthos", "/nowhere")
	c.unhealthy("benthos-0 is not healthy: it is down")
}

// The evenkeel in the image asks fivebenthos, and finds what it has left.
func TestFivebenthosCanBeAsked(t *testing.T) {
	t.Parallel()
	c := start(t, nil)
	c.serving()
	harness.Eventually(t, "it is healthy", func() bool { return c.health() == "healthy" })
	assert.Equal(t, 1+five, 1+strings.Count(c.exec("evenkeel status"), "\n"))
	assert.Contains(t, c.exec("evenkeel why benthos-3"), "it is asked to be active (declared)")
	c.exec("evenkeel stop benthos-3 && evenkeel wait benthos-3 --for stopped")
	assert.Contains(t, c.exec("evenkeel history benthos-3"), "-> stopped")
	c.exec("evenkeel start benthos-3 && evenkeel wait benthos-3")
	require.NoError(t, c.post(3, `{"test":"asked"}`, 0))
	harness.Eventually(t, "the message is shown", func() bool { return strings.Contains(c.exec("evenkeel logs benthos-3"), `{"test":"asked"}`) })
}

func TestHealthKnowsTheFlags(t *testing.T) {
	t.Parallel()
	c := start(t, nil, "-instances", "2")
	harness.Eventually(t, "it is healthy", func() bool { return c.health() == "healthy" })
}
