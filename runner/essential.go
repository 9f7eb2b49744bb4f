package runner

import (
	"fmt"
	"slices"
	"sync"

	"github.com/evenkeel/evenkeel/config"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6"
)

// Failure is an essential instance that has failed for good.
type Failure struct {
	Name   string
	Reason fsm.Reason
	// Code is the exit code of its last process, 128 and the signal if one ended
	// it, and 1 where that would be 0.
	Code int
}

// Error says which instance has failed, and why.
func (f *Failure) Error() string {
	return fmt.Sprintf("%s is essential and has failed: %s", f.Name, fsm.EscapeLine(fsm.MaskText(f.Reason.String())))
}

// essentials are the instances that are essential. The zero value has none.
type essentials struct {
	mu   sync.Mutex // guards keys
	keys map[config.Key]bool
}

// note remembers those of a declaration. Of those that are held it is as it was.
func (e *essentials) note(d *config.Declaration, held []config.Key) {
	e.mu.Lock()
	defer e.mu.Unlock()
	keys := make(map[config.Key]bool)
	for _, key := range held {
		keys[key] = e.keys[key]
	}
	for key, entry := range d.Entries {
		keys[key] = entry.Essential
	}
	e.keys = keys
}

// sorted returns them by their names.
func (e *essentials) sorted() (keys []config.Key) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for key, is := range e.keys {
		if is {
			keys = append(keys, key)
		}
	}
	slices.SortFunc(keys, config.Key.Compare)
	return keys
}

func failure(name string, why fsm.Reason, o *s6.Observed) *Failure {
	return &Failure{name, why, max(1, o.Last.ExitCode)}
}
