// Package cli is the program evenkeel: its commands, one a file.
//
// # Files
//
// From low to high: each file uses only the ones before it.
//
//   - exit.go: what a command ends with
//   - check.go: evenkeel check
//   - tell.go: what is printed of what happens
//   - standing.go: how the program stands, told to s6, to systemd and by its beat
//   - follow.go: the files, again and again
//   - run.go: evenkeel run
//   - stop.go: evenkeel stop
//   - health.go: evenkeel health
//   - plan.go: evenkeel plan
//   - schema.go: evenkeel schema
//   - version.go: evenkeel version
//   - root.go: the program
package cli
