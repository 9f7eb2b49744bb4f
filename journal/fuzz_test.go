package journal_test

import (
	"bytes"
	"encoding/json"
	"path"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/filesystem/memfs"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/journal"
	"github.com/evenkeel/evenkeel/s6"
)

// FuzzRead reads any bytes as a file of a journal: whatever they are, each line is a
// record or a gap, and a program can go on behind them.
func FuzzRead(f *testing.F) {
	fsys := memfs.New()
	j := journal.Open(journal.Config{FS: fsys, Dir: dir})
	hear := journal.Passes[*s6.Spec, s6.Observed](j)
	j.Hear(transition("a", 1))
	hear(pass())
	hear(with(func(r *fsm.Reconciled, _, after *service) { r.Decided, after.Observed.Left = false, []int{1} }))
	hear(pass())
	require.NoError(f, j.Close(f.Context()))
	name := path.Join(dir, "0000000001.jsonl")
	text, err := fsys.ReadFile(name)
	require.NoError(f, err)
	f.Add(text)
	f.Add(text[:len(text)/2])
	f.Add(bytes.ReplaceAll(text, []byte("running"), []byte("\x00")))
	f.Add([]byte("\n\n{\"sum\":\"00000000\",}\n{}\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		fsys := memfs.New()
		require.NoError(t, fsys.MkdirAll(dir, 0o700))
		require.NoError(t, fsys.WriteFile(name, text, 0o600))
		before := told(t, fsys, dir)
		for r := range journal.Read(fsys, dir) {
			if r.Pass != nil {
				_, _, _ = again(r.Pass) // which does not panic
			}
		}
		written(t, fsys, func(j *journal.Journal) { j.Hear(transition("a", 7)) })
		after := told(t, fsys, dir)
		require.GreaterOrEqual(t, len(after), len(before)+2)
		assert.Equal(t, append([]string{}, before...), after[:len(before)])
		assert.Equal(t, []string{"begun", "the 7"}, after[len(after)-2:])
	})
}

// FuzzPass records one observation after another, and reads them back: what differs
// from the one before makes no difference to what is read.
func FuzzPass(f *testing.F) {
	f.Add([]byte(`{"a": {"b": 1, "c": null}, "d": [1, {"x": 2}]}`), []byte(`{"a": {"c": {}}, "d": [1, {"x": 3}], "e": 12345678901234567890}`))
	f.Add([]byte(`{"a": {"b": {"c": 1}}}`), []byte(`{"a": {"b": {}}}`))
	f.Add([]byte(`{"a": {"b": {"c": 1}}}`), []byte(`{"a": 1}`))
	f.Add([]byte(`{"a": {"": 1, "/": 2, "~": 3}}`), []byte(`{"": {"": {}}}`))
	f.Fuzz(func(t *testing.T, one, other []byte) {
		if !json.Valid(one) || !json.Valid(other) {
			return
		}
		fsys := memfs.New()
		all := [][]byte{one, other, one}
		written(t, fsys, func(j *journal.Journal) {
			hear := journal.Passes[int, json.RawMessage](j)
			for n, seen := range all {
				s := &fsm.Snapshot[int, json.RawMessage]{State: fsm.State([]string{"a", "b"}[n%2]), Observed: seen}
				hear(fsm.Reconciled{Before: s, After: s, Decided: true})
			}
		})
		read := passesOf(t, fsys)
		require.Len(t, read, len(all))
		for n, seen := range all {
			var in struct {
				Observed json.RawMessage `json:"observed"`
			}
			require.NoError(t, json.Unmarshal(read[n].Input, &in))
			assert.Equal(t, canonical(t, seen), canonical(t, in.Observed))
		}
	})
}

// canonical returns a JSON text with its members in order.
func canonical(t *testing.T, text []byte) string {
	var value any
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	require.NoError(t, decoder.Decode(&value))
	same, err := json.Marshal(value)
	require.NoError(t, err)
	return string(same)
}
