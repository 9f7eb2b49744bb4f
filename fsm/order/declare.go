package order

import (
	"maps"
	"time"

	"github.com/evenkeel/evenkeel/fsm"
)

// Declare takes what is declared, all of it, and calls apply, which asks the
// managers for it. Meanwhile nothing starts that needs another, and nothing stops
// that another needs. What instances need must make no circle. The error is that
// of apply.
func (o *Order) Declare(members map[ID]Member, apply func() error) error {
	return o.declare(members, time.Time{}, apply)
}

// Halt is Declare for an end of everything in a given time: from release on,
// nothing waits with its stop.
func (o *Order) Halt(members map[ID]Member, release time.Time, apply func() error) error {
	return o.declare(members, release, apply)
}

func (o *Order) declare(members map[ID]Member, release time.Time, apply func() error) error {
	o.findOut(o.left(members)...)
	o.take(members, release)
	defer func() {
		for _, id := range o.taken() {
			o.config.Wake(id)
		}
	}()
	return apply()
}

// left returns those that were declared before, and are not any more.
func (o *Order) left(members map[ID]Member) (all []ID) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, before := range []map[ID]Member{o.members, o.leaving} {
		for id := range before {
			if _, declared := members[id]; !declared {
				all = append(all, id)
			}
		}
	}
	return all
}

func (o *Order) take(members map[ID]Member, release time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for id, m := range o.members {
		m.Runs = false
		o.leaving[id] = m
	}
	for id := range o.leaving {
		if _, declared := members[id]; declared || o.over(id) {
			delete(o.leaving, id)
		}
	}
	o.members, o.release = maps.Clone(members), release
	o.forget()
	clear(o.through)
	o.index()
	o.applying++
}

// remembered is of how many instances that are gone it is known that nothing of them
// runs.
const remembered = 1024

// forget forgets what was found out of those that are gone, but that nothing of them
// runs: who is declared again is not asked about.
func (o *Order) forget() {
	gone := 0
	maps.DeleteFunc(o.begun, func(id ID, a answer) bool {
		_, declared := o.members[id]
		_, leaves := o.leaving[id]
		if declared || leaves {
			return false
		}
		gone++
		return a != (answer{sure: true}) || gone > remembered
	})
}

// over reports whether an instance that is not declared any more neither runs nor
// waits to.
func (o *Order) over(id ID) bool {
	v := o.config.Look(id)
	return v.Stopped && !v.Waits && !o.started(id)
}

// taken returns those that were held meanwhile.
func (o *Order) taken() (held []ID) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.applying--; o.applying == 0 {
		for id := range o.waiting {
			held = append(held, id)
		}
	}
	return held
}

// Gate returns the gate of the manager of a kind. run is what its instances are
// asked for when they are to run, and stop what keeps them from it.
func (o *Order) Gate(kind string, run, stop fsm.State) fsm.Gate { return &gate{o, kind, run, stop} }

// layer names the order in fsm.Hold.By.
const layer = "order"

type gate struct {
	order     *Order
	kind      string
	run, stop fsm.State
}

// Hold implements fsm.Gate.
func (g *gate) Hold(name string, asked fsm.State) (fsm.Hold, bool) {
	o, id := g.order, ID{g.kind, name}
	o.lock(id, asked == g.run)
	defer o.mu.Unlock()
	delete(o.waiting, id)
	if asked == g.run {
		delete(o.stays, id)
		why, waits := o.holdsStart(id)
		return fsm.Hold{As: g.stop, Why: why, By: layer}, waits
	}
	why, until, waits := o.holdsStop(id)
	if !waits {
		delete(o.through, id)
		if o.begun[id] != (answer{sure: true}) || asked != g.stop {
			o.begun[id] = answer{stops: true} // a stop that is not made yet has stopped nothing
		}
	}
	return fsm.Hold{As: g.run, Stays: true, Why: why, By: layer, Until: until}, waits
}

// Passed implements fsm.Gate: whoever waits for the instance, and has seen
// something else of it, is looked at.
func (g *gate) Passed(name string) {
	id := ID{g.kind, name}
	for _, other := range g.order.waitFor(id) {
		g.order.config.Wake(other)
	}
}

// waitFor returns those. What its manager sees to be started, or stopped as it is
// asked to be, is noted: nobody has to find out what an earlier run has done of it.
func (o *Order) waitFor(id ID) (all []ID) {
	o.mu.Lock()
	defer o.mu.Unlock()
	view := o.config.Look(id)
	if view.Started || view.Stopped && o.begun[id].stops {
		o.begun[id] = answer{sure: true}
	}
	for other, seen := range o.waiting {
		if was, waits := seen[id]; waits && was != view {
			all = append(all, other)
		}
	}
	return all
}
