package simulate

import (
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/s6/s6test"
)

// happens is told of each process.
func (j *judge) happens(h s6test.Happening) {
	name, log := strings.CutSuffix(h.Service, "/log")
	j.born(h)
	if log || h.Finish {
		return
	}
	if h.Child {
		j.story.tell(name, "child %d %s", h.PID, map[s6test.Change]string{s6test.Started: "starts", s6test.Begun: "begins", s6test.Ended: "ends"}[h.Change])
		return
	}
	switch h.Change {
	case s6test.Started:
		j.story.tell(name, "process %d starts", h.PID)
	case s6test.Ended:
		j.story.tell(name, "process %d ends: %s", h.PID, h.Wait)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	s := j.known[name]
	switch h.Change {
	case s6test.Started:
		s.lost.record = false // this one writes its own
		j.startsPaced(name)
		j.startsStopped(name, h.PID)
		j.startsInOrder(name, h.PID)
		s.place.begins(h.PID)
	case s6test.Begun:
		if s.over {
			j.violatedLocked(EndsOnce, "process %d of %s has begun", h.PID, name)
		}
		s.started[h.PID], s.never = s.behaves.RunFor > 0, s.behaves.ReadyAfter == s6test.Never
		s.children = len(s.behaves.Children)
	case s6test.Ended:
		delete(s.started, h.PID)
		s.place.ends(h.PID)
		j.stopsInOrder(name, h.PID)
		s.gone = time.Now()
		if s.stalled.pid == h.PID {
			s.stalled = stall{} // its id may come again
		}
		if s.promised == h.PID {
			j.violatedLocked(PIDKept, "process %d of %s ended (%s)", h.PID, name, h.Wait)
		}
	}
}

// s6-supervise starts a process a second, and what it is told by the program is
// beyond that: a first crash in half a minute, and what the program itself restarts.
const (
	paceWindow = 10 * time.Second
	paceMost   = 20
)

// startsPaced holds how often processes start against that.
func (j *judge) startsPaced(name string) {
	s, now := j.known[name], time.Now()
	s.starts = append(s.starts, now)
	if len(s.starts) <= paceMost {
		return
	}
	if s.starts = s.starts[1:]; now.Sub(s.starts[0]) < paceWindow {
		j.violatedLocked(Paced, "%s has been started %d times in %v", name, paceMost, now.Sub(s.starts[0]))
	}
}

// born notes that an id is that of another process now, and what becomes of it.
func (j *judge) born(h s6test.Happening) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.records.happens(h)
	if h.Change == s6test.Started {
		j.reborn[h.PID] = true
	}
}

// deletes is told before a service's directory is renamed or removed.
func (j *judge) deletes(name, what string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if s := j.known[name]; s != nil && s.kept {
		j.violatedLocked(NotDeleted, "%s is asked to be %s: %s", name, s.asked, what)
	}
}
