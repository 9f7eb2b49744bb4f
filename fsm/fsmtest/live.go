package fsmtest

import (
	"context"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/evenkeel/evenkeel/fsm"
)

// Live returns the world of a kind's own driver, opened under the name, in a
// testing/synctest bubble, whose clock it advances. What the driver owns is
// reconciled before each observation, and the driver is closed at the end.
func Live[D, O any](t testing.TB, kind fsm.Kind[D, O], name string) World[D, O] {
	t.Helper()
	driver, err := kind.Open(name, func() {})
	if err != nil {
		t.Fatalf("cannot open %s %q: %v", kind.Name, name, err)
	}
	return live[D, O]{driver}
}

type live[D, O any] struct{ fsm.Driver[D, O] }

var (
	_ Clock     = live[int, int]{}
	_ fsm.Owner = live[int, int]{}
	_ io.Closer = live[int, int]{}
)

// Advance implements World. A timer that is due is run by whoever looks at it, and the
// race detector crashes when the bubble runs another then (Go 1.26).
func (live[D, O]) Advance(d time.Duration) {
	if d > 0 {
		<-time.After(d)
	}
	synctest.Wait()
}

// Now implements Clock.
func (live[D, O]) Now() time.Time { return time.Now() }

// ReconcileOwned implements fsm.Owner.
func (l live[D, O]) ReconcileOwned(ctx context.Context) {
	if owner, ok := l.Driver.(fsm.Owner); ok {
		owner.ReconcileOwned(ctx)
	}
}

// OwnedDue implements fsm.Owner.
func (l live[D, O]) OwnedDue() time.Time {
	if owner, ok := l.Driver.(fsm.Owner); ok {
		return owner.OwnedDue()
	}
	return time.Time{}
}

// Close implements io.Closer.
func (l live[D, O]) Close() error {
	if c, ok := l.Driver.(io.Closer); ok {
		return c.Close()
	}
	return nil
}
