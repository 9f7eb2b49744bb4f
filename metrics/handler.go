package metrics

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// inFlight is how many scrapes are answered at once. Prometheus makes one.
const inFlight = 8

// Handler serves what is collected, and what there is to say of Go, of this process
// and of its build, from a registry of its own. It answers every path.
func (c *Collector) Handler() http.Handler {
	registry := prometheus.NewRegistry()
	// A registry without collectors refuses none of these.
	registry.MustRegister(c, collectors.NewGoCollector(), collectors.NewBuildInfoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{Registry: registry, MaxRequestsInFlight: inFlight})
}
