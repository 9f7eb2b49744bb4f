package fsmtest

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/evenkeel/evenkeel/fsm"
)

// Story steps one instance through a script and writes down what it does. It
// is made and used in one goroutine of a testing/synctest bubble, whose clock
// it moves on. A line is
//
//	1.200s  stopped -> starting (start) do [light]: it is dark; failed, ...
//
// with the time since the story began, the state or the transition, the actions
// that were tried, the reason, and the error if the pass failed.
type Story[D, O any] struct {
	t        testing.TB
	driver   *recorder[D, O]
	instance *fsm.Instance[D, O]
	start    time.Time
	next     time.Time
	wake     chan struct{}
	log      log
	open     func() *fsm.Instance[D, O]
}

// NewStory opens the named instance of the kind. If its driver has a method
// Advance(time.Duration), as a World has, that is called for the time that
// passes. The driver is closed when the test ends.
func NewStory[D, O any](t testing.TB, kind fsm.Kind[D, O], name string) *Story[D, O] {
	t.Helper()
	s := &Story[D, O]{t: t, start: time.Now(), wake: make(chan struct{}, 1)}
	open := kind.Open
	kind.Open = func(name string, wake func()) (fsm.Driver[D, O], error) {
		driver, err := open(name, wake)
		s.driver = &recorder[D, O]{Driver: driver}
		return s.driver, err
	}
	s.open = func() *fsm.Instance[D, O] {
		instance, err := fsm.NewInstance(&kind, name, fsm.InstanceConfig{Backoff: fsm.Backoff{Jitter: -1}}, func() {
			select {
			case s.wake <- struct{}{}:
			default:
			}
		})
		if err != nil {
			t.Fatalf("cannot tell the story of %q: %v", name, err)
		}
		return instance
	}
	s.instance, s.next = s.open(), s.start
	t.Cleanup(func() { assert.NoError(t, s.instance.Close()) })
	return s
}

// Reopen lets go of the instance, as a program that is killed does, and opens it
// anew, as the next program does, which asks for the same.
func (s *Story[D, O]) Reopen() {
	s.t.Helper()
	s.log.note("another program opens it")
	desired := s.instance.Snapshot().Desired
	assert.NoError(s.t, s.instance.Close())
	s.instance = s.open()
	assert.NoError(s.t, s.instance.SetDesired(desired))
	s.next = time.Now()
}

// Restart restarts what runs, as Instance.Restart does, by the driver's Restarter.
func (s *Story[D, O]) Restart() {
	s.t.Helper()
	s.log.note("a restart is asked for")
	restarter, ok := s.driver.Driver.(fsm.Restarter[D])
	if !ok {
		s.t.Fatal("the driver is no Restarter")
	}
	s.instance.Retry()
	assert.NoError(s.t, restarter.Restart(context.Background(), s.instance.Snapshot().Desired))
	s.next = time.Now()
}

// Ask sets what is desired. The next Watch works towards it at once.
func (s *Story[D, O]) Ask(desired fsm.Desired[D]) {
	s.t.Helper()
	s.log.note("asked for %s", desired.State)
	assert.NoError(s.t, s.instance.SetDesired(desired))
	s.next = time.Now()
}

// Retry makes the next Watch try at once what failed or is held.
func (s *Story[D, O]) Retry() {
	s.log.note("asked to try again")
	s.instance.Retry()
	s.next = time.Now()
}

// Note writes a line of its own: what the script does to the world.
func (s *Story[D, O]) Note(format string, args ...any) { s.log.note(format, args...) }

// Snapshot returns the instance's snapshot.
func (s *Story[D, O]) Snapshot() *fsm.Snapshot[D, O] { return s.instance.Snapshot() }

// Watch lets time pass and makes each pass when it is due, including one that
// is due at the very end.
func (s *Story[D, O]) Watch(d time.Duration) {
	s.t.Helper()
	const tooMany = 1000
	end := time.Now().Add(d)
	for still := 0; ; {
		synctest.Wait()
		now := time.Now()
		select {
		case <-s.wake:
			s.next = now
		default:
		}
		if !s.next.After(now) {
			if still++; still > tooMany {
				s.t.Fatalf("the instance goes round in circles without letting time pass:\n%s", s)
			}
			s.pass()
			continue
		}
		if !now.Before(end) {
			return
		}
		still = 0
		s.idle(min(s.next.Sub(now), end.Sub(now)))
	}
}

// idle lets time pass until the instance is woken, no longer than d.
func (s *Story[D, O]) idle(d time.Duration) {
	before := time.Now()
	select {
	case <-s.wake:
		s.next = time.Now()
	case <-time.After(d):
	}
	if world, ok := s.driver.Driver.(interface{ Advance(time.Duration) }); ok {
		world.Advance(time.Since(before))
	}
}

func (s *Story[D, O]) pass() {
	e := entry{at: time.Since(s.start), from: s.instance.Snapshot().State}
	s.driver.tried = nil
	res := s.instance.Reconcile(context.Background())
	s.next = res.Next
	after := s.instance.Snapshot()
	e.to, e.tried, e.reason, e.err, e.held = after.State, s.driver.tried, after.Reason, after.Err, after.Held
	if res.Fired {
		e.event = after.History[len(after.History)-1].Event
	}
	s.log.pass(e)
}

// String returns the story so far, each line ended.
func (s *Story[D, O]) String() string { return s.log.String() }

// Golden compares the story with the file at path, or writes it there where
// update is set. A test has a flag of its own for that:
//
//	var update = flag.Bool("update", false, "write the golden files")
func (s *Story[D, O]) Golden(path string, update bool) {
	s.t.Helper()
	if update {
		assert.NoError(s.t, os.MkdirAll(filepath.Dir(path), 0o755))
		assert.NoError(s.t, os.WriteFile(path, []byte(s.String()), 0o644))
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		s.t.Errorf("cannot read the story to compare with, run the test with its -update flag to write it: %v", err)
		return
	}
	assert.Equal(s.t, string(want), s.String(), "the story differs from %s", path)
}

// recorder is a driver that remembers which actions were tried.
type recorder[D, O any] struct {
	fsm.Driver[D, O]
	tried []fsm.Action
}

func (r *recorder[D, O]) Do(ctx context.Context, action fsm.Action, desired fsm.Desired[D]) error {
	r.tried = append(r.tried, action)
	return r.Driver.Do(ctx, action, desired)
}

// ReconcileOwned reconciles what the driver owns, if it owns anything.
func (r *recorder[D, O]) ReconcileOwned(ctx context.Context) {
	if owner, ok := r.Driver.(fsm.Owner); ok {
		owner.ReconcileOwned(ctx)
	}
}

// OwnedDue returns when what the driver owns is due.
func (r *recorder[D, O]) OwnedDue() time.Time {
	if owner, ok := r.Driver.(fsm.Owner); ok {
		return owner.OwnedDue()
	}
	return time.Time{}
}

// Retry has what the driver owns try what failed.
func (r *recorder[D, O]) Retry() {
	if retrier, ok := r.Driver.(fsm.Retrier); ok {
		retrier.Retry()
	}
}

// Held returns why something that the driver owns is held.
func (r *recorder[D, O]) Held() error {
	if retrier, ok := r.Driver.(fsm.Retrier); ok {
		return retrier.Held()
	}
	return nil
}

// Close closes the driver if it can be closed.
func (r *recorder[D, O]) Close() error {
	if c, ok := r.Driver.(io.Closer); ok {
		return c.Close()
	}
	return nil
}
