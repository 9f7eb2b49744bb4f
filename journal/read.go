package journal

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"path"

	"github.com/evenkeel/evenkeel/filesystem"
	"github.com/evenkeel/evenkeel/fsm"
)

// Read returns the records of a journal, or of one file of it, in the order in which
// they were written. What cannot be read of a line is a Gap of one. The last line is
// left out while it is being written, or where it was cut short. The errors say which
// files cannot be read, and why; the others are read all the same. A journal that is
// not there has fs.ErrNotExist.
//
// A program may write it meanwhile. Each call of the function that is returned begins
// anew.
func Read(fsys filesystem.FS, name string) iter.Seq2[*Record, error] {
	return func(yield func(*Record, error) bool) {
		info, err := fsys.Stat(name)
		if err == nil && !info.IsDir() {
			readFile(fsys, name, true, yield)
			return
		}
		var numbers []int
		if err == nil {
			numbers, err = fileNumbers(fsys, name)
		}
		if err != nil {
			yield(nil, fmt.Errorf("cannot read the journal: %w", err))
			return
		}
		for n, number := range numbers {
			if !readFile(fsys, path.Join(name, fileName(number)), n == len(numbers)-1, yield) {
				return
			}
		}
	}
}

// readFile yields the records of a file, and returns whether more are wanted.
func readFile(fsys filesystem.FS, name string, newest bool, yield func(*Record, error) bool) (more bool) {
	text, err := fsys.ReadFile(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return true // it was the oldest one, and has gone
	case err != nil:
		return yield(nil, fmt.Errorf("cannot read the journal: %w", err))
	}
	before := make(map[key]last)
	for n := 1; len(text) > 0; n++ {
		line, rest, whole := bytes.Cut(text, []byte{'\n'})
		text = rest
		if len(line) == 0 {
			continue
		}
		r, readable := recordOf(line, before)
		if !readable && !whole && newest {
			continue
		}
		r.File, r.Line = name, n
		if !yield(r, nil) {
			return false
		}
	}
	return true
}

// recordOf returns what a line says, or that it cannot be read.
func recordOf(line []byte, before map[key]last) (r *Record, readable bool) {
	s, sum, err := parse(line)
	if err == nil {
		if r, err = s.record(sum, before); err == nil {
			return r, true
		}
	}
	r = &Record{Gap: &Gap{Missing: 1, Why: err.Error()}}
	if s != nil {
		r.At = s.At
	}
	return r, false
}

// History returns what happened to an instance, whichever run of the program has
// recorded that, or to all instances where name is empty, in the order in which it was
// written: the records with a transition or a note. What happened to instances that
// others own is left out, and that one was closed without an error, as at the end of
// each program. missing is how many records of the journal are missing at most. The
// errors are those of Read.
func History(fsys filesystem.FS, dir, name string) (all []*Record, missing int, err error) {
	var errs []error
	for r, err := range Read(fsys, dir) {
		switch {
		case err != nil:
			errs = append(errs, err)
		case r.Gap != nil:
			missing += r.Gap.Missing
		default:
			closed := r.Note != nil && r.Note.What == Closed && r.Note.Text == ""
			if of, owned := r.Happened(); of != nil && !owned && !closed && (name == "" || of.Instance == name) {
				all = append(all, r)
			}
		}
	}
	return all, missing, errors.Join(errs...)
}

// Happened returns what something happened to, and whether another instance owns it;
// nil for a record with neither a transition nor a note.
func (r *Record) Happened() (to *fsm.Subject, owned bool) {
	switch {
	case r.Transition != nil:
		return &r.Transition.Subject, r.Transition.Owned
	case r.Note != nil:
		return &r.Note.Subject, r.Note.Owned
	}
	return nil, false
}
