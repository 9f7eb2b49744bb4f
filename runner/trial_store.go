package runner

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/evenkeel/evenkeel/config"
	"github.com/evenkeel/evenkeel/fsm"
)

// changesFile is the file of a Store that has the changes that are tried or were
// taken back.
const changesFile = "changes.json"

// storedTrial is a trial as it is written down.
type storedTrial struct {
	Kind     config.Kind     `json:"kind"`
	Name     string          `json:"name"`
	Change   string          `json:"change"`
	Rejected fsm.Reason      `json:"rejected,omitzero"`
	Before   json.RawMessage `json:"before"` // as Declaration.Encode writes it
}

// changes returns the changes that are tried or were taken back: those that can be
// read, beside an error.
func (s Store) changes() (trials, error) {
	var stored []storedTrial
	err := s.readJSON(changesFile, &stored)
	all := make(trials)
	for _, t := range stored {
		key := config.Key{Kind: t.Kind, Name: t.Name}
		before, problem := config.Decode(t.Before)
		if problem != nil {
			err = errors.Join(err, problem)
		} else if e, there := before.Entries[key]; there {
			all[key] = trial{Before: e, Change: t.Change, Rejected: t.Rejected}
		}
	}
	if err != nil {
		err = fmt.Errorf("cannot read which changes were tried and taken back: %w", err)
	}
	return all, err
}

// saveChanges writes them down.
func (s Store) saveChanges(all trials) error {
	stored := make([]storedTrial, 0, len(all))
	for _, key := range all.keys() {
		t := all[key]
		before, err := (&config.Declaration{Entries: map[config.Key]config.Entry{key: t.Before}}).Encode()
		if err != nil {
			return err
		}
		stored = append(stored, storedTrial{key.Kind, key.Name, t.Change, t.Rejected, before})
	}
	if err := s.writeJSON(changesFile, stored); err != nil {
		return fmt.Errorf("cannot write down which changes are tried: %w", err)
	}
	return nil
}
