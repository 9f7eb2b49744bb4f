// Package cli is the program evenkeel: its commands, one a file.
//
// # Files
//
// From low to high: each file uses only the ones before it.
//
//   - exit.go: what a command ends with
//   - check.go: evenkeel check
//   - run.go: evenkeel run
//   - schema.go: evenkeel schema
//   - version.go: evenkeel version
//   - root.go: the program
package cli
