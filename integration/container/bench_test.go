//go:build container

package container

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/integration/harness"
)

// BenchmarkStart measures how long after docker run all five answer /ready, and
// how long until Docker calls the container healthy. The baseline is the same
// image with a program that ends at once in place of the five.
func BenchmarkStart(b *testing.B) {
	var ready, healthy, bare time.Duration
	for b.Loop() {
		begun := time.Now()
		mustDocker(b, "run", "--rm", image, "true")
		bare += time.Since(begun)

		c := start(b, nil)
		c.serving()
		ready += time.Since(c.begun)
		harness.Eventually(b, "it is healthy", func() bool { return c.health() == "healthy" })
		healthy += time.Since(c.begun)
		mustDocker(b, "rm", "-f", "-v", c.name)
	}
	b.ReportMetric(ready.Seconds()/float64(b.N), "s-to-ready")
	b.ReportMetric(healthy.Seconds()/float64(b.N), "s-to-healthy")
	b.ReportMetric(float64(ready)/float64(bare), "x-docker-run")
}

// timedStop is docker stop as it is by default, with its ten seconds.
func (c *container) timedStop() time.Duration {
	c.t.Helper()
	begun := time.Now()
	mustDocker(c.t, "stop", c.name)
	return time.Since(begun)
}

// dockerTime is when docker stop kills what has not ended.
const dockerTime = 10 * time.Second

// BenchmarkStopUnderLoad measures docker stop while every instance is posted
// to, and what it leaves of Docker's time. The baseline is docker stop of
// s6-svscan with nothing to supervise.
func BenchmarkStopUnderLoad(b *testing.B) {
	var loaded, bare time.Duration
	for b.Loop() {
		empty := start(b, []string{"--entrypoint", "s6-svscan"}, "/tmp")
		harness.Eventually(b, "it serves", func() bool { return empty.exec("test -p /tmp/.s6-svscan/control && echo yes || true") == "yes" })
		bare += empty.timedStop()

		c := start(b, nil)
		c.serving()
		l := c.load()
		loaded += c.timedStop()
		assert.Equal(b, "0", c.inspect("{{.State.ExitCode}}"), "Docker did not have to kill it")
		c.allLogged(c.accepted(l))
	}
	b.ReportMetric(loaded.Seconds()/float64(b.N), "s-to-stop")
	b.ReportMetric((dockerTime - loaded/time.Duration(b.N)).Seconds(), "s-left")
	b.ReportMetric(float64(loaded)/float64(bare), "x-empty-stop")
}

// BenchmarkStopOfTheDeaf measures docker stop if something has to be killed,
// and what it leaves of Docker's time.
func BenchmarkStopOfTheDeaf(b *testing.B) {
	for name, make := range deafOnes {
		b.Run(strings.ReplaceAll(name, " ", "_"), func(b *testing.B) {
			var took time.Duration
			for b.Loop() {
				c := make(b)
				took += c.timedStop()
				assert.Equal(b, "0", c.inspect("{{.State.ExitCode}}"), "Docker did not have to kill it")
			}
			b.ReportMetric(took.Seconds()/float64(b.N), "s-to-stop")
			b.ReportMetric((dockerTime - took/time.Duration(b.N)).Seconds(), "s-left")
		})
	}
}

// BenchmarkIdle measures what the image adds to its base, and what a container
// with five idle streams takes, health checks included.
func BenchmarkIdle(b *testing.B) {
	size := func(image string) (bytes int64) {
		_, err := fmt.Sscan(mustDocker(b, "image", "inspect", "-f", "{{.Size}}", image), &bytes)
		require.NoError(b, err)
		return bytes
	}
	c := start(b, nil)
	c.serving()
	harness.Eventually(b, "it is healthy", func() bool { return c.health() == "healthy" })
	var share float64
	for b.Loop() {
		share += c.idle(20 * time.Second)
	}
	b.ReportMetric(100*share/float64(b.N), "%-of-a-core")
	b.ReportMetric(float64(c.beyondTheFive())/1000, "MB-beyond-the-five")
	b.ReportMetric(float64(size(image)-size("debian:trixie-slim"))/1e6, "MB-of-image-beyond-its-base")
}

// idle returns the share of a core that everything in the container takes in a
// while.
func (c *container) idle(window time.Duration) float64 {
	c.t.Helper()
	before, begun := c.cpu(), time.Now()
	harness.Pause(c.t, window, "it is idle")
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
