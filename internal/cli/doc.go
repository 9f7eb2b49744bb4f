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
//   - recorder.go: the journal of what happens
//   - run.go: evenkeel run
//   - stop.go: evenkeel stop
//   - health.go: evenkeel health
//   - plan.go: evenkeel plan
//   - history.go: evenkeel history
//   - replay.go: evenkeel replay
//   - schema.go: evenkeel schema
//   - version.go: evenkeel version
//   - root.go: the program
package cli
