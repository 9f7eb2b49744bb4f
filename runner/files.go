package runner

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/evenkeel/evenkeel/config"
	"github.com/evenkeel/evenkeel/filesystem"
	"github.com/evenkeel/evenkeel/internal/spell"
	"github.com/evenkeel/evenkeel/s6"
)

const (
	// removePatience is how long an entry has to be missing from files that do not
	// change before its instance is removed: a file that is written in two halves,
	// or replaced by deleting and creating it, removes nothing.
	removePatience = 2 * time.Second
	// lookAgain is how often files are read while one is being written, or an entry
	// is missing from them.
	lookAgain = 100 * time.Millisecond
	// busyPatience is how long a file that is being written keeps all from being
	// looked at. After it, it keeps what it has declared itself.
	busyPatience = 5 * time.Second
	// applyAgain is when a declaration is applied again of which a part waits for an
	// instance of another kind to be gone.
	applyAgain = time.Second
)

// Files has what files declare kept. What cannot be taken changes nothing: each
// instance stays as it was declared last, also by an earlier run.
type Files struct {
	Reader config.Reader
	Paths  []string
	// AllowEmpty lets a declaration of nothing remove everything.
	AllowEmpty bool
	// Metrics, where given, returns the exporter of streams that say nothing of it,
	// as in benthos.Config, or that this is not known at the moment.
	Metrics func(ctx context.Context) (exporter string, known bool)
	// Keeper keeps what is declared. A *Runner is one.
	Keeper Keeper
	Store  Store
	// Tell is told of each problem when it is found, once for as long as it is
	// there, and of a problem with no place in a file by an error of another kind.
	Tell func(problem error)
	// Free returns an error for a port that cannot be listened on; nil means that
	// it is tried.
	Free func(port uint16) error

	last    *config.Declaration // what is in force
	unknown bool                // what was in force before is not known
	applied string              // what was applied last, and has not to be again
	writing spell.Spell[bool]   // in which somebody writes a file
	missing map[config.Key]*absence
	atOnce  bool // it was said since the last time that was looked at
	taken   bool // the last Load had what the files declare kept
	told    map[string]bool

	mu    sync.Mutex // guards files
	files []string
}

// Keeper keeps what is declared.
type Keeper interface {
	// Recall is told what was in force before, once and first. What it cannot find out
	// beside that is told, and keeps nothing from being applied.
	Recall(last *config.Declaration) error
	// Apply has that kept. Instances that are refused are no error. On an error it
	// is called again.
	Apply(ctx context.Context, w Wanted) error
	// Refused returns why instances do not have what was applied last.
	Refused() map[config.Key]error
}

// absence is an entry that is missing from the files that have had it.
type absence struct {
	since time.Time
	file  string // what could be seen of its file then
}

// Load reads the files and has what they declare kept. It returns when they are
// to be read again though none of them changes, zero for never. At once says that
// what is missing has been taken out deliberately. The error is ErrNothing, or
// that of the Keeper: then Load is to be called again.
func (f *Files) Load(ctx context.Context, atOnce bool) (again time.Duration, err error) {
	f.begin()
	f.atOnce, f.taken = f.atOnce || atOnce, false
	d := f.Reader.Read(f.Paths...)
	f.note(d.Files)
	busy := f.busy(d.Files)
	if f.writing.Note(len(busy) > 0); len(busy) > 0 {
		if !f.writing.Lasts(time.Now(), busyPatience) {
			return lookAgain, nil
		}
		again = applyAgain
	}
	exporter := ""
	if f.Metrics != nil && len(d.Streams()) > 0 {
		known := false
		if exporter, known = f.Metrics(ctx); !known {
			again = applyAgain
		}
	}
	missing, waits := make(map[config.Key]*absence), false
	r, err := basis{
		last: f.last, unknown: f.unknown, allowEmpty: f.AllowEmpty, path: f.Paths[0], busy: busy, exporter: exporter, free: f.free(),
		stays: func(key config.Key, e config.Entry, unclear bool) bool {
			missing[key] = f.absent(key, e, unclear) // until it is removed
			stays := time.Since(missing[key].since) < removePatience
			waits = waits || stays && !unclear
			return stays
		},
	}.declare(d)
	f.tell(d.Problems)
	if err != nil {
		return again, err
	}
	if f.missing, f.atOnce = missing, false; waits {
		again = lookAgain
	}
	waits, err = f.apply(ctx, r)
	if waits {
		again = max(again, applyAgain)
	}
	f.taken = err == nil
	f.unknown = f.unknown && (r.unclear || err != nil)
	return again, err
}

// Taken reports whether the last Load had what the files declare kept, as far as
// it can be taken: it did not wait for a file that is being written, and did not
// fail.
func (f *Files) Taken() bool { return f.taken }

// free returns how it is found out whether a port is free.
func (f *Files) free() func(port uint16) error {
	if f.Free == nil {
		return free
	}
	return f.Free
}

func (f *Files) note(read []config.File) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.files = nil
	for _, file := range read {
		f.files = append(f.files, file.Name)
	}
}

// Read returns the files that were read the last time, those of single values
// included.
func (f *Files) Read() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.files
}

// begin finds out what was in force before, the first time.
func (f *Files) begin() {
	if f.last != nil {
		return
	}
	if f.Reader.FS == nil {
		f.Reader.FS = filesystem.OS{}
	}
	var err error
	if f.last, f.unknown, err = f.Store.before(); err != nil {
		f.Tell(err)
	}
	if err := f.Keeper.Recall(f.last); err != nil {
		f.Tell(err)
	}
}

// apply has a declaration kept, unless it is already, and reports whether a part
// of it waits for an instance of another kind to be gone.
func (f *Files) apply(ctx context.Context, r Wanted) (waits bool, err error) {
	d := r.Declaration
	text, err := d.Encode()
	if err != nil {
		return false, err
	}
	applied := fmt.Sprint(string(text), r.Held, r.Leaving, r.Stays)
	if applied == f.applied {
		return false, nil
	}
	f.applied = ""
	if err := f.Keeper.Apply(ctx, r); err != nil {
		return false, err
	}
	for key, why := range f.Keeper.Refused() {
		before, known := f.last.Entries[key]
		asked, listed := d.Entries[key]
		if !listed {
			continue
		}
		if waits = waits || errors.Is(why, s6.ErrOwned); known {
			// It has that still; what others are to it is not refused.
			before.DependsOn, before.Essential = asked.DependsOn, asked.Essential
			d.Entries[key] = before
		} else {
			delete(d.Entries, key)
		}
	}
	if err := f.Store.Save(d); err != nil {
		f.Tell(err)
	}
	f.last = d
	if !waits {
		f.applied = applied
	}
	return waits, nil
}

// busy returns the files that are being written, or were since they were read.
// What was read of them may be half of what they are to say.
func (f *Files) busy(files []config.File) map[string]bool {
	busy := make(map[string]bool)
	for _, file := range files {
		if f.written(file.Name) || f.Reader.Look(file.Name) != file.Seen {
			busy[file.Name] = true
		}
	}
	return busy
}

// absent returns since when an entry has been missing while its file did not
// change. As long as it is unclear what a file says, all may be in that.
func (f *Files) absent(key config.Key, e config.Entry, unclear bool) *absence {
	a, seen := f.missing[key], f.Reader.Look(e.At.File)
	if a == nil || a.file != seen || unclear {
		a = &absence{time.Now(), seen}
	}
	if f.atOnce && !unclear {
		a.since = time.Time{}
	}
	return a
}

// written reports whether a file is being written, or was a moment ago where that
// cannot be found out.
func (f *Files) written(file string) bool {
	if writing, known := beingWritten(file); known {
		return writing
	}
	info, err := f.Reader.FS.Stat(file)
	return err == nil && time.Since(info.ModTime()).Abs() < lookAgain
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
