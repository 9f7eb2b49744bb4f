package cli

import (
	"net/http"

	"github.com/evenkeel/evenkeel/metrics"
	"github.com/evenkeel/evenkeel/runner"
)

// measures are what Prometheus can be told of an evenkeel run.
type measures struct {
	own     *metrics.Collector
	engines *metrics.Streams
}

// newMeasures returns those of a program that has not begun, with UMH Core's names as
// well if that is asked for.
func newMeasures(umhCore bool) *measures {
	return &measures{metrics.New(metrics.Config{UMHCore: umhCore}), metrics.NewStreams(metrics.StreamsConfig{})}
}

// hear has them told of what a runner will do.
func (m *measures) hear(c *runner.Config) {
	c.Listeners = append(c.Listeners, m.own.Listen)
	c.OnPass = append(c.OnPass, m.own.OnPass)
}

// of takes what is measured from a runner, and returns what can be scraped.
func (m *measures) of(r *runner.Runner) map[string]http.Handler {
	metrics.Add(m.own, r.Services)
	metrics.Add(m.own, r.Streams)
	m.own.AddLoop(r.Loop)
	m.engines.Add(r.Streams)
	return map[string]http.Handler{"GET /metrics": m.own.Handler(), "GET /metrics/streams": m.engines}
}
