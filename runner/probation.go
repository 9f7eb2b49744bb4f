package runner

import (
	"context"
	"errors"
	"maps"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"github.com/evenkeel/evenkeel/config"
	"github.com/evenkeel/evenkeel/fsm"
)

// reviewAgain is when what could not be written down or taken back is tried again.
const reviewAgain = time.Second

// probation sees to it that a change that does not run is taken back.
type probation struct {
	store Store
	look  func(key config.Key, late bool) outcome
	kick  chan struct{} // has room for one: there is something to review
	open  atomic.Bool   // there is something of which it is not known whether it runs

	mu      sync.Mutex // guards all below
	asking  bool       // managers are being asked for what is tried, or have to be again
	trials  trials
	dirty   bool // they are not written down as they are
	inForce map[config.Key]config.Entry
	ran     map[config.Key]bool      // with what is in force
	due     map[config.Key]time.Time // when what is tried has to run
	pending map[config.Key]bool      // of which it is not known whether it runs
}

func newProbation(store Store, look func(config.Key, bool) outcome) *probation {
	return &probation{
		store: store, look: look, kick: make(chan struct{}, 1), trials: make(trials),
		inForce: make(map[config.Key]config.Entry), ran: make(map[config.Key]bool), due: make(map[config.Key]time.Time),
		pending: make(map[config.Key]bool),
	}
}

// recall takes what was in force before, and what was tried then. It is taken to
// have run, but for what may have come to its end.
func (p *probation) recall(last *config.Declaration, known trials) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.trials = known
	p.inForce = maps.Clone(known.taken(Wanted{Declaration: last}).Entries)
	for key, e := range p.inForce {
		p.ran[key] = !ends(e)
	}
}

// take judges what is wanted, writes down what is tried, and returns what is to be
// applied for it, with the trials that there were before. What is tried is not
// applied before it is written down; that something is not tried any more can wait.
func (p *probation) take(w Wanted) (Wanted, trials, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	before := p.trials
	next, err := before.judge(w, p.inForce, func(key config.Key) bool {
		is := p.look(key, false)
		return p.ran[key] && !is.done && !is.fails
	})
	if err != nil {
		return w, before, err
	}
	var unsaved error
	if p.dirty || !same(next, before) {
		unsaved = p.store.saveChanges(next)
	}
	for key, trial := range next {
		if before[key].Change != trial.Change {
			if unsaved != nil {
				return w, before, unsaved
			}
			delete(p.due, key)
		}
	}
	maps.DeleteFunc(p.due, func(key config.Key, _ time.Time) bool { return next[key].Change == "" || !w.Entries[key].Runs() })
	p.trials, p.dirty, p.asking = next, unsaved != nil, true
	return next.taken(w), before, nil
}

// same reports whether trials are of the same changes, and have come as far.
func same(a, b trials) bool {
	return maps.EqualFunc(a, b, func(a, b trial) bool { return a.Change == b.Change && a.Rejected == b.Rejected })
}

// applied notes what is in force now that managers have been asked for it. An
// instance that was refused has what it had.
func (p *probation) applied(w Wanted, before trials, refused map[config.Key]error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := make(map[config.Key]config.Entry)
	for key, e := range w.Entries {
		now[key] = e
		if refused[key] != nil {
			if had, known := p.inForce[key]; known {
				now[key] = had
			} else {
				delete(now, key) // what it has is not known
			}
			if trial, was := before[key]; was {
				p.trials[key] = trial
			} else {
				delete(p.trials, key)
			}
			p.dirty = true
		}
	}
	for key, e := range p.inForce {
		if _, listed := now[key]; !listed && w.stays(key) {
			now[key] = e
		}
		if is := now[key]; is.State != e.State || !reflect.DeepEqual(is.Service, e.Service) || !reflect.DeepEqual(is.Stream, e.Stream) {
			delete(p.ran, key)
		}
	}
	p.inForce, p.asking = now, false
	clear(p.pending)
	for key, e := range now {
		if e.Runs() && (!p.ran[key] || p.triedLocked(key)) {
			p.pending[key] = true
		}
	}
	p.open.Store(len(p.pending) > 0)
	p.wake()
}

// all returns the trials that there are.
func (p *probation) all() trials {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.trials)
}

// tried reports whether a change of an instance is tried.
func (p *probation) tried(key config.Key) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.triedLocked(key)
}

func (p *probation) triedLocked(key config.Key) bool {
	trial, is := p.trials[key]
	return is && trial.Rejected == (fsm.Reason{})
}

// passed is called after each pass over an instance.
func (p *probation) passed() {
	if p.open.Load() {
		p.wake()
	}
}

func (p *probation) wake() {
	select {
	case p.kick <- struct{}{}:
	default:
	}
}

// review looks at what is tried, and writes down what has become of it. It returns
// when to review again, zero for when something happens, and why each is to be taken
// back that is.
func (p *probation) review(now time.Time) (again time.Duration, back map[config.Key]fsm.Reason) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.asking {
		return 0, nil // what runs is what ran before
	}
	soon := func(d time.Duration) {
		if again == 0 || d < again {
			again = max(d, time.Millisecond)
		}
	}
	next, done := maps.Clone(p.trials), []config.Key(nil)
	back = make(map[config.Key]fsm.Reason)
	for key := range p.pending {
		tried := p.triedLocked(key)
		due, begun := p.due[key]
		switch o := p.look(key, tried && begun && !now.Before(due)); {
		case o.runs:
			p.ran[key], done = true, append(done, key)
			if tried {
				delete(next, key)
			}
		case !tried:
		case o.waits:
			delete(p.due, key)
		case o.why != (fsm.Reason{}):
			trial := next[key]
			trial.Rejected = o.why
			next[key] = trial
			back[key] = o.why
		case !begun:
			due = now.Add(startTime(p.inForce[key]))
			p.due[key] = due
			soon(due.Sub(now))
		default:
			soon(due.Sub(now))
		}
	}
	if p.dirty = p.dirty || !same(next, p.trials); p.dirty {
		if p.store.saveChanges(next) != nil {
			return reviewAgain, nil // nothing is taken back that would be tried again
		}
	}
	for _, key := range done {
		delete(p.pending, key)
	}
	p.trials, p.dirty = next, false
	p.open.Store(len(p.pending) > 0)
	return again, back
}

// follow reviews what is tried until ctx ends, tells what is taken back, and has
// that done by apply.
func (p *probation) follow(ctx context.Context, tell func(config.Key, fsm.Reason), apply func(context.Context) error) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for takeBack := false; ; {
		select {
		case <-ctx.Done():
			return
		case <-p.kick:
		case <-timer.C:
		}
		again, back := p.review(time.Now())
		for key, why := range back {
			tell(key, why)
		}
		if takeBack = takeBack || len(back) > 0; takeBack {
			if takeBack = errors.Join(ctx.Err(), apply(ctx)) != nil; takeBack {
				again = reviewAgain
			}
		}
		timer.Stop()
		if again > 0 {
			timer.Reset(again)
		}
	}
}
