package main

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/evenkeel/evenkeel/fsm"
)

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

// report is what is said of an instance, as data.
type report struct {
	Instance string    `json:"instance"`
	State    string    `json:"state"`
	Problem  string    `json:"problem,omitempty"` // it makes no progress
	Reason   string    `json:"reason,omitempty"`  // it stays in its state
	At       time.Time `json:"at"`
}

// news prints what no transition tells: the problems of instances that make no
// progress, and why others are no better than they are.
func (d *display) news(p *program) {
	now := time.Now()
	d.told.due(now, func(instance, why string) {
		state := ""
		if s, held := p.instances.Instance(instance); held {
			state = string(s.State)
		}
		d.report(report{Instance: instance, State: state, Problem: why, At: now})
	})
	if d.settings.verbosity < tellTransitions {
		return
	}
	for _, s := range p.instances.Snapshot() {
		if why := d.remarks.due(now, s); why != "" {
			d.report(report{Instance: s.Name, State: string(s.State), Reason: why, At: now})
		}
	}
}

func (d *display) report(r report) {
	if d.settings.json {
		r.Problem, r.Reason = fsm.MaskText(r.Problem), fsm.MaskText(r.Reason)
		d.json(r)
		return
	}
	d.printf("%s %s %s: %s\n", r.At.Format("15:04:05.000"), r.Instance, r.State, line(cmp.Or(r.Problem, r.Reason)))
}
