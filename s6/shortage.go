package s6

import (
	"sync"
	"time"
)

// shortageLag is how long an answer holds: several processes may have ended for one
// shortage, and each is asked about.
const shortageLag = 10 * time.Second

// shortages counts who was ended for want of memory between two looks. The zero value
// has not looked yet.
type shortages struct {
	mu     sync.Mutex // guards all below
	looked time.Time
	count  uint64
	since  time.Time // from when on there were so many more than before
	before uint64
}

// look returns how many there were since a look that was not a moment ago, and when
// that was.
func (s *shortages) look(now time.Time, count uint64) (ended int, since time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.looked.IsZero() || count < s.count: // as after a move to another cgroup
		s.since, s.before = now, count
	case now.Sub(s.looked) >= shortageLag:
		s.since, s.before = s.looked, s.count
	}
	s.looked, s.count = now, count
	return int(count - s.before), s.since
}
