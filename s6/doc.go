// Package s6 keeps processes in the state that was asked for by means of the
// s6 supervision suite, without forking any of its tools.
//
// The lower half reads and writes what s6 itself does: status files
// ([ReadStatus]), death tallies ([ReadTally]), control FIFOs ([WriteControl]),
// locks ([LockHolder]), event directories ([Subscribe]) and s6-log directories
// ([LogReader]).
//
// The upper half is a kind of instance for package fsm: a [Spec] says what is
// to run, [NewManager] manages services that are made from specs in a scan
// directory. All of it touches a live tree through one interface, [Tree]:
// [Attach] opens the tree of an s6-svscan that runs, [StartPrivate] starts
// one, and package s6test has one in memory.
//
// A service's processes belong to s6. They go on when the program that asked
// for them ends in whatever way, and are adopted when it comes back.
package s6
