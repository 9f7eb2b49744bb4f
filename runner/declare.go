package runner

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/evenkeel/evenkeel/config"
)

// ErrNothing means that nothing is declared that could be taken, and that nothing
// was before.
var ErrNothing = errors.New("nothing is declared that could be taken")

// basis is what decides, beside the files themselves, what is kept for them.
type basis struct {
	last    *config.Declaration // what is in force
	unknown bool                // what was in force before is not known
	// allowEmpty lets a declaration of nothing remove everything. path is the file
	// that is named where that is not allowed.
	allowEmpty bool
	path       string
	busy       map[string]bool // files that keep what they declared, for they are being written
	exporter   string          // of streams that say nothing of it, as in benthos.Config
	free       func(port uint16) error
	// stays reports whether an entry that is missing is kept for now; unclear says
	// that it is not known what all of the files say.
	stays func(key config.Key, e config.Entry, unclear bool) bool
}

// declare returns what is to be kept for what was read from files, which it
// changes. What cannot be taken stays as it was declared last. The error is
// ErrNothing; the result has the problems then.
func (b basis) declare(d *config.Declaration) (Wanted, error) {
	r := Wanted{Declaration: d, Early: true}
	r.unclear = slices.ContainsFunc(d.Problems, func(p config.Problem) bool { return p.Entry == (config.Key{}) })
	if len(b.busy) > 0 {
		keepBusy(d, b.busy)
		r.unclear = true
	}
	if b.exporter != "" {
		d.DefaultMetrics(b.exporter)
	}
	assign(d, b.last, b.free)
	if len(d.Entries) == 0 && len(b.last.Entries) == 0 && len(d.Problems) > 0 {
		return r, ErrNothing
	}
	d.Keep(b.last)
	r.Leaving = b.keepMissing(d, r.unclear)
	if len(d.Entries) == 0 && len(b.last.Entries) > 0 && (!b.allowEmpty || len(d.Problems) > 0) {
		d.Problems = append(d.Problems, config.Problem{
			At:   config.Position{File: b.path},
			What: fmt.Sprintf("nothing is declared any more, which would remove %d instances: they stay as they are unless that is allowed", len(b.last.Entries)),
		})
		d.Entries = b.last.Entries
	}
	d.Order(b.last)
	for _, p := range d.Problems {
		if _, listed := d.Entries[p.Entry]; !listed && p.Entry != (config.Key{}) {
			r.Held = append(r.Held, p.Entry)
		}
	}
	r.Stays = r.unclear && b.unknown
	return r, nil
}

// keepBusy keeps what was declared in files that have been written for long.
func keepBusy(d *config.Declaration, busy map[string]bool) {
	maps.DeleteFunc(d.Entries, func(_ config.Key, e config.Entry) bool { return busy[e.At.File] })
	d.Problems = slices.DeleteFunc(d.Problems, func(p config.Problem) bool { return busy[p.At.File] })
	for _, file := range slices.Sorted(maps.Keys(busy)) {
		d.Problems = append(d.Problems, config.Problem{
			At: config.Position{File: file}, What: "somebody has it open for writing, and what it declared stays as it was until it is closed",
		})
	}
}

// keepMissing keeps the entries that are missing and stay, and returns those that
// do for now. One that has become another kind of instance is not missing.
func (b basis) keepMissing(d *config.Declaration, unclear bool) (leaving []config.Key) {
	names := make(map[string]bool)
	for key := range d.Entries {
		names[key.Name] = true
	}
	for key, e := range b.last.Entries {
		if !names[key.Name] && b.stays(key, e, unclear) {
			d.Entries[key] = e
			if !unclear {
				leaving = append(leaving, key)
			}
		}
	}
	return leaving
}
