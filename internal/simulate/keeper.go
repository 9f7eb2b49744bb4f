package simulate

import (
	"context"
	"slices"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/fsm/order"
)

// keeper is a manager of one of the kinds.
type keeper interface {
	fsm.Runner
	// names are those of the instances that it can have.
	names() []string
	apply(ctx context.Context, file map[string]declaration) error
	set(ctx context.Context, name string, d declaration) error
	see() []seen
	instance(name string) (s seen, held bool)
	// view is what the order of instances sees of one.
	view(name string) order.View

	Remove(ctx context.Context, name string) error
	Restart(ctx context.Context, name string) error
	Retry(name string) error
	Refused() map[string]error
	Wake(name string)
	Close(ctx context.Context) error
}

// keeps is the keeper of a kind.
type keeps[D, O any] struct {
	*fsm.Manager[D, O]
	all     []string
	want    func(declaration) fsm.Desired[D]
	said    func(*fsm.Snapshot[D, O]) seen
	process func(*O) (there, works bool)
}

func (k *keeps[D, O]) names() []string { return k.all }

func (k *keeps[D, O]) apply(ctx context.Context, file map[string]declaration) error {
	desired := make(map[string]fsm.Desired[D])
	for name, d := range file {
		if slices.Contains(k.all, name) {
			desired[name] = k.want(d)
		}
	}
	return k.Apply(ctx, desired)
}

func (k *keeps[D, O]) set(ctx context.Context, name string, d declaration) error {
	return k.Set(ctx, name, k.want(d))
}

func (k *keeps[D, O]) see() (all []seen) {
	for _, s := range k.Snapshot() {
		all = append(all, k.said(s))
	}
	return all
}

func (k *keeps[D, O]) instance(name string) (seen, bool) {
	s, held := k.Instance(name)
	if !held {
		return seen{}, false
	}
	return k.said(s), true
}

func (k *keeps[D, O]) view(name string) order.View { return order.Look(k.Manager, name, k.process) }
