// Package badfiles has files that cannot be taken, each with exactly what is said
// of it: tests of package config hold the texts, tests on real s6 that whatever
// runs keeps its processes.
//
// # Files
//
//   - group.go: what a group of files is
//   - whole.go: files of which nothing can be taken
//   - entries.go: files of which all but one entry can be taken
//   - dependencies.go: those in which what it depends on is wrong
package badfiles
