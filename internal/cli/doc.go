// Package cli is the program evenkeel: its commands, one a file.
//
// # Files
//
// From low to high: each file uses only the ones before it.
//
//   - exit.go: what a command ends with
//   - check.go: evenkeel check
//   - engine.go: what an engine is asked about before that is waited for
//   - tell.go: what is printed of what happens
//   - reporter.go: tells s6, systemd and, by its beat, whoever looks how the program is
//   - follow.go: the files, again and again
//   - version.go: evenkeel version
//   - serve.go: what an evenkeel run shows, and where it can be asked
//   - run.go: evenkeel run
//   - ask.go: what is asked of an evenkeel run
//   - status.go: evenkeel status
//   - why.go: evenkeel why
//   - top.go: evenkeel top
//   - stop.go: evenkeel stop
//   - byhand.go: evenkeel start, restart and retry
//   - wait.go: evenkeel wait
//   - events.go: evenkeel events
//   - graph.go: evenkeel graph
//   - health.go: evenkeel health
//   - plan.go: evenkeel plan
//   - schema.go: evenkeel schema
//   - root.go: the program
package cli
