package runner

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/config"
	"github.com/evenkeel/evenkeel/filesystem"
)

// kept is how many declarations a Store keeps.
const kept = 20

// stamp is the name of a file in a Store: when it was taken, in UTC.
const stamp = "20060102T150405.000000000Z"

// Store keeps the declarations that were taken, the last twenty, as files named by
// the time, and beside them which changes are tried and what was stopped by hand.
// They may hold secrets: nobody else can read them. Without a filesystem nothing of
// what is beside the declarations is kept.
type Store struct {
	FS  filesystem.FS
	Dir string
}

// Last returns the newest declaration that can be read, nil if there is none. The
// error says what of the newer ones cannot be read, beside that.
func (s Store) Last() (*config.Declaration, error) {
	names, err := s.names()
	if err != nil {
		return nil, err
	}
	var errs []error
	for _, name := range slices.Backward(names) {
		text, err := s.FS.ReadFile(path.Join(s.Dir, name))
		if err == nil {
			var d *config.Declaration
			if d, err = config.Decode(text); err == nil {
				return d, errors.Join(errs...)
			}
			err = fmt.Errorf("%s: %w", path.Join(s.Dir, name), err)
		}
		errs = append(errs, err)
	}
	return nil, errors.Join(errs...)
}

// before returns what was in force before, nothing where that is unknown. The
// error is that of Last.
func (s Store) before() (last *config.Declaration, unknown bool, err error) {
	last, err = s.Last()
	if unknown = last == nil || err != nil; last == nil {
		last = &config.Declaration{Entries: make(map[config.Key]config.Entry)}
	}
	return last, unknown, err
}

// Save keeps a declaration, unless it is the one that was kept last.
func (s Store) Save(d *config.Declaration) error {
	text, err := d.Encode()
	if err != nil {
		return err
	}
	if err := s.FS.MkdirAll(s.Dir, 0o700); err != nil {
		return fmt.Errorf("cannot keep what was declared: %w", err)
	}
	names, err := s.names()
	if err != nil {
		return err
	}
	if len(names) > 0 {
		if s.same(names[len(names)-1], d) {
			return nil
		}
	}
	now := time.Now().UTC()
	if len(names) > 0 {
		// The newest is the last by its name, also where the clock was set back.
		if last, err := time.Parse(stamp, strings.TrimSuffix(names[len(names)-1], ".json")); err == nil && !now.After(last) {
			now = last.Add(time.Nanosecond)
		}
	}
	if err := s.FS.ReplaceFile(path.Join(s.Dir, now.Format(stamp)+".json"), text, 0o600); err != nil {
		return fmt.Errorf("cannot keep what was declared: %w", err)
	}
	var errs []error
	for _, name := range names[:max(0, len(names)+1-kept)] {
		errs = append(errs, s.FS.Remove(path.Join(s.Dir, name)))
	}
	return errors.Join(errs...)
}

// same reports whether a file has this declaration, wherever in its files each
// entry stood.
func (s Store) same(name string, d *config.Declaration) bool {
	text, err := s.FS.ReadFile(path.Join(s.Dir, name))
	if err != nil {
		return false
	}
	last, err := config.Decode(text)
	if err != nil {
		return false
	}
	a, errA := placeless(last).Encode()
	b, errB := placeless(d).Encode()
	return errA == nil && errB == nil && bytes.Equal(a, b)
}

func placeless(d *config.Declaration) *config.Declaration {
	entries := make(map[config.Key]config.Entry, len(d.Entries))
	for key, e := range d.Entries {
		e.At = config.Position{File: e.At.File}
		entries[key] = e
	}
	return &config.Declaration{Entries: entries}
}

// readJSON reads another file of the store, where there is one.
func (s Store) readJSON(name string, into any) error {
	if s.FS == nil {
		return nil
	}
	text, err := s.FS.ReadFile(path.Join(s.Dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return json.Unmarshal(text, into)
}

// writeJSON writes another file of the store.
func (s Store) writeJSON(name string, value any) error {
	if s.FS == nil {
		return nil
	}
	text, err := json.MarshalIndent(value, "", "\t")
	if err != nil {
		return err
	}
	if err := s.FS.MkdirAll(s.Dir, 0o700); err != nil {
		return err
	}
	return s.FS.ReplaceFile(path.Join(s.Dir, name), text, 0o600)
}

// names returns the names of what is kept, the oldest first.
func (s Store) names() ([]string, error) {
	entries, err := s.FS.ReadDir(s.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot look for what was declared: %w", err)
	}
	var names []string
	for _, e := range entries {
		if _, err := time.Parse(stamp, strings.TrimSuffix(e.Name(), ".json")); err == nil {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	return names, nil
}
