//go:build integration

package benthos

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/filesystem"
	"github.com/evenkeel/evenkeel/integration/harness"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

// journaled is a service that writes down when it begins, is ready and ends, into
// the journal of its plant.
func (p *plant) journaled(name, needs string) string {
	return fmt.Sprintf(`
  - name: %s
    dependsOn: [%s]
    ready: {fd: 3}
    s6ServiceConfig:
      command:
        - sh
        - -c
        - |
          trap 'sleep 0.3; echo %[1]s ends >>%[3]s; exit 0' TERM
          echo %[1]s begins >>%[3]s
          sleep 0.3
          echo %[1]s is ready >>%[3]s
          echo >&3
          while :; do sleep 0.05; done`, name, needs, p.journal())
}

func (p *plant) journal() string { return filepath.Join(p.root, "diary") }

// happened returns what the journal has, and begins a new one.
func (p *plant) happened() []string {
	p.t.Helper()
	text, err := os.ReadFile(p.journal())
	require.NoError(p.t, err)
	require.NoError(p.t, os.Truncate(p.journal(), 0))
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
}

// happens waits until the journal has a line.
func (p *plant) happens(line string) {
	p.t.Helper()
	harness.Eventually(p.t, line, func() bool {
		text, err := os.ReadFile(p.journal())
		return err == nil && slices.Contains(strings.Split(string(text), "\n"), line)
	})
}

// ordered is a file in which each needs the one before it: db, web, the stream flow
// and last.
func (p *plant) ordered() string {
	return "services:" + p.journaled("last", "{name: flow, is: running}, flow2") + p.journaled("web", "db") + p.journaled("db", "") + `
benthos:
  - name: flow2
    dependsOn: [flow]
    benthosServiceConfig: {input: {generate: {mapping: 'root = "x"', interval: 1s}}, output: {stdout: {}}}
  - name: flow
    dependsOn: [web]
    benthosServiceConfig: {input: {generate: {mapping: 'root = "x"', interval: 1s}}, output: {stdout: {}}}
`
}

// began checks that what the file declares has begun in order.
func (p *plant) began() {
	p.t.Helper()
	p.happens("last is ready")
	var ready, began []string
	for _, name := range []string{"db", "web", "last"} {
		began = append(began, name+" begins", name+" is ready")
	}
	assert.Equal(p.t, began, p.happened())
	names := []string{"db", "web", "benthos-flow", "benthos-flow2", "last"}
	stamps := make(map[string]supervise.Status)
	for _, name := range names {
		status, err := supervise.ReadStatus(filesystem.OS{}, filepath.Join(p.root, "services", name))
		require.NoError(p.t, err)
		stamps[name] = status
	}
	for n, name := range names[1:] {
		if before := names[n]; stamps[name].Stamp.Before(stamps[before].ReadyStamp) {
			ready = append(ready, name+" began before "+before+" was ready")
		}
	}
	assert.Empty(p.t, ready)
}

// TestOrder: what others depend on starts before them and stops after them: at
// first, after everything was killed, and when the file does not have them any
// more. What runs goes on, whatever becomes of what it depends on.
func TestOrder(t *testing.T) {
	t.Parallel()
	p := newPlant(t)
	p.write(p.ordered())
	program := p.start()
	p.began()

	names := []string{"web", "db", "last", "benthos-flow", "benthos-flow2"}
	before := p.killed(program, names...)
	harness.Kill(t, before["db"], syscall.SIGKILL)
	program = p.start()
	p.happens("db is ready")
	assert.Equal(t, []string{"db"}, changedPIDs(before, p.pids(names...)))
	p.happened()

	harness.Slay(t, program.PID())
	harness.KillAll(p.root)
	program = p.start()
	p.began()

	p.write("services: [{name: other, s6ServiceConfig: {command: [sleep, '1000000']}}]\n")
	p.happens("db ends")
	assert.Equal(t, []string{"last ends", "web ends", "db ends"}, p.happened())

	p.write(p.ordered())
	p.began()
	p.ends(program)
	assert.Equal(t, []string{"last ends", "web ends", "db ends"}, p.happened())
}
