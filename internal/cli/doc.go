// Package cli is the program evenkeel: its commands, one a file.
//
// # Files
//
// From low to high: each file uses only the ones before it.
//
//   - exit.go: what a command ends with
//   - place.go: where all is that is kept
//   - check.go: evenkeel check
//   - engine.go: what an engine is asked about before that is waited for
//   - lines.go: a log as a person reads it
//   - repeats.go: failures that repeat
//   - log.go: the log of a command
//   - reporter.go: tells s6, systemd and, by its beat, whoever looks how the program is
//   - follow.go: the files, again and again
//   - loglines.go: how lines of instances are printed
//   - names.go: which instances are meant
//   - logs.go: evenkeel logs
//   - printlogs.go: what instances print, beside what happens to them
//   - recorder.go: the journal of what happens
//   - measures.go: what Prometheus can be told
//   - version.go: evenkeel version
//   - profile.go: where its time and memory go
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
//   - history.go: evenkeel history
//   - replay.go: evenkeel replay
//   - schema.go: evenkeel schema
//   - root.go: the program
package cli
