// Package proc reads proc(5): the process table, descriptors of processes, TCP
// sockets. It is the one package that opens /proc, for production and tests.
//
// prometheus/procfs reads and decodes the files, with two exceptions. Targets
// of descriptors are read by hand: procfs leaves out those that it could not
// read, and here a failed read is no absence. [FS.Holds] also stops at the
// first match, which makes it cheaper: see BenchmarkHolds. [Handle] is written
// by hand because procfs knows processes by their ids only.
package proc
