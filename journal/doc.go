// Package journal keeps on disk what instances saw, decided and did, so that their
// history outlives the program, and a decision can be made again from what it was
// made on.
//
// A [Journal] is a directory with a bounded number of files of bounded size, the
// oldest of which goes first. It is told of passes by the function that [Passes]
// returns, for fsm.Config.OnPass, and of everything else by [Journal.Hear], an
// fsm.Listener. Neither waits: one goroutine writes, and what does not fit into its
// queue is counted, as is what a full or broken disk refuses. A [Gap] says how many
// records are missing.
//
// [Read] returns the records of a journal, [History] the transitions of an instance,
// and [Again] what a kind decides now about a pass of them.
//
// # What is recorded
//
// A pass is recorded if it decided or did something else than the last one over its
// instance, or saw something else; times that move by themselves make no difference,
// nor do numbers in reasons and errors. Where nothing changes, an instance is recorded
// once an hour. Everything is masked: by fsm.Masker, and texts as by fsm.MaskText.
//
// # On disk
//
// A file is JSON, an object a line. The first member of each is a checksum of the
// rest: a line that was cut short, by a kill or a loss of power, is left out, and
// nothing else. The next program goes on behind it. The first pass over an instance in
// a file is written whole. Those after it are written as what differs from the one
// before, which they name by its checksum.
//
// A kill of the program loses nothing that was written; a loss of power what was
// written in the last second.
//
// # Files
//
// From low to high: each file uses only the ones before it.
//
//   - record.go: what a record says
//   - difference.go: in what one JSON object differs from another
//   - line.go: a record as a line
//   - input.go: what was decided on, as JSON
//   - files.go: what the files are called
//   - read.go: a journal that is read
//   - again.go: what is decided now
//   - writer.go: the file that is written
//   - outage.go: a disk that is full or broken
//   - journal.go: a journal that is written
//   - hear.go: notices that are recorded
//   - passes.go: passes that are recorded
package journal
