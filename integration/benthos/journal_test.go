//go:build integration

package benthos

import (
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/integration/harness"
)

// TestJournal: what a program that was killed has recorded is there, the next one goes
// on with it, and what both decided about real processes is decided again.
func TestJournal(t *testing.T) {
	p := newPlant(t)
	p.write(plantFile(1000, "hello"))
	program := p.start()
	harness.Eventually(t, "it keeps all", func() bool { return strings.Contains(program.Stdout.String(), "benthos-s idle -> active") })
	harness.Eventually(t, "that is recorded", func() bool { return strings.Contains(p.says("history", "benthos-s"), "idle -> active") })
	assert.Contains(t, p.says("history", "benthos-s"), "benthos-s declared: active, in ")
	p.killed(program, ofPlant...)
	killed := p.says("history", "benthos-s")

	again := p.start()
	harness.Eventually(t, "it keeps all", func() bool { return strings.Contains(again.Stdout.String(), "benthos-s idle -> active") })
	again.Signal(syscall.SIGTERM)
	require.Zero(t, again.End())
	all := p.says("history", "benthos-s")
	assert.True(t, strings.HasPrefix(all, killed), "%s\nis what it was:\n%s", all, killed)
	assert.Equal(t, 2, strings.Count(all, "to_be_created -> creating"), all)
	assert.True(t, strings.HasSuffix(all, "stopping -> stopped (stop_done) its service is stopped\n"), all)
	assert.Contains(t, p.says("replay"), "decisions: none differs.")
}

// says returns what a command says of the journal.
func (p *plant) says(command ...string) string {
	p.t.Helper()
	out, err := exec.Command(evenkeel(p.t), append(command, "--dir", p.root)...).CombinedOutput()
	require.NoError(p.t, err, "%s", out)
	return string(out)
}
