package s6

import (
	"context"
	"sync"
	"time"
)

// background is work that goes on beside the users of a tree, while that is open.
type background struct {
	once   sync.Once
	cancel context.CancelFunc
	ended  chan struct{}
}

// startBackground runs work beside the caller, until its end or that of its context.
func startBackground(work func(context.Context)) *background {
	ctx, cancel := context.WithCancel(context.Background())
	b := &background{cancel: cancel, ended: make(chan struct{})}
	go func() {
		defer close(b.ended)
		work(ctx)
	}()
	return b
}

// end ends the work, nil if there is none, and waits for it.
func (b *background) end() {
	if b == nil {
		return
	}
	b.once.Do(b.cancel)
	<-b.ended
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

// scans joins the scans that a tree asks s6-svscan for. A scan looks at every
// service, so that one for each of many new services would cost the square of
// their number. The first scan is asked for at once; those that follow closely
// become one. The zero value has asked for none.
type scans struct {
	mu     sync.Mutex // guards all below
	last   time.Time  // when the last one was asked for; zero for never
	pause  time.Duration
	prunes bool        // the next one is to end what has no link any more
	next   *time.Timer // of the next one, nil for none
}

// remains is what a look at the process table has found of service directories
// that are not there any more, by their places.
type remains struct {
	mu    sync.Mutex // guards began and found, and is held during a look
	began time.Time
	found map[string][]Remnant

	asked askedFor
}

// askedFor are the services that somebody has asked for, as long as that is noted.
type askedFor struct {
	mu       sync.Mutex // guards services
	services map[string]bool
}

// begin notes who is asked for from here on, end does not any more.
func (a *askedFor) begin() { a.set(make(map[string]bool)) }
func (a *askedFor) end()   { a.set(nil) }

func (a *askedFor) set(services map[string]bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.services = services
}

func (a *askedFor) note(service string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.services != nil {
		a.services[service] = true
	}
}

func (a *askedFor) has(service string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.services[service]
}
