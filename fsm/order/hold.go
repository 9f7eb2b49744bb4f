package order

import (
	"cmp"
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/fsm"
)

// started reports whether an instance has been started.
func (o *Order) started(id ID) bool {
	begun, known := o.begun[id]
	if !known {
		begun = o.config.Begun(id)
		o.begun[id] = begun
	}
	return begun
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
	needs := o.members[id].Needs
	if len(needs) == 0 || o.started(id) {
		return why, false
	}
	for _, need := range needs {
		v := o.see(id, need.ID)
		if is := cmp.Or(need.Is, Ready); !waits && (o.applying > 0 || !v.is(is)) {
			why, waits = o.waitsFor(need.Name, "be "+string(is), v), true
		}
	}
	if !waits {
		delete(o.waiting, id)
	}
	return why, waits
}

// holdsStop reports whether an instance has to wait with its stop, why, and until
// when at most.
func (o *Order) holdsStop(id ID) (why fsm.Reason, until time.Time, waits bool) {
	users := o.users(id)
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
		if !waits && now.Before(until) && (o.applying > 0 || !v.stopped()) {
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

// users returns the instances that need one and are to stop as well.
func (o *Order) users(id ID) (all []ID) {
	for _, members := range []map[ID]Member{o.members, o.leaving} {
		for other, m := range members {
			if !m.Runs && slices.ContainsFunc(m.Needs, func(n Need) bool { return n.ID == id }) {
				all = append(all, other)
			}
		}
	}
	slices.SortFunc(all, func(a, b ID) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Kind, b.Kind)) })
	return all
}

// stopTime is how long all of those may take to stop that need an instance, and
// those that need them.
func (o *Order) stopTime(id ID) (all time.Duration) {
	seen := make(map[ID]bool)
	for todo := o.users(id); len(todo) > 0; todo = todo[1:] {
		if !seen[todo[0]] {
			seen[todo[0]] = true
			todo = append(todo, o.users(todo[0])...)
			all += max(o.members[todo[0]].StopTime, o.leaving[todo[0]].StopTime)
		}
	}
	return all
}
