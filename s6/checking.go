package s6

import (
	"context"
	"errors"
	"hash/fnv"
	"sync"
	"time"
)

// checking makes the checks of one process, beside the passes over its service,
// so that a check that hangs keeps no pass. What it has found out is of that
// process alone: another process has another checking.
type checking struct {
	tree    Tree
	service string
	spec    *Spec
	of      string    // the process, as identity says
	grace   time.Time // until when failures do not count, while it has not passed one
	wake    func()
	cancel  context.CancelFunc

	mu     sync.Mutex // guards the three below
	timer  *time.Timer
	seen   Checked
	passed time.Time // when it passed one last
}

// begin checks a process until that is ended. The first check is made at once.
func (c *checking) begin() {
	ctx, cancel := context.WithCancel(context.Background())
	c.cancel = cancel
	c.mu.Lock()
	defer c.mu.Unlock()
	c.timer = time.AfterFunc(0, func() { c.make(ctx) })
}

// end ends the checks, and does not wait for the one under way.
func (c *checking) end() {
	if c == nil {
		return
	}
	c.cancel()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.timer.Stop()
}

// found returns what was found out, and when a check was passed last.
func (c *checking) found() (Checked, time.Time) {
	if c == nil {
		return Checked{}, time.Time{}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.seen, c.passed
}

// make makes a check, and sees to the next one.
func (c *checking) make(ctx context.Context) {
	if ctx.Err() != nil {
		return
	}
	began := time.Now()
	bounded, cancel := context.WithTimeout(ctx, c.spec.Check.timeout())
	err := c.tree.Check(bounded, c.service, c.spec)
	cancel()
	if c.note(ctx, began, time.Now(), err) {
		c.wake()
	}
}

// note notes how a check went, and has the next one made. It reports whether a
// pass is to look: a process that passes one check after the other wakes nobody.
func (c *checking) note(ctx context.Context, began, ended time.Time, err error) (wake bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if ctx.Err() != nil {
		return false // it was ended, which says nothing of the process
	}
	next, wake := c.judge(began, ended, err)
	c.timer = time.AfterFunc(max(0, next-ended.Sub(began)), func() { c.make(ctx) })
	return wake
}

// judge returns how long after its beginning the next check begins.
func (c *checking) judge(began, ended time.Time, err error) (next time.Duration, wake bool) {
	s, every := &c.seen, c.spec.Check.every()
	before := *s
	s.At, s.Problem, s.Unmade = ended, "", false
	if err == nil {
		s.Passed, s.Failures, s.Since, c.passed = true, 0, time.Time{}, ended
		if before.Passed {
			return every, before.Problem != ""
		}
		return c.offset(every), true
	}
	s.Problem, s.Unmade = c.spec.Check.problem(err), errors.Is(err, ErrNoCheck)
	if s.Unmade != before.Unmade {
		s.Failures = 0
	}
	if !s.Passed && ended.Before(c.grace) {
		return min(every, firstCheckEvery), true
	}
	if s.Failures == 0 {
		s.Since = began
	}
	s.Failures++
	return every, true
}

// offset is how long after the first check that was passed the next one begins:
// services that were adopted at one moment are not all checked at one moment for
// ever.
func (c *checking) offset(every time.Duration) time.Duration {
	h := fnv.New32a()
	_, _ = h.Write([]byte(c.service)) // it never fails
	return every/2 + every*time.Duration(h.Sum32()%1000)/2000
}
