package fsm

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Config holds a manager's settings; the zero value works.
type Config struct {
	// Parallel is how many passes run at once; zero means twice the number
	// of processors, at least eight.
	Parallel int
	// PassTimeout ends the context of a pass that takes longer; zero means
	// ten seconds. A pass that goes on regardless keeps its instance, but
	// not its place among the parallel ones.
	PassTimeout time.Duration
	// Backoff after failed passes.
	Backoff Backoff
	// History is how many transitions an instance keeps; zero means 64.
	History int
	// Listeners are told what happens; Manager.Listen adds more later.
	Listeners []Listener
	// Logger gets a record for each transition, failure and refusal, as a
	// listener made by LogTo; nil for none.
	Logger *slog.Logger
	// Gate, where set, has instances wait for one another.
	Gate Gate
	// OnTransition, where set, is a listener for the transitions of the
	// manager's own instances alone.
	OnTransition func(Transition)
	// OnPass, where set, is told of each pass over the manager's instances, and over
	// what those own, when it has ended. It must not block. A panic of it is the
	// error of the instance.
	OnPass func(Reconciled)
}

func (c Config) defaults() Config {
	if c.Parallel <= 0 {
		c.Parallel = max(8, 2*runtime.GOMAXPROCS(0))
	}
	if c.PassTimeout <= 0 {
		c.PassTimeout = 10 * time.Second
	}
	return c
}

// listen adds the listeners of the configuration to those of a manager.
func (c Config) listen(ls *listeners) {
	if c.Logger != nil {
		ls.add(LogTo(c.Logger))
	}
	if c.OnTransition != nil {
		ls.add(func(n Notice) {
			if t, ok := n.(Transition); ok {
				c.OnTransition(t)
			}
		})
	}
	for _, l := range c.Listeners {
		ls.add(l)
	}
}

// Manager holds the instances of one kind. All its methods may be called from
// any goroutine.
type Manager[D, O any] struct {
	kind      Kind[D, O]
	config    Config
	listeners listeners

	applying sync.Mutex // held by Apply, Set and Prepare, so that desired has one writer

	mu       sync.Mutex      // guards the eight below
	prepared map[string]bool // and not applied yet
	entries  map[string]*entry[D, O]
	due      queue[D, O]
	inFlight map[*entry[D, O]]struct{}
	active   int // passes that hold a place among Config.Parallel
	closed   bool
	looping  bool          // a loop runs it
	changed  chan struct{} // closed and replaced when a pass or a loop has ended

	closing chan struct{} // closed by Close
	release func()        // what the kind has claimed

	listed  atomic.Pointer[[]*entry[D, O]] // all entries, by name
	refused atomic.Pointer[map[string]error]
	kick    chan struct{} // has room for one: something is due
}

// NewManager returns a manager without instances. What its kind claims is its
// own until it is closed.
func NewManager[D, O any](kind Kind[D, O], config Config) (*Manager[D, O], error) {
	if err := kind.check(); err != nil {
		return nil, fmt.Errorf("cannot make a manager: %w", err)
	}
	release := func() {}
	if kind.Claim != nil {
		var err error
		if release, err = kind.Claim(); err != nil {
			return nil, fmt.Errorf("cannot make a manager of %s: %w", kind.Name, err)
		}
	}
	m := &Manager[D, O]{
		release:  sync.OnceFunc(release),
		kind:     kind,
		config:   config.defaults(),
		entries:  make(map[string]*entry[D, O]),
		inFlight: make(map[*entry[D, O]]struct{}),
		changed:  make(chan struct{}),
		closing:  make(chan struct{}),
		kick:     make(chan struct{}, 1),
	}
	m.config.listen(&m.listeners)
	m.listed.Store(&[]*entry[D, O]{})
	m.refused.Store(&map[string]error{})
	return m, nil
}

// open makes an entry for what an earlier run has left, if it has. It releases the
// lock meanwhile: a driver may wake its instance while it is being opened, and
// opening may take time.
func (m *Manager[D, O]) open(name string, left Desired[D]) (*entry[D, O], error) {
	e := &entry[D, O]{name: name, index: -1}
	m.mu.Unlock()
	config := InstanceConfig{
		Backoff: m.config.Backoff, History: m.config.History,
		Listener: m.tell, Passes: m.config.OnPass != nil,
	}
	if gate := m.config.Gate; gate != nil {
		config.hold = func(asked State) (Hold, bool) { return gate.Hold(name, asked) }
	}
	inst, err := NewInstance(&m.kind, name, config, func() { m.wake(e) })
	m.mu.Lock()
	if err != nil {
		return nil, err
	}
	if m.closed {
		m.mu.Unlock()
		err := inst.Close() // without the lock: it may wait for somebody who is about to wake it
		m.mu.Lock()
		return nil, errors.Join(ErrClosed, err)
	}
	inst.left = left
	e.instance = inst
	m.entries[name] = e
	return e, nil
}

// Kind returns the name of the manager's kind.
func (m *Manager[D, O]) Kind() string { return m.kind.Name }

// Table returns the table of the manager's kind.
func (m *Manager[D, O]) Table() *Table { return m.kind.Table }

// Listen adds a listener, which is told what happens from now on until stop is
// called. A notice that is being told at that moment may still reach it.
func (m *Manager[D, O]) Listen(l Listener) (stop func()) { return m.listeners.add(l) }

// Tell tells the listeners what somebody else has found out about an instance. The
// error says which of them panicked.
func (m *Manager[D, O]) Tell(n Notice) error { return m.listeners.tell(n) }

// tell tells the listeners what happens in a pass, which fails if one panics.
func (m *Manager[D, O]) tell(n Notice) {
	if ofPass(n) {
		m.config.OnPass(passOf(n))
		return
	}
	if err := m.listeners.tell(n); err != nil {
		panic(err)
	}
}

// passOf returns the pass that a notice is of.
func passOf(n Notice) Reconciled {
	if o, owned := n.(Owned); owned {
		r := passOf(o.Notice)
		r.Owner = o.Subject
		return r
	}
	return n.(Reconciled)
}

// relist publishes the entries for readers.
func (m *Manager[D, O]) relist() {
	list := make([]*entry[D, O], 0, len(m.entries))
	for _, name := range slices.Sorted(maps.Keys(m.entries)) {
		list = append(list, m.entries[name])
	}
	m.listed.Store(&list)
}

// Instance returns the snapshot of the named instance, and whether the manager
// has it. It never blocks.
func (m *Manager[D, O]) Instance(name string) (*Snapshot[D, O], bool) {
	e := m.listedAs(name)
	if e == nil {
		return nil, false
	}
	return e.instance.Snapshot(), true
}

// listedAs returns the named entry, nil for none. It never blocks.
func (m *Manager[D, O]) listedAs(name string) *entry[D, O] {
	list := *m.listed.Load()
	at, held := slices.BinarySearchFunc(list, name, byName[D, O])
	if !held {
		return nil
	}
	return list[at]
}

func byName[D, O any](e *entry[D, O], name string) int { return strings.Compare(e.name, name) }

// Snapshot returns the snapshots of all instances in the order of their names.
// It never blocks.
func (m *Manager[D, O]) Snapshot() []*Snapshot[D, O] {
	list := *m.listed.Load()
	all := make([]*Snapshot[D, O], len(list))
	for n, e := range list {
		all[n] = e.instance.Snapshot()
	}
	return all
}

// Retry makes the named instance, and what its driver owns, try at once what
// failed or is held.
func (m *Manager[D, O]) Retry(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, ok := m.entries[name]
	if !ok {
		return fmt.Errorf("cannot retry %q: %w", name, ErrUnknown)
	}
	e.instance.Retry()
	m.wakeLocked(e)
	return nil
}
