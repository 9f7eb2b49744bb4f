// Package harness is what the tests on real s6, real Benthos and Docker have in
// common: waiting, the process table, programs, and a world with a private tree
// and a manager over it.
//
// Nothing in a test depends on how fast the machine is. [Eventually] waits for
// what is to happen, for as long as [Patience]. Where nothing is to happen,
// [Holds] looks for a while and [Pause] lets it pass. What is measured belongs
// in a benchmark.
package harness
