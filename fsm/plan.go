package fsm

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
)

// ChangeKind is what a declaration would do to an instance.
type ChangeKind string

// The kinds of change, from none to the most invasive.
const (
	ChangeNone    ChangeKind = "none"
	ChangeCreate  ChangeKind = "create"
	ChangeStart   ChangeKind = "start"
	ChangeLive    ChangeKind = "live" // the process goes on
	ChangeRestart ChangeKind = "restart"
	ChangeStop    ChangeKind = "stop"
	ChangeRemove  ChangeKind = "remove"
	ChangeRefused ChangeKind = "refused" // what ran goes on
	ChangeUnknown ChangeKind = "unknown" // what is there cannot be read
)

// Change is what Apply would do to one instance, and why.
type Change struct {
	Name string     `json:"name"`
	Kind ChangeKind `json:"kind"`
	Why  string     `json:"why,omitempty"`
	// Warning is what is warned of, as a Warned would tell it.
	Warning string `json:"warning,omitempty"`
	// Err is why it is refused or unknown, of which Why is the text.
	Err error `json:"-"`
}

// Plan says what Apply would do with the same declaration, without doing it:
// one change for each instance, in the order of their names. An instance that
// this manager does not have yet is observed for it; where that fails, its
// change is unknown, and the others' are not.
func (m *Manager[D, O]) Plan(ctx context.Context, desired map[string]Desired[D]) ([]Change, error) {
	found, err := m.examine(ctx, desired, false)
	if err != nil {
		return nil, fmt.Errorf("cannot plan: %w", err)
	}
	names := make(map[string]Desired[D])
	maps.Copy(names, found.existing)
	maps.Copy(names, desired)
	for name := range found.refused {
		names[name] = Desired[D]{}
	}
	for _, e := range *m.listed.Load() {
		names[e.name] = Desired[D]{}
	}
	changes := make([]Change, len(names))
	places := make(chan struct{}, m.config.Parallel)
	var all sync.WaitGroup
	for n, name := range slices.Sorted(maps.Keys(names)) {
		places <- struct{}{}
		all.Go(func() {
			changes[n] = m.planFor(ctx, name, desired, found)
			<-places
		})
	}
	all.Wait()
	return changes, nil
}

// planFor is safe to call concurrently.
func (m *Manager[D, O]) planFor(ctx context.Context, name string, desired map[string]Desired[D], found examined[D]) Change {
	if why := found.refused[name]; why != nil {
		return Change{Name: name, Kind: ChangeRefused, Why: why.Error(), Err: why}
	}
	d, listed := desired[name]
	_, exists := found.existing[name]
	c, err := m.planOne(ctx, name, d, listed, exists)
	if err != nil {
		c = Change{Name: name, Kind: ChangeUnknown, Why: err.Error(), Err: err}
	}
	if warning := found.warned[name]; warning != nil {
		c.Warning = warning.Error()
	}
	return c
}

func (m *Manager[D, O]) planOne(ctx context.Context, name string, d Desired[D], listed, exists bool) (c Change, err error) {
	defer recoverTo(&err)
	s, held := m.Instance(name)
	there := exists || held && s.Phase != PhaseRemoved && s.Phase != PhaseToBeCreated
	switch {
	case !listed || d.State == StateRemoved:
		if there {
			return Change{Name: name, Kind: ChangeRemove, Why: "it is not wanted any more"}, nil
		}
		return Change{Name: name, Kind: ChangeNone, Why: "it is not there"}, nil
	case !there || held && s.Phase == PhaseRemoving:
		return Change{Name: name, Kind: ChangeCreate, Why: "it is not there"}, nil
	}
	if !held || s.ObservedAt.IsZero() {
		observed, err := m.observeOnce(ctx, name, d)
		if err != nil {
			return Change{}, err
		}
		s = &Snapshot[D, O]{Observed: observed}
	}
	if m.kind.Compare != nil {
		c := m.kind.Compare(d, s.Observed)
		c.Name = name
		return c, nil
	}
	return m.planByState(name, d, s), nil
}

func (m *Manager[D, O]) planByState(name string, d Desired[D], s *Snapshot[D, O]) Change {
	target, _ := m.kind.Table.Target(d.State)
	idle := s.Phase == PhaseStopped || s.Phase == PhaseStopping || s.Phase == PhaseCreating
	switch {
	case s.Phase == 0:
		return Change{Name: name, Kind: ChangeNone, Why: "its state is not known before it is adopted"}
	case target == PhaseStopped && !idle:
		return Change{Name: name, Kind: ChangeStop, Why: "it is " + string(s.State)}
	case target != PhaseStopped && idle:
		return Change{Name: name, Kind: ChangeStart, Why: "it is " + string(s.State)}
	}
	return Change{Name: name, Kind: ChangeNone, Why: "it is " + string(s.State)}
}

func (m *Manager[D, O]) observeOnce(ctx context.Context, name string, d Desired[D]) (observed O, err error) {
	defer recoverTo(&err)
	i, err := NewInstance(&m.kind, name, InstanceConfig{}, nil)
	if err != nil {
		return observed, err
	}
	defer func() { err = errors.Join(err, i.Close()) }()
	if owner, ok := i.driver.(Owner); ok {
		owner.ReconcileOwned(ctx)
	}
	return i.driver.Observe(ctx, d)
}
