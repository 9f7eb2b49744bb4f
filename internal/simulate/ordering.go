package simulate

import (
	"maps"
	"sync"
	"time"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/fsm/order"
	"github.com/evenkeel/evenkeel/s6"
)

// ordering has the instances of a program wait for one another. It looks at the tree
// as an actor of its own for each of them.
type ordering struct {
	*order.Order
	life   *life
	needs  needs
	keeper func(name string) keeper
	had    func(*actor, string, declaration) (bool, error) // finds out whether an earlier program has started one
	actors map[string]*actor
	turns  map[string]chan struct{} // who has the one of these acts for an instance

	declared int // how often, by the user

	mu      sync.Mutex // guards all below
	members map[order.ID]order.Member
	file    map[string]declaration // what was declared of each last
}

// newOrdering returns the order of a program, by its keepers and by what finds out
// whether an instance was started before. It is nil where nothing needs anything.
func newOrdering(l *life, n needs, keeper func(name string) keeper, had func(*actor, string, declaration) (bool, error)) *ordering {
	if len(n) == 0 {
		return nil
	}
	o := &ordering{
		life: l, needs: n, keeper: keeper, had: had, actors: make(map[string]*actor), turns: make(map[string]chan struct{}),
		members: make(map[order.ID]order.Member), file: make(map[string]declaration),
	}
	for at, name := range names() {
		o.actors[name] = l.actor("order of "+name, slotOrder+at)
		o.turns[name] = make(chan struct{}, 1)
	}
	o.Order = order.New(order.Config{
		Look:  func(id order.ID) order.View { return keeper(id.Name).view(id.Name) },
		Begun: o.begun,
		Wake:  o.wake,
	})
	return o
}

// wake has an instance looked at soon.
func (o *ordering) wake(id order.ID) {
	o.actors[id.Name].wake(func() { o.keeper(id.Name).Wake(id.Name) })
}

// begun reports whether an earlier program has started an instance. Where that
// cannot be found out, it may have.
func (o *ordering) begun(id order.ID) (begun, known bool) {
	o.turns[id.Name] <- struct{}{}
	defer func() { <-o.turns[id.Name] }()
	o.mu.Lock()
	d, known := o.file[id.Name]
	o.mu.Unlock()
	if !known { // nothing but what is refused was declared of it
		d = run(id.Name, 0)
	}
	begun, err := o.had(o.actors[id.Name], id.Name, d)
	return begun || err != nil, err == nil
}

// declare has the managers take what is in a file. What is refused stays as it was.
// Every second time all are looked at before the managers take anything, while the
// order knows already what is declared.
func (o *ordering) declare(file map[string]declaration, apply func() error) error {
	if o == nil {
		return apply()
	}
	o.declared++
	return o.Declare(o.take(file), func() error {
		if o.declared%2 == 0 {
			o.lookAtAll()
		}
		return apply()
	})
}

func (o *ordering) lookAtAll() {
	for _, name := range names() {
		o.wake(idOf(name))
	}
	time.Sleep(until(time.Now(), slotUser, 2000))
}

func (o *ordering) take(file map[string]declaration) map[order.ID]order.Member {
	o.mu.Lock()
	defer o.mu.Unlock()
	all := make(map[order.ID]order.Member)
	for name, d := range file {
		id := idOf(name)
		if before, known := o.members[id]; d.spoiled && known {
			all[id] = before
			continue
		}
		m := order.Member{Needs: o.needs[name], Runs: d.spoiled || d.state == s6.Running}
		switch {
		case d.spoiled:
		case isStream(name):
			m.StopTime, o.file[name] = d.stream.StopTime(), d
		default:
			m.StopTime, o.file[name] = d.service.StopTime(), d
		}
		all[id] = m
	}
	o.members = all
	return maps.Clone(all)
}

// gate returns the gate of a manager, none where nothing needs anything.
func (o *ordering) gate(kind string, run, stop fsm.State) fsm.Gate {
	if o == nil {
		return nil
	}
	return gate{o.Gate(kind, run, stop), o.life}
}

// gate is asked in moments of the instance that it is asked about. What it is told
// after a pass it is told in one of those.
type gate struct {
	fsm.Gate
	life *life
}

// Hold implements fsm.Gate.
func (g gate) Hold(name string, asked fsm.State) (fsm.Hold, bool) {
	if !g.life.isDead() {
		time.Sleep(until(time.Now(), slotOf(name), 1))
	}
	return g.Gate.Hold(name, asked)
}
