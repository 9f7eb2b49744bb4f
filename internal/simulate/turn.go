package simulate

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/evenkeel/evenkeel/filesystem/filesystemtest"
	"github.com/evenkeel/evenkeel/s6"
)

// The slots of a microsecond, in nanoseconds. The tree has the first, and each
// actor one of its own. Wake-ups go from one slot to the next among theirs.
const (
	slotUser      = 1
	slotDrivers   = 10  // and the ones after it
	slotOrder     = 50  // and the ones after it
	slotChecks    = 100 // and as many after it
	slotWakes     = 300 // wake-ups by drivers
	slotOrders    = 900 // wake-ups by an order
	slotAdversary = 999
)

// slotOf returns the slot of the driver of an instance.
func slotOf(name string) int { return slotDrivers + slices.Index(names(), name) }

// until returns how long it is to a slot, at least so many full microseconds
// from now.
func until(now time.Time, slot, microseconds int) time.Duration {
	past := time.Duration(now.Nanosecond() % 1000) // of the microsecond
	return time.Duration(microseconds)*time.Microsecond + time.Duration(slot) - past
}

// life is that of a program. Its actors share it.
type life struct {
	seed   uint64
	number int // of the program
	layout s6.Layout
	story  *story
	judge  *judge
	faults *faults
	owners s6.Owners

	dead chan struct{} // closed when it is killed
	kill sync.Once
	left atomic.Int64 // operations until it is killed; negative for no end

	mu      sync.Mutex // guards the one below
	watches []s6.Watch
}

// isDead reports whether the program was killed.
func (l *life) isDead() bool {
	select {
	case <-l.dead:
		return true
	default:
		return false
	}
}

// die kills the program: whatever it does from now on fails and reaches nobody.
func (l *life) die() {
	l.kill.Do(func() {
		l.story.tell("program", "%d is dead", l.number)
		close(l.dead)
	})
}

// dies counts an operation, and reports whether the program dies in it.
func (l *life) dies() bool {
	if l.left.Load() < 0 || l.left.Add(-1) >= 0 {
		return false
	}
	l.die()
	return true
}

// watched books a watch, which ends with the program.
func (l *life) watched(w s6.Watch) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.watches = append(l.watches, w)
}

// bury ends what a dead program watches.
func (l *life) bury() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var errs []error
	for _, w := range l.watches {
		errs = append(errs, w.Close())
	}
	return errors.Join(errs...)
}

// actor is somebody in a program who acts on the tree: the driver of an
// instance, or the user. It does one thing at a time.
type actor struct {
	*life
	name  string
	slot  int
	turns uint64
	wakes atomic.Uint64
}

func (l *life) actor(name string, slot int) *actor { return &actor{life: l, name: name, slot: slot} }

// Inject implements filesystemtest.Injector: it waits for the actor's turn to do
// something, and returns what becomes of it.
func (a *actor) Inject(op filesystemtest.Op) filesystemtest.Fault {
	if a.isDead() {
		return gone()
	}
	a.turns++
	lot := mix(a.seed, uint64(a.number), uint64(a.slot), a.turns)
	s := a.faults.on(op, lot)
	if hang := time.Until(s.hangs); !s.hangs.IsZero() && hang > 0 {
		a.story.tell(a.name, "%s %s hangs", op.Kind, op.Path)
		select {
		case <-s.let:
		case <-a.dead:
			return gone()
		case <-time.After(hang):
		}
	}
	time.Sleep(until(time.Now(), a.slot, 1+int(lot>>8%uint64(s.most))))
	if a.isDead() {
		return gone()
	}
	a.story.count(a.name, op)
	if a.dies() {
		return filesystemtest.Fault{Err: filesystemtest.ErrCrashed, Torn: true, Keep: op.Size / 2, Done: lot%3 == 0}
	}
	if s.fault.Err == nil || s.fault.Done {
		a.deletes(op)
	}
	return s.fault
}

// gone is what becomes of what a dead program does.
func gone() filesystemtest.Fault { return filesystemtest.Fault{Err: filesystemtest.ErrCrashed} }

// String implements filesystemtest.Injector.
func (a *actor) String() string { return "the adversary" }

// deletes tells the judge of what is deleted.
func (a *actor) deletes(op filesystemtest.Op) {
	if op.Kind&(filesystemtest.Rename|filesystemtest.RemoveAll|filesystemtest.Remove) == 0 {
		return
	}
	for _, name := range names() {
		if op.Path == a.layout.Service(name) || op.Path == a.layout.Link(name) {
			a.judge.deletes(name, op.Kind.String()+" "+op.Path)
		}
	}
}

// wake has an instance woken a little later, in a moment of its own: what wakes
// it does so in the moment of somebody else.
func (a *actor) wake(fn func()) {
	n, from, to := a.wakes.Add(1), slotWakes, slotOrders
	if a.slot >= slotOrder && a.slot < slotChecks {
		from, to = slotOrders, slotAdversary
	}
	lot := mix(a.seed, uint64(a.number), uint64(a.slot), n, 1)
	time.AfterFunc(until(time.Now(), from+int(n%uint64(to-from)), 1+int(lot%20)), func() {
		if !a.isDead() {
			fn()
		}
	})
}
