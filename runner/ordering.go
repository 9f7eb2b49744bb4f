package runner

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/config"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/fsm/order"
	"github.com/evenkeel/evenkeel/s6"
)

// ordering is what the instances of a Runner start after, and stop before.
type ordering struct {
	*order.Order
	services *fsm.Manager[*s6.Spec, s6.Observed]
	streams  *fsm.Manager[*benthos.Config, benthos.Observed]
	passed   func() // is called after each pass over an instance

	mu      sync.Mutex // guards all below
	members map[order.ID]order.Member
	entries map[order.ID]config.Entry
	byHand  overrides
	asked   []string // streams of which the engine is being asked whether it takes them
	read    bool     // what was stopped by hand before
	ends    bool     // everything does, in an order of its own
}

// newOrdering returns the order of instances in a tree. It has to be given the
// managers before there are any.
func newOrdering(tree s6.Tree, streams benthos.Options, passed func()) *ordering {
	o := &ordering{passed: passed}
	service := string(config.KindService)
	o.Order = order.New(order.Config{
		Look: func(id order.ID) order.View {
			if id.Kind == service {
				return order.Look(o.services, id.Name, (*s6.Observed).Process)
			}
			return order.Look(o.streams, id.Name, (*benthos.Observed).Process)
		},
		Begun: func(id order.ID) (bool, bool) { return o.begun(tree, streams, id) },
		Wake:  o.wake,
	})
	return o
}

// wake has an instance looked at.
func (o *ordering) wake(id order.ID) {
	if id.Kind == string(config.KindService) {
		o.services.Wake(id.Name)
	} else {
		o.streams.Wake(id.Name)
	}
}

// begun reports whether an earlier run of the program has started an instance.
// Where that cannot be found out, it may have: what runs is not to be stopped.
func (o *ordering) begun(tree s6.Tree, streams benthos.Options, id order.ID) (begun, known bool) {
	o.mu.Lock()
	e := o.entries[id]
	o.mu.Unlock()
	var err error
	if e.Stream != nil {
		begun, err = benthos.Begun(tree, streams, id.Name, e.Stream)
	} else {
		begun, err = s6.Begun(tree, id.Name, e.Service)
	}
	return begun || err != nil, err == nil
}

// take notes what is wanted, and returns it as members of the order.
func (o *ordering) take(w Wanted) map[order.ID]order.Member {
	all := make(map[order.ID]order.Member)
	entries := make(map[order.ID]config.Entry)
	for key, e := range w.Entries {
		m := order.Member{Needs: w.Needs(key), Runs: e.Runs() && !slices.Contains(w.Leaving, key)}
		if e.Stream != nil {
			m.StopTime = e.Stream.StopTime()
		} else {
			m.StopTime = e.Service.StopTime()
		}
		all[key.ID()], entries[key.ID()] = m, e
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for id, m := range o.members {
		_, listed := all[id]
		if !listed && w.stays(config.Key{Kind: config.Kind(id.Kind), Name: id.Name}) {
			all[id], entries[id] = m, o.entries[id]
		}
	}
	o.members, o.entries, o.ends = all, entries, false
	return o.effective()
}

// effective returns the members as they are with what was stopped by hand.
func (o *ordering) effective() map[order.ID]order.Member {
	all := maps.Clone(o.members)
	for key := range o.byHand {
		if m, known := all[key.ID()]; known {
			m.Runs = false
			all[key.ID()] = m
		}
	}
	return all
}

// declared reports whether an instance is among those that are declared.
func (o *ordering) declared(key config.Key) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	_, known := o.members[key.ID()]
	return known
}

// stopped returns what is stopped by hand.
func (o *ordering) stopped() overrides {
	o.mu.Lock()
	defer o.mu.Unlock()
	all := make(overrides)
	maps.Copy(all, o.byHand)
	return all
}

// stoppedBy reports whether an instance is stopped by hand, and by whom.
func (o *ordering) stoppedBy(key config.Key) (by Override, is bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	by, is = o.byHand[key]
	return by, is
}

// override has other instances stopped by hand than before, and looked at, unless
// everything ends.
func (o *ordering) override(byHand overrides) {
	o.mu.Lock()
	before := o.byHand
	o.byHand = byHand
	members, ends := o.effective(), o.ends
	o.mu.Unlock()
	if ends {
		return
	}
	_ = o.Declare(members, func() error { return nil }) // what applies nothing does not fail
	for _, all := range []overrides{before, byHand} {
		for key := range all {
			o.wake(key.ID())
		}
	}
}

// recall reads what was stopped by hand, until that can be read. Before, nothing is
// to be asked to run.
func (o *ordering) recall(store Store) error {
	o.mu.Lock()
	read := o.read
	o.mu.Unlock()
	if read {
		return nil
	}
	all, err := store.overrides()
	if err != nil {
		return err
	}
	o.mu.Lock()
	o.read = true
	o.mu.Unlock()
	o.override(all)
	return nil
}

// forget forgets what was stopped by hand and is not declared any more. What cannot
// be written down is forgotten another time.
func (o *ordering) forget(store Store) {
	all := o.stopped()
	if left := all.of(o.declared); !maps.Equal(all, left) && store.saveOverrides(left) == nil {
		o.override(left)
	}
}

// ending returns the members that are to stop: these, and what they need. A
// service that needs no stream stops after all streams, which may send what they
// have accepted to it.
func (o *ordering) ending(services, streams []string) map[order.ID]order.Member {
	o.mu.Lock()
	known := maps.Clone(o.members)
	o.ends = true
	o.mu.Unlock()
	all := make(map[order.ID]order.Member)
	var last []order.Need
	for _, name := range services {
		id := config.Key{Kind: config.KindService, Name: name}.ID()
		all[id] = known[id]
		if !needsStream(known, id, make(map[order.ID]bool)) {
			last = append(last, order.Need{ID: id})
		}
	}
	for _, name := range streams {
		id := config.Key{Kind: config.KindStream, Name: name}.ID()
		m := known[id]
		m.Needs = append(slices.Clone(m.Needs), last...)
		all[id] = m
	}
	for id, m := range all {
		m.Runs = false
		all[id] = m
	}
	return all
}

// needsStream reports whether an instance needs a stream, or something that does.
func needsStream(members map[order.ID]order.Member, id order.ID, seen map[order.ID]bool) bool {
	seen[id] = true
	return slices.ContainsFunc(members[id].Needs, func(n order.Need) bool {
		return n.Kind == string(config.KindStream) || !seen[n.ID] && needsStream(members, n.ID, seen)
	})
}

// releaseTime returns when what is to stop no longer waits for others: when two
// thirds of the time are over that there is for all.
func releaseTime(ctx context.Context) (at time.Time) {
	if deadline, limited := ctx.Deadline(); limited {
		now := time.Now()
		at = now.Add(deadline.Sub(now) * 2 / 3)
	}
	return at
}

// ask has these new streams wait for what the engine says of them, and no others. It
// has one caller at a time.
func (o *ordering) ask(names []string) {
	before := o.asking()
	o.mu.Lock()
	o.asked = names
	o.mu.Unlock()
	for _, name := range before {
		if !slices.Contains(names, name) {
			o.streams.Wake(name)
		}
	}
}

// asking returns the streams that wait for what the engine says of them.
func (o *ordering) asking() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.asked
}

// held returns what has an instance wait before the order does.
func (o *ordering) held(key config.Key, as fsm.State) (fsm.Hold, bool) {
	if by, is := o.stoppedBy(key); is {
		return fsm.Hold{As: as, Why: by.reason(), By: "by hand"}, true
	}
	if key.Kind == config.KindStream && slices.Contains(o.asking(), key.Name) {
		return fsm.Hold{As: as, Why: fsm.Because("waits for the engine to say whether it takes its configuration"), By: "engine"}, true
	}
	return fsm.Hold{}, false
}

// gate is the gate of a manager: what was stopped by hand, what the engine is asked
// about, and then the order.
type gate struct {
	fsm.Gate
	ordering  *ordering
	kind      config.Kind
	run, stop fsm.State
}

// Hold implements fsm.Gate.
func (g gate) Hold(name string, asked fsm.State) (fsm.Hold, bool) {
	first, held := g.ordering.held(config.Key{Kind: g.kind, Name: name}, g.stop)
	if !held || asked != g.run {
		return g.Gate.Hold(name, asked)
	}
	if h, waits := g.Gate.Hold(name, g.stop); waits {
		return h, true
	}
	return first, true
}

// Passed implements fsm.Gate.
func (g gate) Passed(name string) {
	g.Gate.Passed(name)
	g.ordering.passed()
}

// gate returns the gate of a manager.
func (o *ordering) gate(kind config.Kind) fsm.Gate {
	run, stop := s6.Running, s6.Stopped
	if kind == config.KindStream {
		run, stop = benthos.Active, benthos.Stopped
	}
	return gate{o.Gate(string(kind), run, stop), o, kind, run, stop}
}
