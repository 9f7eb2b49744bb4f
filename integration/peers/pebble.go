//go:build integration

package peers

import (
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"github.com/evenkeel/evenkeel/integration/harness"
)

// pebble is Canonical's Pebble. It keeps the last lines of each service in memory.
type pebble struct {
	path    string
	job     *Job
	program *harness.Program
}

func (p *pebble) Version() (string, error) {
	found, err := exec.LookPath(p.path)
	if err != nil {
		return "", fmt.Errorf("pebble is not in bin/peers")
	}
	out, err := exec.Command(found, "version", "--client").Output()
	return strings.TrimSpace(string(out)), err
}

// layer declares services.
func (p *pebble) layer(t testing.TB, name string, services ...*Service) {
	t.Helper()
	all := make(map[string]any)
	for _, s := range services {
		all[s.Name] = map[string]any{"override": "replace", "command": s.Shell(), "startup": "enabled"}
	}
	text, err := yaml.Marshal(map[string]any{"services": all})
	require.NoError(t, err)
	write(t, p.job, name, string(text))
}

func (p *pebble) Start(t testing.TB, j *Job) {
	t.Helper()
	p.job = j
	p.layer(t, "layers/001-job.yaml", j.Services...)
	p.program = start(t, j, "env", "PEBBLE="+j.Root, p.path, "run")
}

func (p *pebble) Ended(_ testing.TB, s *Service) func() bool {
	return mentions(func() string { return p.program.Stdout.String() + p.program.Stderr.String() }, s.Name)
}

func (p *pebble) Change(t testing.TB, s *Service) {
	t.Helper()
	if s.Stream != nil {
		// Its file has changed, and not its command.
		start(t, p.job, "env", "PEBBLE="+p.job.Root, p.path, "restart", s.Name)
		return
	}
	p.layer(t, "change.yaml", s)
	start(t, p.job, "env", "PEBBLE="+p.job.Root, "sh", "-ec", `"$1" add --combine job change.yaml; "$1" replan`, "sh", p.path)
}

func (p *pebble) Stop(testing.TB) { p.program.Signal(syscall.SIGTERM) }
