package fsm

import (
	"context"
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
	// OnTransition, where set, is a listener for the transitions of the
	// manager's own instances alone.
	OnTransition func(Transition)
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

	applying sync.Mutex // held by Apply, so that desired has one writer

	mu       sync.Mutex // guards the six below
	entries  map[string]*entry[D, O]
	due      queue[D, O]
	inFlight map[*entry[D, O]]struct{}
	active   int // passes that hold a place among Config.Parallel
	closed   bool
	changed  chan struct{} // closed and replaced when a pass has ended

	listed  atomic.Pointer[[]*entry[D, O]] // all entries, by name
	refused atomic.Pointer[map[string]error]
	kick    chan struct{} // has room for one: something is due
}

// NewManager returns a manager that holds nothing yet.
func NewManager[D, O any](kind Kind[D, O], config Config) (*Manager[D, O], error) {
	if err := kind.check(); err != nil {
		return nil, fmt.Errorf("cannot make a manager: %w", err)
	}
	m := &Manager[D, O]{
		kind:     kind,
		config:   config.defaults(),
		entries:  make(map[string]*entry[D, O]),
		inFlight: make(map[*entry[D, O]]struct{}),
		changed:  make(chan struct{}),
		kick:     make(chan struct{}, 1),
	}
	m.config.listen(&m.listeners)
	m.listed.Store(&[]*entry[D, O]{})
	m.refused.Store(&map[string]error{})
	return m, nil
}

// Apply declares all that is wanted. An instance that is listed is made, kept
// and moved to what is asked; one that exists and is not listed is removed; one
// that is listed again while it is being removed is made anew after that. Apply
// returns when the declaration is taken, not when it is reached: see Wait.
//
// An instance whose name, state or spec is refused, or whose driver cannot be
// opened, keeps what was asked of it before, or what it was found to have been
// asked by an earlier run; the others are applied, and the error wraps a
// RefusedError for each refused one. On any other error nothing was applied.
// After Close the error wraps ErrClosed.
func (m *Manager[D, O]) Apply(ctx context.Context, desired map[string]Desired[D]) error {
	m.applying.Lock()
	defer m.applying.Unlock()

	asked := m.asked()
	existing, refused, err := m.examine(ctx, desired)
	if err != nil {
		return fmt.Errorf("cannot apply: %w", err)
	}
	want := make(map[string]Desired[D], len(desired))
	for name, found := range existing {
		if _, held := asked[name]; held {
			continue // though it may have gone meanwhile
		}
		if _, ok := refused[name]; ok {
			want[name] = found
		} else {
			want[name] = Desired[D]{State: StateRemoved, Spec: found.Spec}
		}
	}
	for name, d := range desired {
		if _, ok := refused[name]; !ok {
			want[name] = d
		}
	}
	if err := m.declare(want, refused); err != nil {
		return fmt.Errorf("cannot apply: %w", err)
	}
	m.refused.Store(&refused)
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(refused)) {
		subject := Subject{At: time.Now(), Kind: m.kind.Name, Instance: name}
		errs = append(errs, &RefusedError{name, refused[name]}, m.listeners.tell(Refused{Subject: subject, Err: refused[name]}))
	}
	return errors.Join(errs...)
}

// examine answers what must be known before a declaration is taken: what
// exists, held by this manager or not, and what is refused.
func (m *Manager[D, O]) examine(ctx context.Context, desired map[string]Desired[D]) (existing map[string]Desired[D], refused map[string]error, err error) {
	if m.kind.Discover != nil {
		if existing, err = m.kind.Discover(ctx); err != nil {
			return nil, nil, fmt.Errorf("cannot find out what exists: %w", err)
		}
	}
	refused = make(map[string]error)
	sound := make(map[string]Desired[D], len(desired))
	for name, d := range desired {
		if err := CheckName(name); err != nil {
			refused[name] = err
		} else if err := m.kind.Table.checkTarget(d.State); err != nil {
			refused[name] = err
		} else {
			sound[name] = d
		}
	}
	if m.kind.Validate == nil || len(sound) == 0 {
		return existing, refused, nil
	}
	before := make(map[string]Desired[D], len(existing))
	maps.Copy(before, existing)
	maps.Copy(before, m.asked())
	more, err := m.kind.Validate(ctx, sound, before)
	if err != nil {
		return nil, nil, fmt.Errorf("cannot validate: %w", err)
	}
	for name, why := range more {
		if _, declared := sound[name]; declared && why != nil {
			refused[name] = why
		}
	}
	return existing, refused, nil
}

// asked returns what is wanted of the instances that are held.
func (m *Manager[D, O]) asked() map[string]Desired[D] {
	all := make(map[string]Desired[D])
	for _, e := range *m.listed.Load() {
		all[e.name], _ = e.instance.wanted()
	}
	return all
}

// declare sets what is wanted of each instance and marks each as due. Held
// instances that are neither wanted nor refused are to be removed. Those that
// cannot be opened are added to the refused.
func (m *Manager[D, O]) declare(want map[string]Desired[D], refused map[string]error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return ErrClosed
	}
	for name, e := range m.entries {
		if _, ok := want[name]; !ok && refused[name] == nil {
			d, _ := e.instance.wanted()
			m.desire(e, Desired[D]{State: StateRemoved, Spec: d.Spec})
		}
	}
	defer m.relist()
	for _, name := range slices.Sorted(maps.Keys(want)) {
		e := m.entries[name]
		if e == nil {
			var err error
			if e, err = m.open(name); errors.Is(err, ErrClosed) {
				return err
			} else if err != nil {
				refused[name] = err
				continue
			}
		}
		m.desire(e, want[name])
	}
	return nil
}

func (m *Manager[D, O]) desire(e *entry[D, O], d Desired[D]) {
	_ = e.instance.SetDesired(d) // examine has refused what cannot be asked for
	m.wakeLocked(e)
}

// open makes an entry. It lets go of the lock meanwhile, for a driver may wake
// its instance while it is opened, and may take its time.
func (m *Manager[D, O]) open(name string) (*entry[D, O], error) {
	e := &entry[D, O]{name: name, index: -1}
	m.mu.Unlock()
	inst, err := NewInstance(&m.kind, name, InstanceConfig{
		Backoff: m.config.Backoff, History: m.config.History, Listener: m.tell,
	}, func() { m.wake(e) })
	m.mu.Lock()
	if err != nil {
		return nil, err
	}
	if m.closed {
		return nil, errors.Join(ErrClosed, inst.Close())
	}
	e.instance = inst
	m.entries[name] = e
	return e, nil
}

// Listen has a listener told what happens from now on, until stop is called. A
// notice that is being told meanwhile may still reach it.
func (m *Manager[D, O]) Listen(l Listener) (stop func()) { return m.listeners.add(l) }

// tell tells the listeners what happens in a pass, which fails if one panics.
func (m *Manager[D, O]) tell(n Notice) {
	if err := m.listeners.tell(n); err != nil {
		panic(err)
	}
}

// relist publishes the entries for readers.
func (m *Manager[D, O]) relist() {
	list := make([]*entry[D, O], 0, len(m.entries))
	for _, name := range slices.Sorted(maps.Keys(m.entries)) {
		list = append(list, m.entries[name])
	}
	m.listed.Store(&list)
}

// Instance returns the snapshot of the named instance and whether the manager
// holds it. It never blocks.
func (m *Manager[D, O]) Instance(name string) (*Snapshot[D, O], bool) {
	list := *m.listed.Load()
	at, ok := slices.BinarySearchFunc(list, name, func(e *entry[D, O], name string) int {
		return strings.Compare(e.name, name)
	})
	if !ok {
		return nil, false
	}
	return list[at].instance.Snapshot(), true
}

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

// Refused returns why the instances that the last Apply refused were refused.
// The map must not be modified.
func (m *Manager[D, O]) Refused() map[string]error { return *m.refused.Load() }

// Retry has the named instance try at once what failed or is held.
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
