package cli

import (
	"time"

	"github.com/evenkeel/evenkeel/fsm"
)

// quietTime is for how long a failure has to be away to be over.
const quietTime = time.Minute

// repeats is a failure that repeats, without end perhaps: it is told when it
// begins, when it is another one, and when it has happened 10, 100, 1000 times and
// so on, as fsm.PassFailed is. The zero value is none.
type repeats struct {
	err         error // the last
	times       int
	since, last time.Time
}

// again adds one, and reports whether it is to be told.
func (r *repeats) again(err error, now time.Time) bool {
	another := r.err == nil || r.err.Error() != err.Error()
	if r.err == nil || now.Sub(r.last) > quietTime {
		r.times, r.since, another = 0, now, true
	}
	r.err, r.last = err, now
	r.times++
	return another || fsm.Tenfold(r.times)
}

// over ends it, and reports whether there was one.
func (r *repeats) over() (ended repeats, was bool) {
	ended, *r = *r, repeats{}
	return ended, ended.err != nil
}

// args are what a record says of it.
func (r *repeats) args() []any { return []any{"error", r.err, "times", r.times, "since", r.since} }
