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
		eventually(t, patience, "the message is in the log", func() bool {
			return strings.Contains(c.exec(fmt.Sprintf("tail /data/logs/benthos-%d/current", n)), message)
		})
	}
	up := c.exec("s6-svstat " + scanDir + "/* && for s in " + scanDir + "/*; do s6-svstat $s; done")
	assert.Equal(t, 1+five+1, strings.Count(up, "up (pid "), up)
	assert.Equal(t, "1000", c.exec("id -u"))
	assert.Equal(t, "s6-svscan", c.exec("cat /proc/1/comm"))
}

func TestVerifyInside(t *testing.T) {
	c := start(t, nil, "-verify")
	assert.Equal(t, "0", c.endedWithin(5*time.Minute))
	assert.Equal(t, 7, strings.Count(c.output(), ": holds ("))
}

func TestItEndsWithTheExitCodeOfFivebenthos(t *testing.T) {
	for name, c := range map[string]struct {
		options, flags []string
		code, says     string
	}{
		"well":          {nil, []string{"-duration", "10s"}, "0", "benthos-4"},
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
			eventually(t, patience, "it is healthy", func() bool { return c.health() == "healthy" })
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

func TestHealthFollowsTheInstances(t *testing.T) {
	t.Parallel()
	c := start(t, nil)
	c.serving()
	eventually(t, patience, "it is healthy", func() bool { return c.health() == "healthy" })
	pid := c.pid("benthos-2")
	c.signal("STOP", pid)
	eventually(t, patience, "it is unhealthy", func() bool { return c.health() == "unhealthy" })
	assert.Contains(t, c.inspect("{{range .State.Health.Log}}{{.Output}}{{end}}"), "benthos-2 is not healthy")
	c.signal("CONT", pid)
	eventually(t, patience, "it is healthy again", func() bool { return c.health() == "healthy" })
}

func TestWhatDoesNotRunIsUnhealthy(t *testing.T) {
	t.Parallel()
	c := start(t, nil, "-benthos", "/nowhere")
	eventually(t, patience, "it is unhealthy", func() bool { return c.health() == "unhealthy" })
	assert.Contains(t, c.inspect("{{range .State.Health.Log}}{{.Output}}{{end}}"), "benthos-0 is not healthy: it is down")
}

func TestHealthKnowsTheFlags(t *testing.T) {
	t.Parallel()
	c := start(t, nil, "-instances", "2")
	eventually(t, patience, "it is healthy", func() bool { return c.health() == "healthy" })
}

// TestCost holds what the image and an idle container may cost: its size, its
// memory, and that nothing of it spins. BenchmarkIdle measures the latter.
func TestCost(t *testing.T) {
	size := func(image string) (bytes int64) {
		_, err := fmt.Sscan(mustDocker(t, "image", "inspect", "-f", "{{.Size}}", image), &bytes)
		require.NoError(t, err)
		return bytes
	}
	added := size(image) - size("debian:trixie-slim")
	t.Logf("the image adds %d MB to its base", added/1e6)
	assert.Less(t, added, int64(60e6))

	c := start(t, nil)
	c.serving()
	share := c.idle(5 * time.Second)
	t.Logf("idle, it takes %.2f %% of a core", 100*share)
	assert.Less(t, share, 0.1)
	beyond := c.beyondTheFive()
	t.Logf("beyond the five it takes %d kB of memory", beyond)
	assert.Less(t, beyond, 40_000)
	assert.Positive(t, beyond)
}

// idle returns the share of a core that everything in the container takes in a
// while.
func (c *container) idle(window time.Duration) float64 {
	c.t.Helper()
	before := c.cpu()
	begun := time.Now()
	eventually(c.t, window+patience, "the window is over", func() bool { return time.Since(begun) > window })
	return float64(c.cpu()-before) / float64(time.Since(begun))
}

// beyondTheFive returns the memory, in kB, of all processes but the engines;
// what several share counts once.
func (c *container) beyondTheFive() (total int) {
	c.t.Helper()
	for line := range strings.Lines(c.exec(`for p in /proc/[0-9]*; do
		[ "$(cat $p/comm)" = benthos ] || awk '/^Pss:/ { n += $2 } END { print n }' $p/smaps_rollup; done 2>/dev/null; true`)) {
		var kB int
		if _, err := fmt.Sscan(line, &kB); err == nil {
			total += kB
		}
	}
	return total
}

// cpu returns the processor time of everything in the container so far, health
// checks included.
func (c *container) cpu() (spent time.Duration) {
	c.t.Helper()
	text := c.exec("cat /sys/fs/cgroup/cpuacct/cpuacct.usage 2>/dev/null || awk '/^usage_usec/ { print $2 \"000\" }' /sys/fs/cgroup/cpu.stat")
	var ns int64
	_, err := fmt.Sscan(text, &ns)
	require.NoError(c.t, err)
	return time.Duration(ns)
}
