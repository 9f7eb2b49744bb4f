package api

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/fsm"
)

// Source is the instances of one kind, as they are shown. Its methods may be called
// concurrently, and never wait for a pass, but for Restart.
type Source interface {
	// Kind is the name of the kind, Table its states.
	Kind() string
	Table() *fsm.Table
	// List returns all instances by their names, those as well that were refused and
	// do not exist.
	List() []Summary
	// Instance returns all that is shown of one, and whether there is one.
	Instance(name string) (Instance, bool)
	// Why is that of the manager.
	Why(name string) (fsm.Why, bool)
	// Restart and Retry are those of the manager.
	Restart(ctx context.Context, name string) error
	Retry(name string) error
}

// Of returns what is shown of a manager. figures, which may be nil, says what a
// snapshot has of Figures.
func Of[D, O any](m *fsm.Manager[D, O], figures func(*fsm.Snapshot[D, O]) Figures) Source {
	if figures == nil {
		figures = func(*fsm.Snapshot[D, O]) (none Figures) { return none }
	}
	return &source[D, O]{m, figures}
}

type source[D, O any] struct {
	*fsm.Manager[D, O]
	figures func(*fsm.Snapshot[D, O]) Figures
}

func (s *source[D, O]) List() []Summary {
	snapshots, refused := s.Snapshot(), s.Refused()
	all := make([]Summary, 0, len(snapshots))
	for _, one := range snapshots {
		all = append(all, s.summary(one, refused[one.Name]))
	}
	for _, name := range slices.Sorted(maps.Keys(refused)) {
		if at, exists := slices.BinarySearchFunc(all, name, byName); !exists {
			all = slices.Insert(all, at, s.absent(name, refused[name]))
		}
	}
	return all
}

func byName(s Summary, name string) int { return strings.Compare(s.Name, name) }

// summary returns an instance as it is shown in a list.
func (s *source[D, O]) summary(one *fsm.Snapshot[D, O], refused error) Summary {
	shown := Shown(one)
	shown.Runs = s.runs(shown.Desired)
	shown.Figures = s.figures(one)
	if refused != nil {
		shown.Refused = fsm.MaskText(refused.Error())
	}
	return shown
}

// absent returns what is shown of an instance that was refused and does not exist.
func (s *source[D, O]) absent(name string, refused error) Summary {
	shown := Summary{Kind: s.Kind(), Name: name, Phase: fsm.PhaseToBeCreated, Runs: true}
	if refused != nil {
		shown.Refused = fsm.MaskText(refused.Error())
	}
	return shown
}

func (s *source[D, O]) runs(asked fsm.State) bool {
	phase, known := s.Table().Target(asked)
	return known && phase == fsm.PhaseRunning
}

func (s *source[D, O]) Instance(name string) (Instance, bool) {
	refused := s.Refused()[name]
	one, exists := s.Manager.Instance(name)
	if !exists {
		return Instance{Summary: s.absent(name, refused)}, refused != nil
	}
	masked := one.Masked()
	shown := Instance{
		Summary: s.summary(one, refused), Generation: one.Generation,
		ObservedAt: one.ObservedAt, History: masked.History,
	}
	// What a kind observes and asks for is shown by snapshots as well, as JSON.
	if one.Generation > 0 {
		shown.Spec, _ = json.Marshal(masked.Desired.Spec)
	}
	if !one.ObservedAt.IsZero() {
		shown.Observed, _ = json.Marshal(masked.Observed)
	}
	return shown, true
}
