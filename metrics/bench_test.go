package metrics_test

import (
	"context"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/metrics"
	"github.com/evenkeel/evenkeel/s6"
)

// BenchmarkScrape is one of /metrics with a thousand instances: 500 services and 500
// streams.
func BenchmarkScrape(b *testing.B) {
	for name, config := range map[string]metrics.Config{"plain": {}, "UMHCore": {UMHCore: true}} {
		b.Run(name, func(b *testing.B) {
			c := metrics.New(config)
			keep(b, c, cannedKind[*s6.Spec](b, s6.KindName, runs, nil), &s6.Spec{Command: []string{"sleep"}})
			keep(b, c, cannedKind[*benthos.Config](b, benthos.KindName, flows, nil), &benthos.Config{MetricsPort: 9080})
			handler := c.Handler()
			request := httptest.NewRequestWithContext(b.Context(), "GET", "/metrics", nil)
			var size int
			b.ReportAllocs()
			for b.Loop() {
				answer := httptest.NewRecorder()
				handler.ServeHTTP(answer, request)
				size = answer.Body.Len()
			}
			b.ReportMetric(float64(size), "bytes/page")
		})
	}
}

// keep has 500 instances of a kind kept, and added.
func keep[D, O any](b *testing.B, c *metrics.Collector, kind fsm.Kind[D, O], spec D) {
	b.Helper()
	m, err := fsm.NewManager(kind, fsm.Config{Listeners: []fsm.Listener{c.Listen}, OnPass: c.OnPass})
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, m.Close(context.Background())) })
	require.NoError(b, m.Apply(b.Context(), declared(fsm.StateRunning, spec, 500)))
	for range 6 {
		require.NoError(b, m.Reconcile(b.Context()))
	}
	metrics.Add(c, m)
}

// BenchmarkOnPass is what is done in each pass.
func BenchmarkOnPass(b *testing.B) {
	for name, config := range map[string]metrics.Config{"plain": {}, "UMHCore": {UMHCore: true}} {
		b.Run(name, func(b *testing.B) {
			c := metrics.New(config)
			o, err := runs("a")
			require.NoError(b, err)
			s := &fsm.Snapshot[*s6.Spec, s6.Observed]{Kind: s6.KindName, Name: "a", Observed: o, ObservedAt: epoch}
			r := fsm.Reconciled{Subject: fsm.Subject{Kind: s6.KindName, Instance: "a"}, Took: time.Millisecond, Before: s, After: s}
			b.ReportAllocs()
			for b.Loop() {
				c.OnPass(r)
			}
		})
	}
}

// BenchmarkGather is BenchmarkScrape without the page.
func BenchmarkGather(b *testing.B) {
	c := metrics.New(metrics.Config{})
	keep(b, c, cannedKind[*s6.Spec](b, s6.KindName, runs, nil), &s6.Spec{Command: []string{"sleep"}})
	registry := prometheus.NewRegistry()
	require.NoError(b, registry.Register(c))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := registry.Gather(); err != nil {
			b.Fatal(err)
		}
	}
}
