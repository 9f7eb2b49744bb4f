package order

import (
	"cmp"
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/fsm"
)

// findOut finds out whether instances were started by an earlier run. It may take
// time, and holds up no others.
func (o *Order) findOut(ids ...ID) {
	for _, id := range ids {
		o.mu.Lock()
		known := o.known(id)
		o.mu.Unlock()
		if known {
			continue
		}
		begun, sure := o.config.Begun(id)
		o.mu.Lock()
		if !o.begun[id].sure {
			o.begun[id] = answer{begun: begun, sure: sure}
		}
		o.mu.Unlock()
	}
}

// known reports whether it is known that an instance was started, or was not.
func (o *Order) known(id ID) bool {
	v := o.config.Look(id)
	return v.Started || v.Goes || o.begun[id].sure
}

// member returns what is declared of an instance, or was.
func (o *Order) member(id ID) Member {
	if m, declared := o.members[id]; declared {
		return m
	}
	return o.leaving[id]
}

// matters reports whether it matters of an instance that it was started.
func (o *Order) matters(id ID) bool { return len(o.member(id).Needs) > 0 || len(o.users[id]) > 0 }

// lock locks o once it was found out whether an instance was started, where that
// may matter. runs: it is asked to run.
func (o *Order) lock(id ID, runs bool) {
	o.mu.Lock()
	if o.matters(id) && !o.known(id) && !(runs && o.through[id]) {
		o.mu.Unlock()
		o.findOut(id)
		o.mu.Lock()
	}
}

// started reports whether an instance has been started, as far as was found out. On
// the way from its adoption to where it is, it is not seen to have been: an earlier
// run has done that. What is being removed starts anew after that, whatever of it
// runs still.
func (o *Order) started(id ID) bool {
	v := o.config.Look(id)
	return v.Started || !v.Goes && o.begun[id].begun
}

// see returns what is seen of an instance that another waits for, and notes that.
func (o *Order) see(id, of ID) View {
	if o.waiting[id] == nil {
		o.waiting[id] = make(map[ID]View)
	}
	v := o.config.Look(of)
	o.waiting[id][of] = v
	return v
}

// holdsStart reports whether an instance has to wait with its start, and why.
func (o *Order) holdsStart(id ID) (why fsm.Reason, waits bool) {
	needs := o.member(id).Needs
	if len(needs) == 0 || o.through[id] || o.started(id) {
		return why, false
	}
	for _, need := range needs {
		v, runs := o.see(id, need.ID), o.members[need.ID].Runs
		if !runs && !v.Stopped {
			v.Says = "to stop, and is " + v.Says
		}
		if is := cmp.Or(need.Is, Ready); !waits && (o.applying > 0 || !v.is(is) || !runs) {
			why, waits = o.waitsFor(need.Name, "be "+string(is), v), true
		}
	}
	if !waits {
		delete(o.waiting, id)
		delete(o.begun, id) // from now on it may have been
		o.through[id] = true
	}
	return why, waits
}

// holdsStop reports whether an instance has to wait with its stop, why, and until
// when at most.
func (o *Order) holdsStop(id ID) (why fsm.Reason, until time.Time, waits bool) {
	users := o.users[id]
	if len(users) == 0 || !o.started(id) {
		delete(o.stays, id)
		return why, until, false
	}
	now := time.Now()
	if _, stays := o.stays[id]; !stays {
		o.stays[id] = now.Add(o.stopTime(id) + stopSlack)
	}
	if until = o.stays[id]; !o.release.IsZero() && o.release.Before(until) {
		until = o.release
	}
	for _, user := range users {
		v := o.see(id, user)
		if !waits && now.Before(until) && (o.applying > 0 || !v.Stopped) {
			why, waits = o.waitsFor(user.Name, "stop", v), true
		}
	}
	if !waits {
		delete(o.waiting, id)
	}
	return why, until, waits
}

// waitsFor says what an instance waits for.
func (o *Order) waitsFor(name, what string, v View) fsm.Reason {
	why := fsm.Because("waits for " + name + " to " + what)
	if o.applying > 0 {
		return why.With("what is declared is being taken over")
	}
	return why.With("it is " + v.Says)
}

// index notes by whom each instance is needed of those that are to stop.
func (o *Order) index() {
	o.users = make(map[ID][]ID)
	for _, members := range []map[ID]Member{o.members, o.leaving} {
		for id, m := range members {
			for _, need := range m.Needs {
				if !m.Runs {
					o.users[need.ID] = append(o.users[need.ID], id)
				}
			}
		}
	}
	for _, users := range o.users {
		slices.SortFunc(users, ID.Compare)
	}
}

// stopTime is how long all of those may take to stop that need an instance, and
// those that need them.
func (o *Order) stopTime(id ID) (all time.Duration) {
	seen := make(map[ID]bool)
	for todo := slices.Clone(o.users[id]); len(todo) > 0; todo = todo[1:] {
		if user := todo[0]; !seen[user] {
			seen[user] = true
			todo = append(todo, o.users[user]...)
			all += max(o.members[user].StopTime, o.leaving[user].StopTime)
		}
	}
	return all
}
