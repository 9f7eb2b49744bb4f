package runner

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/config"
	"github.com/evenkeel/evenkeel/fsm"
)

// overridesFile is the file of a Store that has what was stopped by hand.
const overridesFile = "overrides.json"

// Override says that an instance was stopped by hand: it is stopped, whatever is
// declared of it, until it is started by hand.
type Override struct {
	Kind config.Kind `json:"kind"`
	Name string      `json:"name"`
	By   string      `json:"by"` // who stopped it
	At   time.Time   `json:"at"`
}

// Key returns the key of the instance.
func (o Override) Key() config.Key { return config.Key{Kind: o.Kind, Name: o.Name} }

// reason says that the instance was stopped by hand.
func (o Override) reason() fsm.Reason {
	return fsm.Because("stopped by hand").With("by " + o.By + " at " + o.At.Format(time.RFC3339))
}

// overrides is what was stopped by hand.
type overrides map[config.Key]Override

// of returns what is left of them with what is declared: what is removed is
// forgotten.
func (o overrides) of(declared func(config.Key) bool) overrides {
	left := make(overrides)
	for key, one := range o {
		if declared(key) {
			left[key] = one
		}
	}
	return left
}

// sorted returns them by their names.
func (o overrides) sorted() []Override {
	return slices.SortedFunc(maps.Values(o), func(a, b Override) int { return a.Key().Compare(b.Key()) })
}

// overrides returns what was stopped by hand. The error says what to do.
func (s Store) overrides() (overrides, error) {
	var stored []Override
	if err := s.readJSON(overridesFile, &stored); err != nil {
		return nil, fmt.Errorf("cannot read what was stopped by hand, and starts nothing that may have been: "+
			"mend %s, or remove it for everything to run: %w", path.Join(s.Dir, overridesFile), err)
	}
	all := make(overrides)
	for _, o := range stored {
		all[o.Key()] = o
	}
	return all, nil
}

// saveOverrides writes them down.
func (s Store) saveOverrides(all overrides) error {
	if err := s.writeJSON(overridesFile, all.sorted()); err != nil {
		return fmt.Errorf("cannot write down what was stopped by hand: %w", err)
	}
	return nil
}
