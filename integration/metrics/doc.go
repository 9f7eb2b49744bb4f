//go:build integration

// Package metrics tests the package of that name against the real thing: the page of
// services on real s6, and the rules and the dashboard that come with it, with
// Prometheus' own promtool. Run it with
//
//	go test -tags integration ./integration/metrics
//
// What is missing fails the tests.
package metrics
