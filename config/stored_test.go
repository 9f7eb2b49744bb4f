package config_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/config"
	"github.com/evenkeel/evenkeel/s6"
)

// TestWhatIsWrittenDownIsReadBack as the same: nothing restarts for it.
func TestWhatIsWrittenDownIsReadBack(t *testing.T) {
	for _, text := range goodFiles() {
		d := readText(t, text)
		for key, e := range d.Entries {
			if e.Service != nil {
				odd := *e.Service
				odd.Env = map[string]string{"A": "\t: x\n\"y\" ", "B": "5", "C": "~", "D": "\u2028\x01"}
				e.Service = &odd
				d.Entries[key] = e
			}
		}
		written, err := d.Encode()
		require.NoError(t, err)
		back, err := config.Decode(written)
		require.NoError(t, err)
		assert.ElementsMatch(t, slices.Collect(maps.Keys(d.Entries)), slices.Collect(maps.Keys(back.Entries)))
		for key, e := range d.Entries {
			read := back.Entries[key]
			assert.Equal(t, e.At, read.At)
			assert.Equal(t, e.At, read.Locate("name"), "it is not known any better")
			assert.Equal(t, e.State, read.State)
			if e.Service != nil {
				assert.Equal(t, e.Service.Hash(), read.Service.Hash())
			} else {
				before, after := *e.Stream, *read.Stream
				before.MetricsPort, after.MetricsPort = 1, 1
				want, err := before.Render()
				require.NoError(t, err)
				got, err := after.Render()
				require.NoError(t, err)
				assert.Equal(t, string(want), string(got))
			}
		}
		again, err := back.Encode()
		require.NoError(t, err)
		assert.Equal(t, string(written), string(again))
	}
}

// TestWhatNobodyHasWrittenDown is an error, and no declaration of nothing.
func TestWhatNobodyHasWrittenDown(t *testing.T) {
	for text, want := range map[string]string{
		"":               "it is empty",
		"# nothing\n":    "it is empty",
		"- [":            "did not find",
		"a: 5":           "cannot unmarshal",
		"- {name: a}":    "a is neither a service nor a stream",
		"- {name: ../a}": "it must not",
		"- {name: a, kind: service, service: {command: []}}": "it must name a program",
		"- {name: a, kind: stream, stream: {input: {}}}":     "input is missing",
		"- {name: a, kind: stream, service: {command: [a]}}": "neither",
	} {
		_, err := config.Decode([]byte(text))
		assert.ErrorContains(t, err, want, text)
		assert.ErrorContains(t, err, "cannot read what was declared", text)
	}
	d, err := config.Decode([]byte("[]\n"))
	require.NoError(t, err)
	assert.Empty(t, d.Entries)
}

// FuzzDecode: whatever it takes can be written down again.
func FuzzDecode(f *testing.F) {
	f.Add("[]\n")
	f.Add("- {name: a, kind: service, state: running, file: f, line: 1, column: 2, service: {command: [a]}}\n")
	f.Add("- {name: a, kind: stream, state: active, stream: {input: {a: '${B}'}, output: {c: {}}}}\n")
	f.Fuzz(func(t *testing.T, text string) {
		d, err := config.Decode([]byte(text))
		if err != nil {
			return
		}
		for key := range d.Entries {
			assert.NoError(t, s6.CheckName(key.Name))
		}
		written, err := d.Encode()
		require.NoError(t, err)
		back, err := config.Decode(written)
		require.NoError(t, err)
		assert.Len(t, back.Entries, len(d.Entries))
	})
}
