// Package simulate runs whole programs of this library, unchanged, against a
// seeded adversary, in memory and in fake time, and checks the invariants of
// ARCHITECTURE.md at each step.
//
// A seed gives a [Plan]: what the adversary does, and when. [Run] has a world go
// through it: an s6test.Tree on a memfs.FS, programs with a loop and managers of
// services and of Benthos streams that come and go on it, engines that answer as
// the adversary says, and a user who changes declarations. When the plan is over
// the adversary stops, and everything has to come to what was declared last
// within [Bound].
//
// # One moment, one actor
//
// The same seed gives the same trace, byte for byte, though managers, drivers
// and watches are goroutines that run as they like. Nothing is serialised for
// that. Each actor acts in moments of its own: a driver, the user and the
// adversary wait, before each of their operations on the tree, for the next
// moment in which nobody else ever acts, a number of nanoseconds after a full
// microsecond. The tree acts at full microseconds. So no two operations are at
// one time, fake time decides their order, and how long each of them takes is
// drawn from the seed: other seeds, other orders. Retries have no jitter.
//
// # Words
//
//   - plan: the actions of the adversary, in order of time.
//   - program: one run of the program, from its start to its end or death.
//   - actor: a driver, or the user, of one program.
//   - turn: an actor's moment for one operation.
//   - story: the trace, for people.
//   - promised: a process that ran as declared when its manager was settled. It
//     must not end unless somebody gives it a reason.
//
// # Files
//
// From low to high: each file uses only the ones before it.
//
//   - story.go: what happened
//   - declaration.go: what can be asked of services and streams
//   - needs.go: what instances need of one another
//   - plan.go: what the adversary can do, and the plan of a seed
//   - faults.go: what is wrong with operations at present
//   - engines.go: what streams answer
//   - damage.go: what is done to service directories, and to the clock
//   - seen.go: what a manager says of an instance
//   - place.go: what is known of an instance for those that need it
//   - record.go: of which processes the adversary has destroyed what they wrote down, or what ends what they have started
//   - judge.go: what is asked and happens, held against the invariants
//   - inorder.go: what starts and stops, held against what needs what
//   - happens.go: what happens to processes and directories
//   - look.go: what managers say, held against what is so
//   - turn.go: who acts when
//   - view.go: the tree as a program sees it
//   - prober.go: engines as a program sees them
//   - keeper.go: a manager, of whatever kind
//   - ordering.go: the order in which instances of a program start and stop
//   - program.go: a program and its user
//   - wholeness.go: what is put back of what was damaged
//   - world.go: what a plan is carried out in, and how the adversary acts on it
//   - calm.go: what has to be when the adversary has stopped
//   - run.go: a plan that is carried out
//   - shrink.go: the smallest plan that still fails
package simulate
