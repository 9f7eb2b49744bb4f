package serve

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/config"
	"github.com/evenkeel/evenkeel/filesystem"
	"github.com/evenkeel/evenkeel/journal"
	"github.com/evenkeel/evenkeel/runner"
	"github.com/evenkeel/evenkeel/s6"
)

// plainKeeper keeps nothing.
type plainKeeper struct{ fails error }

func (k plainKeeper) Recall(*config.Declaration) error           { return k.fails }
func (k plainKeeper) Apply(context.Context, runner.Wanted) error { return k.fails }
func (k plainKeeper) Refused() map[config.Key]error              { return nil }

// What is declared otherwise than before is recorded, once, and without secrets.
func TestDeclarationsAreRecorded(t *testing.T) {
	dir := t.TempDir()
	record := NewRecorder(dir, JournalSize, func(err error) { t.Error(err) })
	keeper := record.Keeper(plainKeeper{})
	a, b, s := config.Key{Kind: config.KindService, Name: "a"}, config.Key{Kind: config.KindService, Name: "b"}, config.Key{Kind: config.KindStream, Name: "s"}
	entries := func(sleep string, line int) map[config.Key]config.Entry {
		return map[config.Key]config.Entry{
			a: {
				State: s6.Running, At: config.Position{File: "f.yaml", Line: line, Column: 5},
				Service: &s6.Spec{Command: []string{"sleep", sleep}, Env: map[string]string{"PASSWORD": "geheim"}},
			},
			s: {State: benthos.Active, At: config.Position{File: "f.yaml", Line: 9, Column: 5}, Stream: &benthos.Config{}},
		}
	}
	apply := func(all map[config.Key]config.Entry) {
		require.NoError(t, keeper.Apply(t.Context(), runner.Wanted{Declaration: &config.Declaration{Entries: all}}))
	}
	last := entries("1", 1)
	delete(last, s)
	last[b] = last[a]
	require.NoError(t, keeper.Recall(&config.Declaration{Entries: last}))
	apply(entries("1", 2)) // it stands elsewhere
	apply(entries("1", 2))
	apply(entries("2", 2))
	apply(nil)
	record.End()

	var says []string
	for r, err := range journal.Read(filesystem.OS{}, JournalIn(dir)) {
		require.NoError(t, err)
		if r.Note != nil {
			says = append(says, r.Note.Kind+" "+r.Note.Instance+" "+string(r.Note.What)+": "+r.Note.Text)
		}
	}
	assert.Equal(t, []string{
		"benthos s declared: active, in f.yaml:9:5", "s6 b declared: not any more",
		"s6 a declared: running, otherwise than before, in f.yaml:2:5",
		"s6 a declared: not any more", "benthos s declared: not any more",
	}, says)
}

func TestWithoutAJournalNothingIsRecorded(t *testing.T) {
	dir := t.TempDir()
	record := NewRecorder(dir, 0, nil)
	broken := errors.New("broken")
	assert.Equal(t, plainKeeper{broken}, record.Keeper(plainKeeper{broken}))
	var c runner.Config
	record.Hear(&c)
	assert.Empty(t, c.OnPass)
	assert.Empty(t, c.Listeners)
	record.End()
	assert.NoDirExists(t, JournalIn(dir))
}
