package fsm

import (
	"errors"
	"fmt"
	"io"
	"reflect"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	looplab "github.com/looplab/fsm"

	"github.com/evenkeel/evenkeel/fsm/internal/pace"
)

// InstanceConfig holds an instance's settings; the zero value works.
type InstanceConfig struct {
	// Backoff after failed passes.
	Backoff Backoff
	// History is how many transitions are kept; zero means 64.
	History int
	// Listener, where set, is told what happens to the instance, and to what its
	// driver owns, during the passes in which it happens.
	Listener Listener
	// Passes has the Listener told of each pass as well, and of each over what the
	// driver owns: Reconciled.
	Passes bool

	hold func(asked State) (Hold, bool) // of the manager's gate
}

// recheck is how soon an instance is looked at again after an action.
const recheck = DefaultTick

// Instance is one state machine with its driver. A Manager makes instances of
// its own; a driver that owns further instances makes those with NewInstance.
type Instance[D, O any] struct {
	kind   *Kind[D, O]
	name   string
	config InstanceConfig
	driver Driver[D, O]
	left   Desired[D] // what an earlier run has asked of it
	turn   uint32     // when it is looked at, among the others

	mu         sync.Mutex // guards the four below
	desired    Desired[D]
	since      time.Time // when it was asked for
	generation uint64
	retry      bool

	begun atomic.Uint64 // passes

	busy atomic.Bool // set during a pass, which owns all below
	// machine holds the current state and checks each transition.
	machine *looplab.FSM
	memory  pace.Memory

	snapshot atomic.Pointer[Snapshot[D, O]]
}

// NewInstance opens the named instance's driver. Its state is to_be_created
// whatever exists: passes find out and adopt. wake is handed to the driver; nil
// stands for a function that does nothing.
func NewInstance[D, O any](kind *Kind[D, O], name string, config InstanceConfig, wake func()) (*Instance[D, O], error) {
	if err := CheckName(name); err != nil {
		return nil, err
	}
	if err := kind.check(); err != nil {
		return nil, fmt.Errorf("cannot make instance %q: %w", name, err)
	}
	if config.History <= 0 {
		config.History = 64
	}
	if wake == nil {
		wake = func() {}
	}
	driver, err := openDriver(kind, name, wake)
	if err != nil {
		return nil, fmt.Errorf("cannot open %s %q: %w", kind.Name, name, err)
	}
	i := &Instance[D, O]{
		kind: kind, name: name, config: config, driver: driver, turn: pace.TurnOf(name),
		machine: kind.Table.machine(StateToBeCreated),
	}
	if t, ok := driver.(Teller); ok {
		t.TellTo(i.tellOwned)
	}
	if config.Passes {
		i.tellPasses()
	}
	i.snapshot.Store(&Snapshot[D, O]{
		Kind: kind.Name, Name: name,
		State: StateToBeCreated, Phase: PhaseToBeCreated, Since: time.Now(),
	})
	return i, nil
}

func openDriver[D, O any](kind *Kind[D, O], name string, wake func()) (driver Driver[D, O], err error) {
	defer recoverTo(&err)
	driver, err = kind.Open(name, wake)
	if err == nil && driver == nil {
		err = errors.New("it returned no driver")
	}
	return driver, err
}

// recoverTo makes a panic the error of the function that defers it.
func recoverTo(err *error) {
	switch v := recover().(type) {
	case nil:
	case *PanicError: // passed on with the stack it had
		*err = v
	default:
		*err = &PanicError{Value: v, Stack: debug.Stack()}
	}
}

// SetDesired says what the next pass is to work towards. It may be called at
// any time; an instance has one caller of it, so that it is clear who has the
// last word. Setting what is set already, by reflect.DeepEqual, changes
// nothing: what is put off or held stays so. A state that is not one of the
// table's targets is refused and changes nothing.
func (i *Instance[D, O]) SetDesired(d Desired[D]) error {
	if err := i.kind.Table.checkTarget(d.State); err != nil {
		return fmt.Errorf("cannot ask that of %s %q: %w", i.kind.Name, i.name, err)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.generation > 0 && reflect.DeepEqual(i.desired, d) {
		return nil
	}
	i.desired, i.since = d, time.Now()
	i.generation++
	return nil
}

// wanted returns what was last set, and how many times it had changed.
func (i *Instance[D, O]) wanted() (Desired[D], uint64) {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.desired, i.generation
}

// wantedSince returns what was last set, and when.
func (i *Instance[D, O]) wantedSince() (Desired[D], time.Time) {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.desired, i.since
}

// Retry makes the next pass that gets so far try what failed, however long that
// was put off.
func (i *Instance[D, O]) Retry() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.retry = true
}

// tell tells the listener, if there is one. The error is a *PanicError of one
// that panicked.
func (i *Instance[D, O]) tell(n Notice) (err error) {
	if i.config.Listener == nil {
		return nil
	}
	defer recoverTo(&err)
	i.config.Listener(n)
	return nil
}

// passTeller is a driver whose owned instances can tell of their passes.
type passTeller interface{ tellPasses() }

// tellPasses has the listener told of passes, before the first one.
func (i *Instance[D, O]) tellPasses() {
	i.config.Passes = true
	if t, ok := i.driver.(passTeller); ok {
		t.tellPasses()
	}
}

// tellOwned passes on a notice of an owned instance. A listener that panics
// fails the owned instance's pass.
func (i *Instance[D, O]) tellOwned(n Notice) {
	if i.config.Listener != nil {
		i.config.Listener(Owned{Subject: i.subject(n.About().At), Notice: n})
	}
}

// ofPass reports whether a notice is told to those only who ask for it.
func ofPass(n Notice) bool {
	if o, owned := n.(Owned); owned {
		return ofPass(o.Notice)
	}
	_, is := n.(Reconciled)
	return is
}

func (i *Instance[D, O]) subject(at time.Time) Subject {
	return Subject{At: at, Kind: i.kind.Name, Instance: i.name}
}

// Snapshot returns what the last pass found. It never blocks.
func (i *Instance[D, O]) Snapshot() *Snapshot[D, O] { return i.snapshot.Load() }

// Close closes the driver if it can be closed. No pass may be under way.
func (i *Instance[D, O]) Close() (err error) {
	defer recoverTo(&err)
	if c, ok := i.driver.(io.Closer); ok {
		return c.Close()
	}
	return nil
}

// asked returns what is desired now, how many times that had changed, and
// whether a retry was asked for since the last call.
func (i *Instance[D, O]) asked() (d Desired[D], generation uint64, retry bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	retry, i.retry = i.retry, false
	return i.desired, i.generation, retry
}
