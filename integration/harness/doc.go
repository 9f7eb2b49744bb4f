// Package harness is what the tests on real s6, real Benthos and Docker have in
// common: waiting, the process table, programs that are run, and a world with a
// private tree and a manager over it.
//
// Nothing in a test depends on how fast the machine is. What is to come about
// is waited for with [Eventually], for as long as [Patience]; where nothing is
// to come about, [Holds] looks for a while and [Pause] lets it pass. What is
// measured belongs in a benchmark.
package harness
