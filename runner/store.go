package runner

import (
	"bytes"
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
// the time. They may hold secrets: nobody else can read them.
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
		if last, err := s.FS.ReadFile(path.Join(s.Dir, names[len(names)-1])); err == nil && bytes.Equal(last, text) {
			return nil
		}
	}
	if err := s.FS.ReplaceFile(path.Join(s.Dir, time.Now().UTC().Format(stamp)+".yaml"), text, 0o600); err != nil {
		return fmt.Errorf("cannot keep what was declared: %w", err)
	}
	var errs []error
	for _, name := range names[:max(0, len(names)+1-kept)] {
		errs = append(errs, s.FS.Remove(path.Join(s.Dir, name)))
	}
	return errors.Join(errs...)
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
		if _, err := time.Parse(stamp, strings.TrimSuffix(e.Name(), ".yaml")); err == nil {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	return names, nil
}
