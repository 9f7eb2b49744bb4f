// Package serve has whoever asks see what a program with a runner.Runner keeps, and
// stop and start it by hand: through a socket in the program's directory, and by what
// the directory has of the past. Each program that keeps its instances with it can be
// asked with the commands of evenkeel.
//
// # Files
//
// From low to high: each file uses only the ones before it.
//
//   - place.go: what is where in a program's directory
//   - recorder.go: the journal of what happens
//   - lines.go: how lines of instances are printed
//   - logs.go: the lines of an instance
//   - hands.go: what is asked for by hand
//   - shown.go: what is shown
//   - profile.go: where a program's time and memory go
//   - serve.go: where a program can be asked
package serve
