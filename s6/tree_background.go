package s6

import (
	"context"
	"sync"
	"time"
)

// keeper replaces the s6-svscan of a private tree that was killed, and makes
// the supervisors that it left hand over to the new one.
type keeper struct {
	once   sync.Once
	cancel context.CancelFunc
	ended  chan struct{}
}

// startKeeper runs keep beside the caller, until end.
func startKeeper(keep func(context.Context)) *keeper {
	ctx, cancel := context.WithCancel(context.Background())
	k := &keeper{cancel: cancel, ended: make(chan struct{})}
	go func() {
		defer close(k.ended)
		keep(ctx)
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

// nudges runs the services by which a tree's s6-svscan is nudged, one at a
// time.
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

// begin prepares a nudge and runs it beside the caller, unless one is under way
// or none may begin any more.
func (n *nudges) begin(prepare func() (run func(*nudge), err error)) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed || n.current != nil {
		return nil
	}
	run, err := prepare()
	if err != nil {
		return err
	}
	current := &nudge{over: make(chan struct{}), ending: make(chan struct{}), abandon: make(chan struct{})}
	n.current = current
	go func() {
		run(current)
		n.mu.Lock()
		defer n.mu.Unlock()
		n.current = nil
		close(current.over)
	}()
	return nil
}

// end waits until the nudge that is under way is over, and lets no other begin.
// A nudge that is not over when ctx ends is left as it is: the next program
// sees to it.
func (n *nudges) end(ctx context.Context) {
	n.mu.Lock()
	current, first := n.current, !n.closed
	n.closed = true
	n.mu.Unlock()
	if current == nil {
		return
	}
	if first {
		close(current.ending)
	}
	select {
	case <-current.over:
		return
	case <-ctx.Done():
	}
	n.mu.Lock()
	select {
	case <-current.abandon:
	default:
		close(current.abandon)
	}
	n.mu.Unlock()
	<-current.over
}

// remains is what a look at the process table has found of service directories
// that are not there any more, by their places.
type remains struct {
	mu    sync.Mutex // guards all below, and is held during a look
	began time.Time
	found map[string][]Remnant
}
