package s6

import (
	"maps"
	"slices"
	"time"
)

// escalation is what is due for a process that is to end.
type escalation int

const (
	endAsk    escalation = iota // it is to be told: nobody has yet
	endWait                     // it was told and has some time left
	endInsist                   // it has not ended in time
)

// endings are processes that were told to end, including supervisors, by their
// ids, each with the time when it was told. The zero value has none.
type endings map[int]time.Time

// due returns what is due for a process that has this much time to end. A
// process that was not told is to be told first, whatever became of another.
func (e endings) due(now time.Time, pid int, patience time.Duration) escalation {
	told, ok := e[pid]
	switch {
	case !ok:
		return endAsk
	case now.Sub(told) < patience:
		return endWait
	}
	return endInsist
}

// has reports whether a process was told.
func (e endings) has(pid int) bool {
	_, ok := e[pid]
	return ok
}

// note records that a process is being told. Its time begins at the moment of
// the call, not at the clock reading of the pass: a slow pass must not shorten
// it.
func (e *endings) note(pid int) {
	if *e == nil {
		*e = make(endings)
	}
	(*e)[pid] = time.Now()
}

// keep forgets all processes but these: an id may belong to another process one
// day.
func (e endings) keep(there ...int) {
	if len(e) > 0 {
		maps.DeleteFunc(e, func(pid int, _ time.Time) bool { return !slices.Contains(there, pid) })
	}
}
