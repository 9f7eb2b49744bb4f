package config

import (
	"slices"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6"
)

// Declaration is what files ask for.
type Declaration struct {
	// Entries are those that can be taken, by the instance that each is about.
	Entries map[Key]Entry
	// Problems are ordered by file and line. An instance that one of them names,
	// and every instance of a file that one of them is about as a whole, is to
	// stay as it is: what is asked of it is not known.
	Problems []Problem
	// NotRun are the sections for components of UMH Core that are not run.
	NotRun []Section
}

// Section is a section of a file.
type Section struct {
	At   Position
	Name string
}

// Services returns the services that are declared.
func (d *Declaration) Services() map[string]fsm.Desired[*s6.Spec] {
	return of(d, KindService, func(e Entry) *s6.Spec { return e.Service })
}

// Streams returns the Benthos streams that are declared.
func (d *Declaration) Streams() map[string]fsm.Desired[*benthos.Config] {
	return of(d, KindStream, func(e Entry) *benthos.Config { return e.Stream })
}

func of[D any](d *Declaration, kind Kind, spec func(Entry) D) map[string]fsm.Desired[D] {
	all := make(map[string]fsm.Desired[D])
	for key, e := range d.Entries {
		if key.Kind == kind {
			all[key.Name] = fsm.Desired[D]{State: e.State, Spec: spec(e)}
		}
	}
	return all
}

// named are all entries that have one name, of whatever kind: it is that of one
// s6 service.
type named struct {
	key Key
	at  Position
}

// settle refuses every name that more than one entry has: which of them is meant
// is not known.
func (d *Declaration) settle(all []named) {
	first := make(map[string]named)
	for _, n := range all {
		before, twice := first[n.key.Name]
		if !twice {
			first[n.key.Name] = n
			continue
		}
		delete(d.Entries, before.key)
		delete(d.Entries, n.key)
		what := "there are two entries for the s6 service " + n.key.Name + ": the other is at " + before.at.String()
		d.Problems = append(d.Problems, Problem{n.at, n.key, what})
		if before.key != n.key {
			d.Problems = append(d.Problems, Problem{before.at, before.key, "there are two entries for the s6 service " + n.key.Name + ": the other is at " + n.at.String()})
		}
	}
	slices.SortStableFunc(d.Problems, func(a, b Problem) int { return a.At.compare(b.At) })
}
