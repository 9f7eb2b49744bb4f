//go:build integration

package benthos

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/evenkeel/evenkeel/integration/harness"
)

// TestChangeIsTakenBack: a service and a stream that do not run with a change run
// again as before, the next program does not try it again, and one that is mended
// is tried.
func TestChangeIsTakenBack(t *testing.T) {
	t.Parallel()
	p := newPlant(t)
	port := freePorts(t, 1) // another program that begins at the same time could choose the same
	write := func(command, input string) {
		p.write(fmt.Sprintf(`services:
  - name: a
    startTimeout: 2s
    s6ServiceConfig: {command: [sh, -c, '%s']}
benthos:
  - name: s
    benthosServiceConfig: {metrics_port: %d, input: {%s}, output: {stdout: {}}}
`, command, port, input))
	}
	const sound, flows = "exec sleep 1000000", `generate: {mapping: 'root = "x"', interval: 1s}`
	const missing = "resource: none" // which the engine's linter does not look for
	rejected := func(program *harness.Program, name, why string) {
		harness.EventuallyWithin(t, 2*harness.Patience, "it is told of "+name, func() bool {
			said := program.Stderr.String()
			return strings.Contains(said, name+" declaration refused: change rejected: it was ") && strings.Contains(said, why)
		})
	}
	write(sound, flows)
	program := p.start()
	before := p.pids("a", "benthos-s")
	harness.Eventually(t, "both have run", func() bool {
		said := program.Stdout.String()
		return strings.Contains(said, " a starting -> running ") && strings.Contains(said, " benthos-s idle -> active ")
	})

	write("echo no such printer; exit 7", flows)
	rejected(program, "a", "exited with 7")
	now := before
	harness.Eventually(t, "what ran before runs", func() bool {
		now = p.pids("a", "benthos-s") // what was rejected may have begun once more
		command, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", now["a"]))
		return err == nil && string(command) == "sleep\x001000000\x00"
	})
	assert.Equal(t, []string{"a"}, changedPIDs(before, now))
	write("echo no such printer; exit 7", missing)
	rejected(program, "benthos-s", "resource 'none' was not found")
	p.pids("benthos-s") // is ready again
	said, _ := p.plan("-f", p.file())
	assert.Len(t, said.Problems, 2)
	for _, c := range said.Changes {
		assert.Equal(t, "none", c.Change, c.Name)
	}
	before = p.killed(program, "a", "benthos-s")

	program = p.start()
	harness.Eventually(t, "the next program says so", func() bool {
		said := program.Stdout.String()
		return strings.Contains(said, "a running -> degraded (degraded) change rejected: ") && strings.Contains(said, "-> degraded (degraded) change rejected: it was ")
	})
	assert.Empty(t, changedPIDs(before, p.pids("a", "benthos-s")))
	write("exec sleep 2000000", flows)
	harness.Eventually(t, "it is another process", func() bool { return p.pids("a")["a"] != before["a"] })
	assert.Equal(t, before["benthos-s"], p.pids("benthos-s")["benthos-s"])
	p.ends(program)
}
