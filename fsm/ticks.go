package fsm

import (
	"sync"
	"time"
)

// ticks counts the ticks of one manager in a loop. Those through which the loop
// sleeps because nothing is due are as good as made.
type ticks struct {
	every time.Duration

	mu         sync.Mutex // guards all below
	next       time.Time  // the first that is not counted
	until      time.Time  // when the loop is to be at work; zero where only a wake-up ends its sleep
	ended      bool
	made, late uint64
}

func newTicks(every time.Duration, now time.Time) *ticks {
	return &ticks{every: every, next: now.Add(every), until: now}
}

// wake counts those until the loop gets to work, sleep those of its work, and both
// say until when it is to sleep then. end counts no more.
func (t *ticks) wake(now time.Time) { t.sleep(now, now) }

func (t *ticks) sleep(now, until time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.count(now)
	t.until = until
}

func (t *ticks) end(now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.count(now)
	t.ended = true
}

// sum returns how many there were until now, and how many were missed.
func (t *ticks) sum(now time.Time) (made, late uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.count(now)
	return t.made, t.late
}

// count counts those until now. Of those since the loop was to be at work, it makes
// one, which is the last, and misses the others.
func (t *ticks) count(now time.Time) {
	if t.ended {
		return
	}
	if t.until.IsZero() || t.until.After(now) {
		t.made += t.pass(now)
		return
	}
	t.made += t.pass(t.until)
	if held := t.pass(now); held > 0 {
		t.made++
		t.late += held - 1
	}
}

// pass goes on to the first tick after a time, and returns by how many.
func (t *ticks) pass(to time.Time) (passed uint64) {
	if behind := to.Sub(t.next); behind >= 0 {
		n := behind/t.every + 1
		t.next = t.next.Add(n * t.every)
		passed = uint64(n)
	}
	return passed
}
