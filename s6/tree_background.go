package s6

import (
	"context"
	"sync"
)

// keeper replaces the s6-svscan of a private tree when it was killed, and sees
// to it that the supervisors which that one left hand over to the new one.
type keeper struct {
	once   sync.Once
	cancel context.CancelFunc
	ended  chan struct{}
}

func startKeeper(t *SystemTree) *keeper {
	ctx, cancel := context.WithCancel(context.Background())
	k := &keeper{cancel: cancel, ended: make(chan struct{})}
	go func() {
		defer close(k.ended)
		t.keep(ctx)
	}()
	return k
}

// end ends the keeper, nil if there is none, and waits for it.
func (k *keeper) end() {
	if k == nil {
		return
	}
	k.once.Do(k.cancel)
	<-k.ended
}

// nudges are the services by which a tree's s6-svscan is nudged, one at a time.
type nudges struct {
	mu      sync.Mutex // guards all below
	closed  bool
	current *nudge // nil for none
}

// nudge is one that is under way.
type nudge struct {
	over    chan struct{} // closed when it is
	ending  chan struct{} // closed when it is to be over soon
	abandon chan struct{} // closed when it is to be over at once
}

// begin has fn run beside the caller, who holds nudges.mu.
func (t *SystemTree) begin(fn func(*nudge)) {
	n := &nudge{over: make(chan struct{}), ending: make(chan struct{}), abandon: make(chan struct{})}
	t.nudges.current = n
	go func() {
		fn(n)
		t.nudges.mu.Lock()
		defer t.nudges.mu.Unlock()
		t.nudges.current = nil
		close(n.over)
	}()
}

// endNudges waits until the one under way is over, and has no other begin. One
// that is not over when ctx ends is left as it is: the next program sees to it.
func (t *SystemTree) endNudges(ctx context.Context) {
	t.nudges.mu.Lock()
	n, first := t.nudges.current, !t.nudges.closed
	t.nudges.closed = true
	t.nudges.mu.Unlock()
	if n == nil {
		return
	}
	if first {
		close(n.ending)
	}
	select {
	case <-n.over:
		return
	case <-ctx.Done():
	}
	t.nudges.mu.Lock()
	select {
	case <-n.abandon:
	default:
		close(n.abandon)
	}
	t.nudges.mu.Unlock()
	<-n.over
}
