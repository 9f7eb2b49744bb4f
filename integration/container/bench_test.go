//go:build container

package container

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
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
		eventually(b, patience, "it is healthy", func() bool { return c.health() == "healthy" })
		healthy += time.Since(c.begun)
		mustDocker(b, "rm", "-f", "-v", c.name)
	}
	b.ReportMetric(ready.Seconds()/float64(b.N), "s-to-ready")
	b.ReportMetric(healthy.Seconds()/float64(b.N), "s-to-healthy")
	b.ReportMetric(float64(ready)/float64(bare), "x-docker-run")
}

// BenchmarkStopUnderLoad measures docker stop while every instance is posted
// to. The baseline is docker stop of s6-svscan with nothing to supervise.
func BenchmarkStopUnderLoad(b *testing.B) {
	var loaded, bare time.Duration
	for b.Loop() {
		empty := start(b, []string{"--entrypoint", "s6-svscan"}, "/tmp")
		eventually(b, patience, "it serves", func() bool { return empty.exec("test -p /tmp/.s6-svscan/control && echo yes || true") == "yes" })
		bare += empty.stop()

		c := start(b, nil)
		c.serving()
		end := c.load()
		begun := time.Now()
		eventually(b, patience, "the load is under way", func() bool { return time.Since(begun) > 500*time.Millisecond })
		loaded += c.stop()
		accepted := end()
		require.NotEmpty(b, accepted)
		c.allLogged(accepted)
	}
	b.ReportMetric(loaded.Seconds()/float64(b.N), "s-to-stop")
	b.ReportMetric(float64(loaded)/float64(bare), "x-empty-stop")
}

// BenchmarkIdle measures what a container with five idle streams takes, health
// checks included.
func BenchmarkIdle(b *testing.B) {
	c := start(b, nil)
	c.serving()
	eventually(b, patience, "it is healthy", func() bool { return c.health() == "healthy" })
	var share float64
	for b.Loop() {
		share += c.idle(20 * time.Second)
	}
	b.ReportMetric(100*share/float64(b.N), "%-of-a-core")
	b.ReportMetric(float64(c.beyondTheFive())/1000, "MB-beyond-the-five")
}
