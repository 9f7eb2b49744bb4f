package s6

import (
	"slices"
	"time"
)

// leaders are processes of a service, each the leader of its process group, that
// run or have left something running. The zero value has none.
type leaders []leader

type leader struct {
	pid  int
	seen time.Time // when it was last known to be alive; zero where it never was
}

// note records that a process is alive, or with a zero time that it was once,
// and reports whether it was not known.
func (l *leaders) note(pid int, seen time.Time) (fresh bool) {
	at := slices.IndexFunc(*l, func(other leader) bool { return other.pid == pid })
	switch {
	case pid == 0:
	case at < 0:
		*l = append(*l, leader{pid, seen})
		return true
	case seen.After((*l)[at].seen):
		(*l)[at].seen = seen
	}
	return false
}

// pids returns their ids, and others with them.
func (l leaders) pids(others ...int) []int {
	for _, leader := range l {
		others = append(others, leader.pid)
	}
	return others
}
