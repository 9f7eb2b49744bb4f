package serve

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/config"
	"github.com/evenkeel/evenkeel/filesystem"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/journal"
	"github.com/evenkeel/evenkeel/runner"
	"github.com/evenkeel/evenkeel/s6"
)

const (
	// JournalSize in MiB is how large a journal may be, if nothing else is said.
	JournalSize = 16
	// journalTime is how long the program waits at its end for the rest to be written.
	journalTime = 2 * time.Second
)

// Recorder writes the journal of a program; the zero Recorder writes none.
type Recorder struct{ journal *journal.Journal }

// NewRecorder returns one with a journal of so many MiB in a program's directory, none
// for 0. tell is told what cannot be written.
func NewRecorder(dir string, size int, tell func(error)) Recorder {
	if size == 0 {
		return Recorder{}
	}
	return Recorder{journal.Open(journal.Config{FS: filesystem.OS{}, Dir: JournalIn(dir), Size: int64(size) << 20, Tell: tell})}
}

// Hear has the recorder told of what a runner will do.
func (r Recorder) Hear(c *runner.Config) {
	if r.journal == nil {
		return
	}
	c.Listeners = append(c.Listeners, r.journal.Hear)
	c.OnPass = append(c.OnPass,
		journal.Passes[*s6.Spec, s6.Observed](r.journal), journal.Passes[*benthos.Config, benthos.Observed](r.journal))
}

// End waits for a moment until all is written. What is not was told.
func (r Recorder) End() {
	if r.journal == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), journalTime)
	defer cancel()
	_ = r.journal.Close(ctx)
}

// Keeper returns a Keeper with whose declarations the recorder is told.
func (r Recorder) Keeper(k runner.Keeper) runner.Keeper {
	if r.journal == nil {
		return k
	}
	return &recordedKeeper{Keeper: k, journal: r.journal}
}

// recordedKeeper records what is declared otherwise than before.
type recordedKeeper struct {
	runner.Keeper
	journal *journal.Journal
	last    map[config.Key]string // what was declared, as it is kept
}

// Recall implements runner.Keeper.
func (k *recordedKeeper) Recall(last *config.Declaration) error {
	k.last = entriesOf(last)
	return k.Keeper.Recall(last)
}

// Apply implements runner.Keeper.
func (k *recordedKeeper) Apply(ctx context.Context, w runner.Wanted) error {
	now := entriesOf(w.Declaration)
	for _, key := range slices.SortedFunc(maps.Keys(now), config.Key.Compare) {
		e := w.Entries[key]
		switch before, known := k.last[key]; {
		case !known:
			k.declared(key, fmt.Sprintf("%s, in %s", e.State, e.At))
		case before != now[key]:
			k.declared(key, fmt.Sprintf("%s, otherwise than before, in %s", e.State, e.At))
		}
	}
	for _, key := range slices.SortedFunc(maps.Keys(k.last), config.Key.Compare) {
		if _, still := now[key]; !still {
			k.declared(key, "not any more")
		}
	}
	k.last = now
	return k.Keeper.Apply(ctx, w)
}

func (k *recordedKeeper) declared(key config.Key, text string) {
	kind := s6.KindName
	if key.Kind == config.KindStream {
		kind = benthos.KindName
	}
	k.journal.Declared(fsm.Subject{At: time.Now(), Kind: kind, Instance: key.Name}, text)
}

// entriesOf returns the entries of a declaration, nil for none, as they are kept,
// wherever they stand.
func entriesOf(d *config.Declaration) map[config.Key]string {
	all := make(map[config.Key]string)
	if d == nil {
		return all
	}
	for key, e := range d.Entries {
		e.At = config.Position{}
		text, err := (&config.Declaration{Entries: map[config.Key]config.Entry{key: e}}).Encode()
		if err != nil {
			text = []byte(err.Error())
		}
		all[key] = string(text)
	}
	return all
}
