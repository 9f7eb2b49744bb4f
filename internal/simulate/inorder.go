package simulate

import (
	"time"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/fsm/order"
	"github.com/evenkeel/evenkeel/s6"
)

// stopWait is how long at least what is to stop waits for those that need it, and
// are to stop as well.
const stopWait = 10 * time.Second

// stands notes what a manager says of an instance. One that is stopped on the way
// back to where it was does not rest.
func (j *judge) stands(name string, n fsm.Transition) {
	j.mu.Lock()
	defer j.mu.Unlock()
	s := j.known[name]
	s.place.phase(n.ToPhase)
	if n.Event == s6.EventStopDone && s.asked.state != s6.Running || n.To == fsm.StateRemoved {
		s.place.rests, s.place.rested = true, time.Now()
	}
	if n.To == fsm.StateRemoved && s.asked.state == s6.Running {
		s.place.wanted = s.place.turned // what was declared anew starts anew
	}
}

// startsStopped holds the start of a process against what was said of its instance
// just before: that it is stopped, as its manager is asked for. Nobody has harmed it
// since.
func (j *judge) startsStopped(name string, pid int) {
	s := j.known[name]
	rested := s.place.rested
	if s.place.rests && s.asked.state != s6.Running && s.applied >= s.changed && time.Since(rested) < noticed && rested.After(s.place.last) && rested.After(s.excused) {
		j.violatedLocked(NothingRuns, "process %d of %s starts, which was said to be stopped at %s", pid, name, stamp(rested.Sub(j.story.begin)))
	}
}

// startsInOrder holds the start of a process against what its instance needs. One
// that is not to run any more may be about to start when that is asked, if what it
// needs was there.
func (j *judge) startsInOrder(name string, pid int) {
	s := j.known[name]
	if !s.place.rests || s.place.wanted.IsZero() {
		return
	}
	for _, need := range j.needs[name] {
		if !j.known[need.Name].was(need.Is, s.place.wanted) {
			j.violatedLocked(InOrder, "process %d of %s starts, and %s has not been %s since %s", pid, name, need.Name, need.Is, stamp(s.place.wanted.Sub(j.story.begin)))
		}
	}
}

// was reports whether an instance was what another one needs since that was asked to
// run, which is then: not where it was not to run all the time, and not before a
// change that was asked for with that, or before.
func (s *known) was(what order.Is, then time.Time) bool {
	if s.applied < s.changed {
		return s.place.was(what, then, time.Time{})
	}
	if s.asked.state != s6.Running && !s.place.last.After(then) {
		return false
	}
	anew := s.place.anew
	if anew.After(then) {
		anew = time.Time{}
	}
	return s.place.was(what, then, anew)
}

// stopsInOrder holds the end of a process that nobody but its manager gave a reason
// to end against who needs its instance.
func (j *judge) stopsInOrder(name string, pid int) {
	s := j.known[name]
	if pid != s.place.steady || s.asked.state == s6.Running || s.place.turned.Before(j.began) || time.Since(s.place.turned) > stopWait {
		return
	}
	for _, user := range j.needs.users(name) {
		u := j.known[user]
		if u.asked.state == s6.Running || u.place.last.Before(j.began) || u.place.last.After(s.place.turned) {
			continue
		}
		for other, since := range u.place.begun {
			if since.Before(u.place.last) {
				j.violatedLocked(InOrder, "process %d of %s ended, and process %d of %s, which needs it and is to stop, runs", pid, name, other, user)
			}
		}
	}
}
