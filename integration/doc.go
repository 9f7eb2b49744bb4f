//go:build integration

// Package integration tests evenkeel against the real thing: s6 as it is
// installed, started privately in a temporary directory, and real processes
// looked at from outside, in the process table, on disk and with s6's own
// tools. Run it with
//
//	go test -tags integration ./integration
//
// It needs s6 and no privileges; what only root can see is tested as root.
package integration
