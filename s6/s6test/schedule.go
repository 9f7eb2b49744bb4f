package s6test

import (
	"container/heap"
	"time"
)

// event is something that is to happen in the tree. Events happen in the order
// of their times, and those of one time in the order in which they were
// planned, so that the same test sees the same tree.
type event struct {
	at      time.Time
	number  int
	fn      func()
	stopped bool
}

// Stop cancels the event.
func (e *event) Stop() { e.stopped = true }

// schedule is a heap of events.
type schedule []*event

func (s schedule) Len() int { return len(s) }
func (s schedule) Less(a, b int) bool {
	if s[a].at.Equal(s[b].at) {
		return s[a].number < s[b].number
	}
	return s[a].at.Before(s[b].at)
}
func (s schedule) Swap(a, b int) { s[a], s[b] = s[b], s[a] }
func (s *schedule) Push(e any)   { *s = append(*s, e.(*event)) }
func (s *schedule) Pop() any {
	last := len(*s) - 1
	e := (*s)[last]
	(*s)[last] = nil
	*s = (*s)[:last]
	return e
}

// after calls fn under the lock after d, unless the tree is closed by then. It
// is called at the next full microsecond: who acts on the tree only between two
// of them never acts at the moment of an event.
func (t *Tree) after(d time.Duration, fn func()) *event {
	t.planned++
	e := &event{at: moment(d), number: t.planned, fn: fn}
	heap.Push(&t.schedule, e)
	if t.schedule[0] == e {
		t.timer.Reset(time.Until(e.at))
	}
	return e
}

// moment returns the first moment of the tree after d: a full microsecond.
func moment(d time.Duration) time.Time {
	at := time.Now().Add(d)
	if past := at.Sub(at.Truncate(time.Microsecond)); past > 0 {
		at = at.Add(time.Microsecond - past)
	}
	return at
}

// happen lets what is due happen.
func (t *Tree) happen() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.closed {
		t.tellHeard()
	}
	for !t.closed && len(t.schedule) > 0 {
		next := t.schedule[0]
		if wait := time.Until(next.at); wait > 0 && !next.stopped {
			t.timer.Reset(wait)
			return
		}
		heap.Pop(&t.schedule)
		if !next.stopped {
			next.fn()
		}
	}
}
