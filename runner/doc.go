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
//   - stopbudget.go: how long each part of a stop may take in a container
//   - announce.go: that the program has begun, told to s6
//   - takeover.go: the place of a program whose supervisor was killed
//   - halt.go: how instances are stopped
//   - essential.go: instances whose end for good is that of the program
//   - wanted.go: what is to be kept
//   - store.go: the declarations that were taken
//   - trial.go: changes that are tried, and those that were taken back
//   - override.go: what was stopped by hand
//   - trial_store.go: how they are written down
//   - probation.go: what becomes of them
//   - ordering.go: what instances start after, and stop before
//   - apply.go: what a manager is given, and new streams while the engine is asked
//   - runner.go: the tree and the managers
//   - shown.go: what may be shown of the files of a service
//   - recall.go: what was in force before
//   - failed.go: whether an essential instance has failed
//   - byhand.go: instances that are stopped and started by hand
//   - notify.go: how the program is, told to systemd
//   - beat.go: that passes are made, told to whoever looks
//   - health.go: what is wrong, and the look from outside
//   - assign.go: ports for streams that name none
//   - expect.go: what an engine will be asked about
//   - declare.go: what is kept for what files declare
//   - busy.go: whether a file is being written
//   - files.go: what files declare, and what is done with problems
//   - watch.go: when files change
//   - diff.go: how the files of a service would differ
//   - lint.go: linters of a plan
//   - plan.go: what would be done about files, without doing it
package runner
