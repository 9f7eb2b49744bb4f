package fsm

import "time"

// entry is an instance as its manager schedules it. Manager.mu guards all but
// name and instance.
type entry[D, O any] struct {
	name     string
	instance *Instance[D, O]

	due     time.Time
	index   int // in the queue; -1 while not in it
	flying  bool
	woken   bool // while flying, or while there are seizers
	seizers int  // who wait for its pass to end, and come before the next pass
	started time.Time
	overrun bool // took longer than the time-out and lost its place
}

// queue is a heap of entries by due time.
type queue[D, O any] []*entry[D, O]

func (q queue[D, O]) Len() int           { return len(q) }
func (q queue[D, O]) Less(a, b int) bool { return q[a].due.Before(q[b].due) }
func (q queue[D, O]) Swap(a, b int) {
	q[a], q[b] = q[b], q[a]
	q[a].index, q[b].index = a, b
}

func (q *queue[D, O]) Push(x any) {
	e := x.(*entry[D, O])
	e.index = len(*q)
	*q = append(*q, e)
}

func (q *queue[D, O]) Pop() any {
	last := len(*q) - 1
	e := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	e.index = -1
	return e
}

// by appends the entries at and below a place in the heap that are due, without
// looking at what lies below one that is not.
func (q queue[D, O]) by(now time.Time, at int, due []*entry[D, O]) []*entry[D, O] {
	if at >= len(q) || q[at].due.After(now) {
		return due
	}
	due = append(due, q[at])
	return q.by(now, 2*at+2, q.by(now, 2*at+1, due))
}
