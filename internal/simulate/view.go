package simulate

import (
	"context"
	"time"

	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/s6test"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

// view is the tree as an actor of a program sees it.
type view struct {
	*s6test.Faulty
	actor *actor
}

var _ s6.Tree = (*view)(nil)

func newView(tree *s6test.Tree, a *actor) *view { return &view{s6test.Inject(tree, a), a} }

// Claim implements s6.Tree: what a program has claimed ends with it.
func (v *view) Claim(owner string) (release func(), err error) { return v.actor.owners.Claim(owner) }

// Check implements s6.Tree. It goes on beside the driver, in a slot of its own.
func (v *view) Check(ctx context.Context, service string, spec *s6.Spec) error {
	turn := func() { time.Sleep(until(time.Now(), slotChecks+v.actor.slot, 1)) }
	turn()
	if v.actor.isDead() {
		return s6.ErrNoCheck
	}
	err := v.Tree.Check(ctx, service, spec)
	turn()
	return err
}

// Watch implements s6.Tree. A program that is killed watches nothing any more.
func (v *view) Watch(service string, fn func(supervise.Event)) (s6.Watch, error) {
	w, err := v.Faulty.Watch(service, fn)
	if err == nil {
		v.actor.watched(w)
	}
	return w, err
}
