//go:build integration

// Package peers has the same job done by evenkeel and by others, and measures from
// outside what it takes: in the process table and over HTTP. A [Peer] is asked for
// nothing but to start, to change one service and to stop.
//
//	make bench-peers
//
// # Files
//
// From low to high: each file uses only the ones before it.
//
//   - job.go: what is to be done
//   - peer.go: what a peer has to be able to do
//   - evenkeel.go: evenkeel run
//   - s6.go: s6 and a shell script, with and without loggers
//   - forking.go: the same, looked at by a script that asks s6-svstat
//   - runit.go: runit
//   - supervisord.go: supervisord
//   - pebble.go: Pebble
//   - streams.go: Benthos in its streams mode
//   - all.go: which peers there are, and which could not be had
//   - look.go: who runs, and what all take
//   - measure.go: what is measured, in which order
package peers
