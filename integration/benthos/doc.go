//go:build integration

// Package benthos tests the package of that name and the program
// examples/fivebenthos against the real thing: s6 as it is installed, and
// engines of two lineages. Run it with
//
//	go test -tags integration ./integration/benthos
//
// EVENKEEL_BENTHOS names a Bento with the Prometheus exporter,
// EVENKEEL_BENTHOS_REDPANDA a Redpanda Benthos without it; empty means
// bin/benthos and bin/benthos-redpanda of the project. What is missing fails
// the tests.
package benthos
