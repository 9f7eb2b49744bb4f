package fsm

import (
	"context"
	"fmt"
	"strings"
)

// DecideChild decides for an instance that has a child what is the same for all
// of them: that the child is asked a state, and why, where that was not asked of
// it yet with the desired spec; in creating, that the child is to be there; in
// removing, that it is to be removed. What is left to Decide, where ok is false,
// is what the instance's own states mean. The actions are those of Child.Do.
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

// askTo begins the actions by which a child of a kind is asked a state.
func askTo(kind string) string { return "ask its " + kind + " to be " }

// Do carries out the actions of DecideChild; there are no others. A driver that
// has further actions has a Do of its own, which passes these on.
func (c *Child[P, D, O]) Do(ctx context.Context, action Action, desired Desired[P]) error {
	state, ok := strings.CutPrefix(string(action), askTo(c.kind.Kind.Name))
	if !ok {
		return Permanent(fmt.Errorf("no action %q", action))
	}
	return c.Ask(ctx, desired, State(state))
}

// Is reports whether the child has been seen in a phase since something was last
// asked of it.
func (c ChildObserved[D, O]) Is(p Phase) bool { return !c.Unseen && c.Snapshot.Phase == p }

// Reason says in what state the child is and why, as a reason for its parent.
func (c ChildObserved[D, O]) Reason() Reason {
	r := Because("its " + c.Snapshot.Kind + " is " + string(c.Snapshot.State))
	if err := c.Snapshot.Err; err != nil {
		return r.With(err.Error())
	}
	return r.With(c.Snapshot.Reason.String())
}
