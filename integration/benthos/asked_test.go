//go:build integration

package benthos

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/integration/harness"
)

// TestEngineIsAskedOnce: whoever starts streams from a file waits for one run of the
// engine at most, which is asked about them and about its exporter; the next run asks
// about the exporter alone, and about what is new.
func TestEngineIsAskedOnce(t *testing.T) {
	t.Parallel()
	p := newPlant(t)
	asked := filepath.Join(p.root, "asked")
	script := fmt.Sprintf("#!/bin/sh\n[ \"$1\" != lint ] || echo $# >>%s\nexec %s \"$@\"\n", asked, p.engine)
	p.engine = filepath.Join(p.root, "engine")
	require.NoError(t, os.WriteFile(p.engine, []byte(script), 0o700))
	var names []string
	port, file := freePorts(t, five+1), "benthos:\n"
	for n := range five {
		names = append(names, fmt.Sprintf("benthos-s%d", n))
		file += plantStream(fmt.Sprintf("s%d", n), "hello", port+n)
	}
	// documents is about how many documents each run of the engine was asked, besides
	// one that is refused always.
	documents := func() (each []int) {
		t.Helper()
		text, err := os.ReadFile(asked)
		require.NoError(t, err)
		require.NoError(t, os.Remove(asked))
		for line := range strings.Lines(string(text)) {
			var n int
			_, err := fmt.Sscan(line, &n)
			require.NoError(t, err)
			each = append(each, n-2)
		}
		return each
	}
	active := func(program *harness.Program, names ...string) {
		t.Helper()
		for _, name := range names {
			harness.Eventually(t, name+" is active", func() bool { return strings.Contains(program.Stdout.String(), name+" idle -> active") })
		}
	}
	file = strings.Replace(file, fmt.Sprintf("metrics_port: %d\n", port), "metrics_port: 0\n", 1)
	p.write(file)
	program := p.start()
	active(program, names...)
	assert.Equal(t, []int{five + 1}, documents())
	p.ends(program)

	p.write(file + plantStream("new", "hello", port+five))
	program = p.start()
	active(program, append(names, "benthos-new")...)
	assert.Equal(t, []int{2}, documents())
	p.ends(program)
}
