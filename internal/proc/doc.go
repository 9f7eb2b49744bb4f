// Package proc reads proc(5): the process table, descriptors of processes, TCP
// sockets. It is the one package that opens /proc, for production and tests.
//
// prometheus/procfs reads and decodes the files. By hand are the targets of
// descriptors: procfs leaves out those that it could not read, and a failed read
// is no absence here. [FS.Holds] also stops at the first match: it makes six
// tenths of the allocations in nine tenths of the time, see BenchmarkHolds.
// [Handle] is by hand as well, for procfs knows processes by their ids only.
package proc
