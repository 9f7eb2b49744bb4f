// Package fsm keeps instances in the state that was asked for.
//
// An instance is a finite state machine with a [Driver] that can look at the
// real thing and act on it. One pass over an instance is
//
//	observed := driver.Observe(desired)              // only reads
//	decision := kind.Decide(now, state, desired, observed) // pure
//	for each action in decision.Do: driver.Do(action)      // idempotent, in order
//	if all of them succeeded: fire decision.Fire           // a row of the table
//
// and nothing else ever moves the machine. That an action succeeded is no
// evidence that it had its effect: only a later observation is. A pass does not
// know why it was made, so a lost wake-up costs time and never correctness.
//
// A [Kind] says what instances of one sort are: its [Table] of states, its
// Decide function, how to open a driver. A [Manager] holds the instances of one
// kind, takes declarations of what is wanted ([Manager.Apply]), says what they
// would change ([Manager.Plan]) and steps whatever is due. A [Loop] runs
// managers:
//
//	m, err := fsm.NewManager(kind, fsm.Config{})
//	go m.Run(ctx)
//	err = m.Apply(ctx, map[string]fsm.Desired[Spec]{"a": {State: "running", Spec: spec}})
//	err = m.Wait(ctx, "a", fsm.PhaseRunning)
//
// A kind can be built on another, whose instances it owns: see [BuildOn].
//
// The package knows no file, no process and no network.
package fsm
