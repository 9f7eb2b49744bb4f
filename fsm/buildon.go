package fsm

import (
	"context"
	"errors"
	"fmt"
	"maps"
)

// BuildOn completes a kind whose instances are each built on one instance of
// another kind, their child. It sets Open, which hands the child to open for
// the driver to embed; Validate, which asks the kind's own Validate, if there
// is one, and then that of the children; Discover, for what an earlier run has
// left; and Claim. The kind's own Open, Discover and Claim are not used. Its
// Decide begins with DecideChild.
func BuildOn[P, PO, D, O any](
	kind Kind[P, PO], child ChildKind[P, D, O],
	open func(name string, wake func(), child *Child[P, D, O]) (Driver[P, PO], error),
) (Kind[P, PO], error) {
	if err := child.check(kind.Table); err != nil {
		return kind, fmt.Errorf("cannot build %s on %s: %w", kind.Name, child.Kind.Name, err)
	}
	own := kind.Validate
	kind.Open = func(name string, wake func()) (Driver[P, PO], error) {
		c, err := openChild(&child, name, wake)
		if err != nil {
			return nil, err
		}
		driver, err := open(name, wake, c)
		if err != nil {
			return nil, errors.Join(err, c.Close())
		}
		return driver, nil
	}
	kind.Validate = func(ctx context.Context, desired, before map[string]Desired[P]) (map[string]error, error) {
		return child.validate(ctx, own, desired, before)
	}
	kind.Discover = func(ctx context.Context) (map[string]Desired[P], map[string]error, error) {
		return child.discover(ctx, kind.Table)
	}
	kind.Claim = child.Kind.Claim
	return kind, nil
}

func (k *ChildKind[P, D, O]) check(parent *Table) error {
	switch {
	case k.Kind.Table == nil || parent == nil:
		return errors.New("both need a Table")
	case k.Spec == nil || k.Parent == nil:
		return errors.New("it takes a Spec and a Parent to make one spec from the other")
	}
	used := make(map[State]State)
	for _, target := range parent.Targets() {
		if target.Name == StateRemoved {
			continue
		}
		asks, ok := k.Targets[target.Name]
		if !ok {
			return fmt.Errorf("Targets does not say what the child is asked for %q", target.Name)
		}
		if err := k.Kind.Table.checkTarget(asks); err != nil {
			return fmt.Errorf("Targets: for %q the child: %w", target.Name, err)
		}
		if other, twice := used[asks]; twice {
			return fmt.Errorf("Targets: %q and %q ask the same of the child", other, target.Name)
		}
		used[asks] = target.Name
	}
	return nil
}

// target returns what is asked of the child while its parent is asked for a
// state.
func (k *ChildKind[P, D, O]) target(parent State) State {
	if parent == StateRemoved {
		return StateRemoved
	}
	return k.Targets[parent]
}

// children returns what is asked of the children of these parents. A parent
// whose spec makes no child is left out; the reason goes into refused, unless
// that is nil.
func (k *ChildKind[P, D, O]) children(parents map[string]Desired[P], refused map[string]error) map[string]Desired[D] {
	all := make(map[string]Desired[D], len(parents))
	for name, d := range parents {
		asks := Desired[D]{State: k.target(d.State)}
		if !missing(d.Spec) {
			spec, err := k.Spec(name, d.Spec)
			if err != nil {
				if refused != nil {
					refused[name] = err
				}
				continue
			}
			asks.Spec = spec
		}
		all[name] = asks
	}
	return all
}

func (k *ChildKind[P, D, O]) validate(
	ctx context.Context, own func(context.Context, map[string]Desired[P], map[string]Desired[P]) (map[string]error, error),
	desired, before map[string]Desired[P],
) (map[string]error, error) {
	refused := make(map[string]error)
	sound := maps.Clone(desired)
	if own != nil {
		why, err := own(ctx, desired, before)
		if err != nil {
			return nil, err
		}
		for name, err := range why {
			if err != nil {
				refused[name] = err
			}
			if err != nil && !IsWarning(err) {
				delete(sound, name)
			}
		}
	}
	children := k.children(sound, refused)
	if k.Kind.Validate == nil || len(children) == 0 {
		return refused, nil
	}
	why, err := k.Kind.Validate(ctx, children, k.children(before, nil))
	if err != nil {
		return nil, err
	}
	for name, err := range why {
		switch {
		case err == nil:
		case IsWarning(err) && refused[name] != nil:
			refused[name] = Warning(errors.Join(refused[name], err)) // two warnings
		default:
			refused[name] = err
		}
	}
	return refused, nil
}

func (k *ChildKind[P, D, O]) discover(ctx context.Context, parent *Table) (found map[string]Desired[P], unread map[string]error, err error) {
	if k.Kind.Discover == nil {
		return nil, nil, nil
	}
	children, unread, err := k.Kind.Discover(ctx)
	if err != nil {
		return nil, nil, err
	}
	all := make(map[string]Desired[P], len(children))
	for name, child := range children {
		var d Desired[P]
		known := false
		if !missing(child.Spec) {
			var spec P
			if spec, known = k.Parent(child.Spec); known {
				d.Spec = spec
			}
		}
		// A zero spec that is none, and cannot be seen to be none, is not to be
		// worked from.
		if known || missing(d.Spec) {
			d.State = k.parentTarget(parent, child.State)
		}
		all[name] = d
	}
	return all, unread, nil
}

// parentTarget returns what was asked of a parent, judging by its child: the
// target that Targets maps to what the child is asked for, else one of the same
// phase, else the first.
func (k *ChildKind[P, D, O]) parentTarget(parent *Table, child State) State {
	phase, _ := k.Kind.Table.Target(child)
	targets := parent.Targets()
	best := targets[0].Name
	for _, target := range targets {
		switch {
		case k.target(target.Name) == child:
			return target.Name
		case target.Phase == phase:
			best = target.Name
		}
	}
	return best
}
