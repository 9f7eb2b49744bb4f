package fsm

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"
)

// ChildKind says how instances of one kind, with specs of type P, are each
// built on one instance of another kind, their child, which has the same name.
// [BuildOn] makes a kind of it.
type ChildKind[P, D, O any] struct {
	// Kind of the children.
	Kind Kind[D, O]
	// Targets maps each target of the parent's table but StateRemoved to what
	// is asked of the child. No two map to the same.
	Targets map[State]State
	// Spec returns the spec of the named parent's child. It is pure. An error
	// refuses the parent.
	Spec func(name string, parent P) (D, error)
	// Parent is the way back, for what an earlier run has left: it returns the
	// parent's spec, as Spec has put it into the child's. It returns false
	// where the child's spec does not say.
	Parent func(child D) (P, bool)
	// Equal reports whether two specs ask for the same child; nil means
	// reflect.DeepEqual.
	Equal func(a, b D) bool
	// Backoff of the children's own passes.
	Backoff Backoff
}

// Child is the child of one instance, for the instance's driver to embed. Its
// methods have the child reconciled first in each pass, ask it what DecideChild
// says, pass its notices on to the parent's listeners, and restart and close it
// with the parent. What is left to the driver is Observe, which calls Look. A
// driver that has a Close or a Do of its own calls that of its Child.
type Child[P, D, O any] struct {
	kind     *ChildKind[P, D, O]
	name     string
	instance *Instance[D, O]
	due      time.Time // when the next pass over it is
	listener Listener

	parent  P // from which spec was made
	spec    D
	derived bool

	asked Desired[D]
	begun uint64 // passes of the child, when it was asked; zero before
}

// ChildObserved is what a parent sees of its child in a pass.
type ChildObserved[D, O any] struct {
	// Snapshot is what the child's own pass found. That pass came first.
	Snapshot *Snapshot[D, O] `json:"snapshot"`
	// Asked is the state that was last asked of the child, empty before the
	// first. Current says that it was asked with the spec that is desired now, if
	// one is.
	Asked   State `json:"asked,omitempty"`
	Current bool  `json:"current,omitempty"`
	// Unseen says that the child has not been observed since it was asked.
	Unseen bool `json:"unseen,omitempty"`
}

var _ Owner = (*Child[int, int, int])(nil)

func openChild[P, D, O any](kind *ChildKind[P, D, O], name string, wake func()) (*Child[P, D, O], error) {
	c := &Child[P, D, O]{kind: kind, name: name}
	instance, err := NewInstance(&kind.Kind, name, InstanceConfig{Backoff: kind.Backoff, Listener: c.tell}, wake)
	if err != nil {
		return nil, err
	}
	c.instance = instance
	return c, nil
}

// tellPasses has the parent's listener told of the passes over the child.
func (c *Child[P, D, O]) tellPasses() { c.instance.tellPasses() }

// Look returns what is known of the child, for the parent's Observe. It reads
// nothing: the child's own pass has read it. It is an error if no child can be
// made from the spec of a parent that is to stay, or if the child has never been
// observed.
func (c *Child[P, D, O]) Look(desired Desired[P]) (ChildObserved[D, O], error) {
	if err := c.derive(desired); err != nil {
		return ChildObserved[D, O]{}, err
	}
	s := c.instance.Snapshot()
	if s.ObservedAt.IsZero() {
		return ChildObserved[D, O]{}, fmt.Errorf("its %s has not been seen: %w", s.Kind, cmp.Or(s.Err, errNoPass))
	}
	return ChildObserved[D, O]{
		Snapshot: s, Asked: c.asked.State,
		Current: c.begun > 0 && (!c.derived || c.equal(c.asked.Spec, c.spec)),
		Unseen:  c.begun > 0 && s.seen < c.begun,
	}, nil
}

var errNoPass = errors.New("no pass has been made over it")

// derive makes the child's spec from the parent's, if that has changed. A parent
// that is to be removed needs none that can be made.
func (c *Child[P, D, O]) derive(desired Desired[P]) error {
	parent := desired.Spec
	if missing(parent) {
		c.derived = false
		return nil
	}
	if c.derived && same(c.parent, parent) {
		return nil
	}
	c.derived = false
	spec, err := c.kind.Spec(c.name, parent)
	switch {
	case err != nil && desired.State == StateRemoved:
		return nil
	case err != nil:
		return err
	}
	c.parent, c.spec, c.derived = parent, spec, true
	if c.begun > 0 && c.equal(c.asked.Spec, spec) {
		c.spec = c.asked.Spec // what was computed from it is still good
	}
	return nil
}

func (c *Child[P, D, O]) equal(a, b D) bool {
	if same(a, b) {
		return true
	}
	return c.kind.Equal != nil && c.kind.Equal(a, b)
}

// same reports whether two specs are one, if they are pointers, or equal.
func same[D any](a, b D) bool {
	if reflect.TypeFor[D]().Kind() == reflect.Pointer && any(a) == any(b) {
		return true
	}
	return reflect.DeepEqual(a, b)
}

// Ask asks the child for a state, one of the targets of its own table, with the
// spec made from the parent's if there is one, and makes a pass over the child
// at once. If that pass fails, the child's snapshot says so; the parent sees it
// in its next pass.
func (c *Child[P, D, O]) Ask(ctx context.Context, desired Desired[P], state State) error {
	if err := c.derive(desired); err != nil {
		return Permanent(err)
	}
	ask := Desired[D]{State: state, Spec: c.asked.Spec}
	if c.derived {
		ask.Spec = c.spec
	}
	if err := c.instance.SetDesired(ask); err != nil {
		return Permanent(err)
	}
	c.asked, c.begun = ask, c.instance.begun.Load()+1
	c.ReconcileOwned(ctx)
	return nil
}

// Restart implements Restarter: the child is restarted.
func (c *Child[P, D, O]) Restart(ctx context.Context, _ Desired[P]) error {
	return c.instance.Restart(ctx)
}

// Retry implements Retrier.
func (c *Child[P, D, O]) Retry() { c.instance.Retry() }

// Held implements Retrier.
func (c *Child[P, D, O]) Held() error { return c.instance.Snapshot().holds() }

// ReconcileOwned implements Owner.
func (c *Child[P, D, O]) ReconcileOwned(ctx context.Context) {
	c.due = c.instance.Reconcile(ctx).Next
}

// OwnedDue implements Owner.
func (c *Child[P, D, O]) OwnedDue() time.Time { return c.due }

// TellTo implements Teller.
func (c *Child[P, D, O]) TellTo(l Listener) { c.listener = l }

func (c *Child[P, D, O]) tell(n Notice) {
	if c.listener != nil {
		c.listener(n)
	}
}

// Close lets go of the child as it is.
func (c *Child[P, D, O]) Close() error { return c.instance.Close() }
