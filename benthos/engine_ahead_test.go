package benthos_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/benthos"
)

// counted is a fake linter that writes down what documents it is asked about, a
// line for each process.
type counted struct {
	*benthos.Linter
	t     *testing.T
	asked string
}

func newCounted(t *testing.T, mode string) *counted {
	dir := t.TempDir()
	c := &counted{t: t, asked: filepath.Join(dir, "asked")}
	script := fmt.Sprintf("#!/bin/sh\necho $# >>%s\nexec %s \"$@\"\n", c.asked, os.Args[0])
	require.NoError(t, os.WriteFile(filepath.Join(dir, "engine"), []byte(script), 0o700))
	c.Linter = &benthos.Linter{Path: filepath.Join(dir, "engine"), Env: append(os.Environ(), fakeLintEnv+"="+mode)}
	return c
}

// documents is about how many documents each process was asked, besides the one
// that is refused always.
func (c *counted) documents() (each []int) {
	c.t.Helper()
	text, err := os.ReadFile(c.asked)
	require.NoError(c.t, err)
	for line := range strings.Lines(string(text)) {
		var n int
		_, err := fmt.Sscan(line, &n)
		require.NoError(c.t, err)
		each = append(each, n-2) // lint, and that one
	}
	return each
}

// TestAskAhead: an answer is the one that the Linter gives, from one process, for
// the same bytes, once.
func TestAskAhead(t *testing.T) {
	linter := newCounted(t, "stderr")
	good, bad := []byte("a: 1\n"), []byte("b: 1\n# say PATH(1,1) no b\n")
	ahead := benthos.AskAhead(t.Context(), linter.Linter, [][]byte{good, bad})
	has, err := ahead.HasPrometheus(t.Context())
	require.NoError(t, err)
	assert.True(t, has)
	said, err := ahead.Lint(t.Context(), map[string][]byte{"x": good, "y": bad})
	require.NoError(t, err)
	assert.Len(t, said, 1)
	assert.ErrorContains(t, said["y"], "no b")
	assert.Equal(t, []int{3}, linter.documents())

	again, err := ahead.Lint(t.Context(), map[string][]byte{"x": good, "y": bad})
	require.NoError(t, err)
	assert.Equal(t, said, again)
	assert.Equal(t, []int{3, 2}, linter.documents(), "an engine may be another one by now")
	none, err := ahead.Lint(t.Context(), nil)
	require.NoError(t, err)
	assert.Empty(t, none)
	assert.Len(t, linter.documents(), 2)
}

// TestAskAheadAboutOthers: what was not expected is asked about as ever, with what
// was.
func TestAskAheadAboutOthers(t *testing.T) {
	linter := newCounted(t, "stderr")
	ahead := benthos.AskAhead(t.Context(), linter.Linter, [][]byte{[]byte("a: 1\n")})
	said, err := ahead.Lint(t.Context(), map[string][]byte{"x": []byte("a: 1\n"), "y": []byte("a: 2\n# say PATH(1,1) no 2\n")})
	require.NoError(t, err)
	assert.ErrorContains(t, said["y"], "no 2")
	assert.Equal(t, []int{2, 1}, linter.documents())
}

// TestAskAheadWithoutAnAnswer: where none was given, all is asked anew, and a caller
// waits no longer than it wants to.
func TestAskAheadWithoutAnAnswer(t *testing.T) {
	docs := map[string][]byte{"x": []byte("a: 1\n")}
	linter := newCounted(t, "crash")
	ahead := benthos.AskAhead(t.Context(), linter.Linter, [][]byte{docs["x"]})
	_, err := ahead.HasPrometheus(t.Context())
	assert.ErrorContains(t, err, "oh no")
	_, err = ahead.Lint(t.Context(), docs)
	assert.ErrorContains(t, err, "oh no")
	assert.Equal(t, []int{2, 1, 1}, linter.documents())

	lints := filepath.Join(t.TempDir(), "lints")
	hangs := &benthos.Linter{Path: os.Args[0], Env: append(os.Environ(), fakeLintEnv+"=hang", lintsEnv+"="+lints)}
	asking, cancel := context.WithCancel(t.Context())
	ahead = benthos.AskAhead(asking, hangs, [][]byte{docs["x"]})
	over, end := context.WithCancel(t.Context())
	end()
	_, err = ahead.Lint(over, docs)
	assert.ErrorIs(t, err, context.Canceled)
	assert.ErrorAs(t, err, new(*benthos.LinterError))
	cancel()
	_, err = ahead.HasPrometheus(over)
	assert.ErrorIs(t, err, context.Canceled)
}

// TestAskAheadAboutMany asks about no more than one process takes.
func TestAskAheadAboutMany(t *testing.T) {
	linter := newCounted(t, "stderr")
	var docs [][]byte
	for n := range 1000 {
		docs = append(docs, fmt.Appendf(nil, "a: %d\n", n))
	}
	has, err := benthos.AskAhead(t.Context(), linter.Linter, docs).HasPrometheus(t.Context())
	require.NoError(t, err)
	assert.True(t, has)
	assert.Equal(t, []int{256}, linter.documents())
}
