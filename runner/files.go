package runner

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/evenkeel/evenkeel/config"
	"github.com/evenkeel/evenkeel/filesystem"
)

const (
	// removePatience is how long an entry has to be missing from files that do not
	// change before its instance is removed: a file that is written in two halves,
	// or replaced by deleting and creating it, removes nothing.
	removePatience = 2 * time.Second
	// lookAgain is how often files are read while an entry is missing from them.
	lookAgain = 250 * time.Millisecond
	// turnPatience is how long an instance may take to be removed whose name another
	// kind of instance has now.
	turnPatience = time.Minute
)

// Files has what files declare kept. What cannot be taken changes nothing: each
// instance stays as it was declared last, also by an earlier run.
type Files struct {
	Reader config.Reader
	Paths  []string
	// AllowEmpty lets a declaration of nothing remove everything.
	AllowEmpty bool
	// Metrics is the exporter of streams that say nothing of it, as in
	// benthos.Config; empty means the default.
	Metrics string
	// Apply has a declaration kept, as Runner.Apply does. On an error it is asked
	// again with the same one.
	Apply func(ctx context.Context, d *config.Declaration) error
	Store Store
	// Tell is told of each problem when it is found, once for as long as it is
	// there, and of a problem with no place in a file by an error of another kind.
	Tell func(problem error)
	// Free returns an error for a port that cannot be listened on; nil means that
	// it is tried.
	Free func(port uint16) error

	last    *config.Declaration
	missing map[config.Key]*absence
	told    map[string]bool
	turned  time.Time // when a name last became one of another kind
}

// absence is an entry that is missing from the files that have had it.
type absence struct {
	since time.Time
	file  string // what could be seen of its file then
}

// ErrNothing means that nothing is declared, and nothing was before.
var ErrNothing = errors.New("nothing is declared that could be taken")

// Load reads the files and has what they declare kept. It returns when they are
// to be read again though none of them changes, zero for never. At once says that
// what is missing has been taken out deliberately. The error is ErrNothing, or
// that of Apply: then Load is to be called again.
func (f *Files) Load(ctx context.Context, atOnce bool) (again time.Duration, err error) {
	if f.last == nil {
		if f.Reader.FS == nil {
			f.Reader.FS = filesystem.OS{}
		}
		if f.last, err = f.Store.Last(); err != nil {
			f.Tell(err)
		}
		if f.last == nil {
			f.last = &config.Declaration{Entries: make(map[config.Key]config.Entry)}
		}
	}
	d := f.Reader.Read(f.Paths...)
	if f.Metrics != "" {
		d.DefaultMetrics(f.Metrics)
	}
	check := f.Free
	if check == nil {
		check = free
	}
	assign(d, f.last, check)
	if len(d.Entries) == 0 && len(f.last.Entries) == 0 && !f.AllowEmpty && len(d.Problems) > 0 {
		f.tell(d.Problems)
		return 0, ErrNothing
	}
	d.Keep(f.last)
	if !atOnce {
		again = f.wait(d)
	}
	if len(d.Entries) == 0 && len(f.last.Entries) > 0 && !f.AllowEmpty {
		d.Problems = append(d.Problems, config.Problem{
			At:   config.Position{File: f.Paths[0]},
			What: fmt.Sprintf("nothing is declared any more, which would remove %d instances: they stay as they are unless that is allowed", len(f.last.Entries)),
		})
		d.Entries = f.last.Entries
	}
	f.tell(d.Problems)
	if err := f.Apply(ctx, d); err != nil {
		return again, err
	}
	if f.turns(d) {
		again = lookAgain
	}
	if err := f.Store.Save(d); err != nil {
		f.Tell(err)
	}
	f.last = d
	return again, nil
}

// turns reports whether a name has become one of another kind of instance a while
// ago at most: until the former one is gone, the other is refused.
func (f *Files) turns(d *config.Declaration) bool {
	kinds := make(map[string]config.Kind)
	for key := range f.last.Entries {
		kinds[key.Name] = key.Kind
	}
	for key := range d.Entries {
		if kind, known := kinds[key.Name]; known && kind != key.Kind {
			f.turned = time.Now()
		}
	}
	return time.Since(f.turned) < turnPatience
}

// wait keeps the entries that have not been missing for long enough, and returns
// when to look again.
func (f *Files) wait(d *config.Declaration) (again time.Duration) {
	names := make(map[string]bool)
	for key := range d.Entries {
		names[key.Name] = true
	}
	missing := make(map[config.Key]*absence)
	for key, e := range f.last.Entries {
		if names[key.Name] {
			continue // or it has become another kind of instance
		}
		now, seen := time.Now(), f.look(e.At.File)
		a := f.missing[key]
		if a == nil || a.file != seen || busy(e.At.File) {
			a = &absence{now, seen}
		}
		if now.Sub(a.since) < removePatience {
			missing[key] = a
			d.Entries[key] = e
			again = lookAgain
		}
	}
	f.missing = missing
	return again
}

// look returns what can be seen of a file without reading it.
func (f *Files) look(file string) string {
	info, err := f.Reader.FS.Stat(file)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprint(info.Size(), info.ModTime().UnixNano())
}

// tell tells the problems that were not there the last time.
func (f *Files) tell(problems []config.Problem) {
	told := make(map[string]bool, len(problems))
	for _, p := range problems {
		if text := p.Error(); !told[text] {
			told[text] = true
			if !f.told[text] {
				f.Tell(p)
			}
		}
	}
	f.told = told
}
