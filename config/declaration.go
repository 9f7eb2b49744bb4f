package config

import (
	"path"
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
	// Files are those that were read, or could not be: values that are in files of
	// their own included.
	Files []File
	// NotRun are the sections for components of UMH Core that are not run.
	NotRun []Section
}

// File is a file that was read.
type File struct {
	Name string
	// Seen is what could be seen of it just before, as Reader.Look returns it. It
	// differs from what can be seen now where the file was written meanwhile.
	Seen string
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

// Refuse adds a problem with an entry, which cannot be taken then.
func (d *Declaration) Refuse(key Key, at Position, what string) {
	d.Problems = append(d.Problems, Problem{at, key, what})
	delete(d.Entries, key)
	slices.SortStableFunc(d.Problems, func(a, b Problem) int { return a.At.compare(b.At) })
}

// Keep adds what was declared last, nil for nothing, of all that cannot be taken
// now: the instances that problems name, and of a file or directory that is a
// problem as a whole, those that it had declared and no other file declares now.
// What is applied then changes nothing that it is not known to change.
func (d *Declaration) Keep(last *Declaration) {
	if last == nil {
		return
	}
	names := make(map[string]bool) // of s6 services that are declared
	for key := range d.Entries {
		names[key.Name] = true
	}
	for key, e := range last.Entries {
		if !names[key.Name] && slices.ContainsFunc(d.Problems, func(p Problem) bool { return p.concerns(key, e) }) {
			d.Entries[key] = e
		}
	}
}

// concerns reports whether it is not known what is asked of an instance that was
// declared before, because of this problem.
func (p Problem) concerns(key Key, before Entry) bool {
	if p.Entry != (Key{}) {
		return p.Entry.Name == key.Name
	}
	in := before.At.File
	return in == p.At.File || path.Dir(in) == path.Clean(p.At.File)
}

// named are all entries that have one name, of whatever kind: it is that of one
// s6 service.
type named struct {
	key  Key
	name string // in the file
	at   Position
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
