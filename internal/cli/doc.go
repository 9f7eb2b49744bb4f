// Package cli is the program evenkeel: its commands, one a file.
//
// # Files
//
// From low to high: each file uses only the ones before it.
//
//   - exit.go: what a command ends with
//   - check.go: evenkeel check
//   - engine.go: what an engine is asked about before that is waited for
//   - lines.go: a log as a person reads it
//   - repeats.go: failures that repeat
//   - log.go: the log of a command
//   - reporter.go: tells s6, systemd and, by its beat, whoever looks how the program is
//   - follow.go: the files, again and again
//   - run.go: evenkeel run
//   - stop.go: evenkeel stop
//   - health.go: evenkeel health
//   - plan.go: evenkeel plan
//   - schema.go: evenkeel schema
//   - version.go: evenkeel version
//   - root.go: the program
package cli
