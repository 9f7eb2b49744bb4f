// Package runner is what a program does around the library: it opens a tree, has
// a manager for each kind of instance on it, makes their passes, and ends
// everything in order.
//
// # Files
//
// From low to high: each file uses only the ones before it.
//
//   - outlet.go: printing that makes nobody wait
//   - signals.go: the signals that end a program
//   - halt.go: how instances are stopped
//   - runner.go: the tree and the managers
//   - store.go: the declarations that were taken
//   - assign.go: ports for streams that name none
//   - busy.go: whether a file is being written
//   - files.go: what files declare, and what is done with problems
//   - watch.go: when files change
package runner
