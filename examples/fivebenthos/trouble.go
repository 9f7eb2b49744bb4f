package main

import (
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/evenkeel/evenkeel/fsm"
)

// problem returns why an instance makes no progress, nil if it does. Such an
// instance makes no transitions.
func problem(s *snapshot) error {
	if service := s.Observed.Service; s.Err == nil && service != nil {
		return service.Err
	}
	return s.Err
}

// troublePatience is how long an instance fails before that is told: what is
// over sooner is not.
const troublePatience = time.Second

// troubles is a listener that remembers which instances make no progress.
type troubles struct {
	mu  sync.Mutex // guards all
	all map[string]*trouble
}

// trouble is why an instance makes no progress: by itself, or because its
// service does not.
type trouble struct {
	own, service error
	since        time.Time
	told         string
}

func (t *trouble) why() error {
	if t.own != nil {
		return t.own
	}
	return t.service
}

// hear is an fsm.Listener.
func (ts *troubles) hear(n fsm.Notice) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	about := n.About()
	t := ts.all[about.Instance]
	if t == nil {
		t = &trouble{since: about.At}
	}
	switch n := n.(type) {
	case fsm.PassFailed:
		t.own = n.Err
	case fsm.PassRecovered:
		t.own = nil
	case fsm.Closed:
		t.own, t.service = nil, nil
	case fsm.Owned:
		switch n := n.Notice.(type) {
		case fsm.PassFailed:
			t.service = n.Err
		case fsm.PassRecovered:
			t.service = nil
		}
	}
	if t.why() == nil {
		delete(ts.all, about.Instance)
		return
	}
	if ts.all == nil {
		ts.all = make(map[string]*trouble)
	}
	ts.all[about.Instance] = t
}

// due calls tell for each instance, by name, whose problem is due to be told and
// has not been.
func (ts *troubles) due(now time.Time, tell func(instance, why string)) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(ts.all)) {
		t := ts.all[name]
		why := t.why().Error()
		if now.Sub(t.since) < troublePatience || why == t.told {
			continue
		}
		t.told = why
		tell(name, why)
	}
}

// report is a problem as data.
type report struct {
	Instance string    `json:"instance"`
	State    string    `json:"state"`
	Problem  string    `json:"problem"`
	At       time.Time `json:"at"`
}

// problems prints the problems of instances that make no progress.
func (d *display) problems(p *program) {
	now := time.Now()
	d.told.due(now, func(instance, why string) {
		state := ""
		if s, held := p.instances.Instance(instance); held {
			state = string(s.State)
		}
		if d.settings.json {
			d.json(report{instance, state, why, now})
			return
		}
		d.printf("%s %s %s: %s\n", now.Format("15:04:05.000"), instance, state, why)
	})
}
