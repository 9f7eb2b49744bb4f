// Package metrics has what Prometheus scrapes of a program that keeps instances.
//
// A [Collector] is made once. What it counts is told to it while passes are made,
// so each manager is made with its listener and its hook, and added to it before
// the first pass:
//
//	m := metrics.New(metrics.Config{})
//	config := fsm.Config{Listeners: []fsm.Listener{m.Listen}, OnPass: m.OnPass}
//	services, err := s6.NewManager(tree, config)
//	metrics.Add(m, services)
//	m.AddLoop(loop)
//	mux.Handle("/metrics", m.Handler())
//
// All else is taken from the managers' snapshots when it is scraped. Instances of
// every kind have the same metrics; those that run a process of package s6, or a
// stream of package benthos, have further ones, also where their kind is built on
// these.
//
// [Streams] serves the metrics of all engines on one page.
//
// Labels are bounded: kind and name are those of an instance that is there, and
// phase, state, desired and to are of its kind's table. What is gone goes from the
// metrics with its counters. Two instances of one kind and one name, of two
// managers, cannot be told apart: the one whose manager was added first is shown.
//
// The directory has a Grafana dashboard and rules for alerts:
// grafana/evenkeel.json and alerts.yml.
//
// # Files
//
// From low to high: each file uses only the ones before it.
//
//   - catalogue.go: which metrics there are
//   - process.go: how often a process was started, out of what s6 keeps
//   - durations.go: how long passes took, as UMH Core counts them
//   - tally.go: what is counted of an instance
//   - instance.go: what is taken from a snapshot
//   - umhcore.go: what UMH Core would say of the same
//   - collector.go: what is collected, and from whom
//   - collect.go: how it is
//   - handler.go: how it is served
//   - merge.go: the metrics of many engines as those of one
//   - streams.go: how engines are asked for them
package metrics
