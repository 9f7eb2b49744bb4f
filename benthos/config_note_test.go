package benthos

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func noted(t *testing.T, c Config) Config {
	t.Helper()
	require.NoError(t, c.Validate())
	note := noteOf(t, c)
	read, err := readNote(note)
	require.NoError(t, err, note)
	return read
}

// rendered returns the document of a configuration, by which it is told from
// others.
func rendered(t *testing.T, c Config) string {
	t.Helper()
	if c.MetricsPort == 0 {
		c.MetricsPort = 9080
	}
	sections, err := c.sectionsText()
	require.NoError(t, err)
	text, err := c.render(sections)
	require.NoError(t, err)
	return string(text)
}

// noteOf returns the note of a configuration, which is that of its document as a
// whole.
func noteOf(t *testing.T, c Config) string {
	t.Helper()
	sections, err := c.sectionsText()
	require.NoError(t, err)
	note, err := c.note(sections)
	require.NoError(t, err)
	doc := c.yaml()
	if c.ExpectTraffic != 0 {
		appendEntry(doc, "expect_traffic", textNode(c.ExpectTraffic.String()))
	}
	if c.Note != "" {
		appendEntry(doc, "note", textNode(c.Note))
	}
	whole, err := encode(doc)
	require.NoError(t, err)
	assert.Equal(t, string(whole), note, "its parts make the whole")
	return note
}

// What is written down is the configuration that it was written from, whatever
// the values' types.
func TestNoteIsReadBack(t *testing.T) {
	end := map[string]any{"stdout": map[string]any{}}
	for name, c := range map[string]Config{
		"plain":    {Input: end, Output: end},
		"settings": {Input: end, Output: end, MetricsPort: 9080, LogLevel: "warn", DebugLevel: true, Host: "input", Metrics: MetricsNone, ShutdownTimeout: 90 * time.Second},
		"sections": {
			Input: end, Output: end, Pipeline: end, Buffer: end,
			CacheResources: []map[string]any{{"label": "a"}, end}, RateLimitResources: []map[string]any{{"label": "b"}},
		},
		"numbers": {Input: map[string]any{"a": json.Number("5"), "b": json.Number("1e3"), "c": uint64(math.MaxUint64), "d": 0.1, "e": int8(-1)}, Output: end},
		"texts":   {Input: map[string]any{"a": "\troot = 1\n\troot = 2\n", "\tb": "\t", "5": "5", "c": "no"}, Output: end},
		"expects": {Input: end, Output: end, ExpectTraffic: 90 * time.Second},
		"a note":  {Input: end, Output: end, Note: "\tof: [a\n b\x00]\n\n"},
		"others":  {Input: map[string]any{"a": nil, "b": []string{}, "c": map[int]string{404: "x"}, "d": time.Second, "e": time.Unix(1, 2).UTC()}, Output: end},
	} {
		t.Run(name, func(t *testing.T) {
			read := noted(t, c)
			assert.Equal(t, rendered(t, c), rendered(t, read))
			assert.Equal(t, []any{c.MetricsPort, c.Host, c.ShutdownTimeout, c.ExpectTraffic, c.Note}, []any{read.MetricsPort, read.Host, read.ShutdownTimeout, read.ExpectTraffic, read.Note})
			assert.Equal(t, rendered(t, read), rendered(t, noted(t, read)))
		})
	}
}

func FuzzNote(f *testing.F) {
	f.Add("\troot.a = 1\n\troot.b = 2\n", "a")
	f.Add("\n\t", "\t")
	f.Fuzz(func(t *testing.T, text, key string) {
		c := Config{Input: map[string]any{key: text, "list": []any{text, map[string]any{key: 1}}}, Output: map[string]any{"drop": map[string]any{}}, Note: text + key}
		if c.Validate() != nil {
			return
		}
		read := noted(t, c)
		require.Equal(t, rendered(t, c), rendered(t, read))
		require.Equal(t, c.Note, read.Note)
	})
}

// unhashable is a map with a list as a key beside a merge: yaml.v3 panics.
const unhashable = "input: {? [a] : b, <<: {c: d}}\n"

func TestNoteOfOthersIsAnError(t *testing.T) {
	for _, text := range []string{unhashable, "input: [", "input: text"} {
		_, err := readNote(text)
		assert.ErrorContains(t, err, "cannot read the configuration that was written down", text)
	}
}

func FuzzReadNote(f *testing.F) {
	f.Add(unhashable)
	f.Add("input: {a: &a [*a]}")
	f.Fuzz(func(t *testing.T, text string) {
		if c, err := readNote(text); err == nil && c.Validate() == nil {
			require.Equal(t, rendered(t, c), rendered(t, noted(t, c)))
		}
	})
}
