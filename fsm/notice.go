package fsm

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Subject is what a notice is about.
type Subject struct {
	At       time.Time `json:"at"`
	Kind     string    `json:"kind"`
	Instance string    `json:"instance"`
}

// About returns the subject itself.
func (s Subject) About() Subject { return s }

// Notice is something that happened to an instance: a [Transition],
// [PassFailed], [PassRecovered], [Refused], [RefusalEnded], [Warned], [Overran],
// [Closed], or [Owned], which carries a notice of an instance that another one owns;
// to some also [Reconciled].
type Notice interface {
	// About says which instance it happened to, and when.
	About() Subject
}

// PassFailed says that passes over an instance fail. It is told once, again when
// they fail with another error, and as long as they fail with the same one when
// that happens for the 10th, 100th, 1000th time and so on.
type PassFailed struct {
	Subject
	Err      error     `json:"-"`
	Failures int       `json:"failures"`         // in a row, of the same attempt
	Since    time.Time `json:"since,omitzero"`   // when the first of them was
	Held     bool      `json:"held,omitempty"`   // it is not tried again until something changes
	NextTry  time.Time `json:"nextTry,omitzero"` // when it is, otherwise
}

// Tenfold reports whether a count is 1, 10, 100 and so on. What lasts is told then:
// each time it says something new of the size of the trouble, and what is told of it
// grows with the number of digits alone.
func Tenfold(count int) bool {
	for count >= 10 && count%10 == 0 {
		count /= 10
	}
	return count == 1
}

// PassRecovered says that a pass over an instance succeeded after one or more
// had failed, the last with Err.
type PassRecovered struct {
	Subject
	Err      error     `json:"-"`
	Failures int       `json:"failures,omitempty"` // in a row, of the same attempt
	Since    time.Time `json:"since,omitzero"`     // when the first of them was
}

// Refused says that the declaration of an instance was refused. What was asked
// of it before goes on. It is told whenever a declaration is refused, also if one
// was before for the same reason.
type Refused struct {
	Subject
	Err error `json:"-"`
}

// Reconciled says that a pass over an instance has ended, and what came of it. It is
// told when the snapshot is there, after each pass, and so only to those who ask for
// it: to Config.OnPass, and to a Listener of an instance with InstanceConfig.Passes.
type Reconciled struct {
	Subject // At is the clock reading of the pass
	// Owner is the instance of the manager that owns this one, zero where this one is
	// the manager's own.
	Owner Subject
	Took  time.Duration
	// Decided says that the instance could be observed and was asked for something,
	// so that Decision is that of this pass, and that the pass was not given up before
	// it could be carried out, for its context had ended. PutOff says that it is not carried out
	// yet, for the same has failed; Did is how many of its actions succeeded, and
	// Fired whether its event was fired.
	Decided  bool
	Decision Decision
	PutOff   bool
	Did      int
	Fired    bool
	Err      error // why the pass failed
	// Before and After are the snapshots, each a *Snapshot[D, O].
	Before, After any
}

// InputOf returns what was decided on in a pass, if it is one over an instance of
// that kind, and something was decided.
func InputOf[D, O any](r Reconciled) (in Input[D, O], ok bool) {
	before, ok := r.Before.(*Snapshot[D, O])
	after, same := r.After.(*Snapshot[D, O])
	if !ok || !same || !r.Decided {
		return in, false
	}
	return Input[D, O]{
		Now: r.At, State: before.State, Since: before.Since,
		Desired: after.Desired, Waits: after.Waits, Observed: after.Observed,
	}, true
}

// RefusalEnded says that an instance is not refused any more: another declaration
// of it was taken, or it is not declared any more. Err is why it was refused last.
type RefusalEnded struct {
	Subject
	Err error `json:"-"`
}

// Warned says that the declaration of an instance was taken, and what about it
// is to be looked at. It is told whenever a declaration is taken of which its
// kind warns.
type Warned struct {
	Subject
	Err error `json:"-"`
}

// Overran says that a pass takes longer than Config.PassTimeout. Its instance
// waits until it ends; others go on.
type Overran struct {
	Subject
	After time.Duration `json:"after"`
}

// Closed says that a manager has let go of an instance: the instance was
// removed, or the manager was closed. Err is why its driver could not be
// closed, nil if it was.
type Closed struct {
	Subject
	Err error `json:"-"`
}

// Owned is a notice of an instance that the subject owns. A listener that
// switches on the type of a notice hears of owned instances only where it asks
// for them.
type Owned struct {
	Subject
	Notice Notice `json:"notice"`
}

// Listener is told what happens, in order for each instance, from several
// goroutines at once. Only Overran and Closed may come late: when the pass has
// ended after all, or when the next instance of that name has begun. A listener
// must not block and must not call into the manager or the instance. One that
// panics fails the pass that told it.
type Listener func(Notice)

// Teller is implemented by a driver that owns further instances, whose notices
// are heard by the listeners of the owner. [Child] implements it.
type Teller interface {
	// TellTo sets who is told of the owned instances' notices. It is called
	// once, before the first pass.
	TellTo(Listener)
}

// listeners are those of one manager or instance. The zero value has none.
type listeners struct {
	adding sync.Mutex // held while all is replaced
	all    atomic.Pointer[[]*Listener]
}

// add adds a listener, until remove is called.
func (ls *listeners) add(l Listener) (remove func()) {
	at := &l
	ls.change(func(all []*Listener) []*Listener { return append(all, at) })
	return func() {
		ls.change(func(all []*Listener) []*Listener {
			return slices.DeleteFunc(all, func(other *Listener) bool { return other == at })
		})
	}
}

func (ls *listeners) change(f func([]*Listener) []*Listener) {
	ls.adding.Lock()
	defer ls.adding.Unlock()
	var all []*Listener
	if old := ls.all.Load(); old != nil {
		all = slices.Clone(*old)
	}
	all = f(all)
	ls.all.Store(&all)
}

// tell tells all. The error is a *PanicError of one that panicked.
func (ls *listeners) tell(n Notice) (err error) {
	all := ls.all.Load()
	if all == nil {
		return nil
	}
	for _, l := range *all {
		if failed := tellOne(*l, n); failed != nil {
			err = failed
		}
	}
	return err
}

func tellOne(l Listener, n Notice) (err error) {
	defer recoverTo(&err)
	l(n)
	return nil
}
