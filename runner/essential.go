package runner

import (
	"cmp"
	"fmt"
	"slices"
	"sync"

	"github.com/evenkeel/evenkeel/benthos"
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
	slices.SortFunc(keys, func(a, b config.Key) int { return cmp.Compare(a.Name, b.Name) })
	return keys
}

func failure(name string, why fsm.Reason, o *s6.Observed) *Failure {
	return &Failure{name, why, max(1, o.Last.ExitCode)}
}

// Failed returns the first by name of the essential instances that are to run and
// have failed for good, nil while there is none. One whose change is tried, or is
// just being taken back, has not: what ran before will run again.
func (r *Runner) Failed() *Failure {
	changes := r.probation.all()
	for _, key := range r.essential.sorted() {
		change, changed := changes[key]
		if changed && change.Rejected == (fsm.Reason{}) {
			continue
		}
		if key.Kind == config.KindStream {
			s := failed(r.Streams, key.Name, benthos.Active, change.Rejected)
			if s != nil && s.Observed.Service != nil {
				return failure(key.Name, s.Reason, &s.Observed.Service.Observed)
			}
		} else if s := failed(r.Services, key.Name, s6.Running, change.Rejected); s != nil {
			return failure(key.Name, s.Reason, &s.Observed)
		}
	}
	return nil
}

// failed returns the snapshot of an instance that has failed with what is asked of
// it now, nil if it has not. back is why a change was taken back, if one was.
func failed[D, O any](m *fsm.Manager[D, O], name string, run fsm.State, back fsm.Reason) *fsm.Snapshot[D, O] {
	s, current := m.Current(name)
	if !current || s.Phase != fsm.PhaseFailed || s.Desired.State != run || s.Desired.Rejected != back {
		return nil
	}
	return s
}
