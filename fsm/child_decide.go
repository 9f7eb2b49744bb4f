package fsm

import (
	"context"
	"fmt"
	"strings"
)

// DecideChild decides what is the same for every instance with a child. It asks
// the child for a state, and says why, unless the child was asked for it with
// the desired spec already. In creating it waits until the child exists, and in
// removing until the child is removed. Where ok is false, Decide goes on with
// what the instance's own states mean. The actions are those of Child.Do.
func DecideChild[P, PO, D, O any](in Input[P, PO], child ChildObserved[D, O], asked State, why Reason) (d Decision, ok bool) {
	switch {
	case in.State == StateRemoving:
		asked, why = StateRemoved, in.Asked()
	case in.State == StateCreating && in.Desired.State == StateRemoved:
		return Decision{Fire: EventRemove, Reason: in.Asked()}, true
	}
	if child.Asked != asked || !child.Current {
		return Decision{Do: []Action{Action(askTo(child.Snapshot.Kind)) + Action(asked)}, Reason: why}, true
	}
	switch in.State {
	case StateRemoving:
		d = Decision{Fire: EventRemoveDone, Reason: child.Reason()}
		if !child.Is(PhaseRemoved) {
			d.Fire = ""
		}
	case StateCreating:
		d = Decision{Fire: EventCreateDone, Reason: child.Reason()}
		if child.Unseen || !child.Snapshot.Phase.exists() {
			d.Fire = ""
		}
	default:
		return Decision{}, false
	}
	return d, true
}

// askTo begins the actions by which a child of a kind is asked for a state.
func askTo(kind string) string { return "ask its " + kind + " to be " }

// Do carries out the actions of DecideChild and no others. A driver that has
// further actions has a Do of its own, which passes these on.
func (c *Child[P, D, O]) Do(ctx context.Context, action Action, desired Desired[P]) error {
	state, ok := strings.CutPrefix(string(action), askTo(c.kind.Kind.Name))
	if !ok {
		return Permanent(fmt.Errorf("no action %q", action))
	}
	return c.Ask(ctx, desired, State(state))
}

// Is reports whether the child has been seen in a phase since it was last asked
// for something.
func (c ChildObserved[D, O]) Is(p Phase) bool { return !c.Unseen && c.Snapshot.Phase == p }

// Reason returns the child's state, and the reason for it, as a reason for the
// parent.
func (c ChildObserved[D, O]) Reason() Reason {
	r := Because("its " + c.Snapshot.Kind + " is " + string(c.Snapshot.State))
	if err := c.Snapshot.Err; err != nil {
		return r.With(err.Error())
	}
	return r.With(c.Snapshot.Reason.String())
}
