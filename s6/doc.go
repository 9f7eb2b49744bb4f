// Package s6 keeps processes in the state that was asked for by means of the
// s6 supervision suite, without forking any of its tools.
//
// A [Spec] says what is to run, [NewManager] manages services that are made
// from specs in a scan directory: the service is a kind of instance for package
// fsm. All of it touches a live tree through one interface, [Tree]: [Attach]
// opens the tree of an s6-svscan that runs, [StartPrivate] starts one, and
// package s6test has one in memory.
//
// What s6-supervise and s6-svscan read and write is in package supervise, what
// s6-log writes in package s6log.
//
// A service's processes belong to s6. They go on when the program that asked
// for them ends in whatever way, and are adopted when it comes back.
package s6
