//go:build integration

package peers

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"github.com/evenkeel/evenkeel/integration/harness"
)

// evenkeel is evenkeel run as it is by default: a logger for each service, a journal,
// and an engine asked every second how it is.
type evenkeel struct {
	built   string // where the program is
	job     *Job
	program *harness.Program
}

// Version builds the program of this checkout.
func (e *evenkeel) Version() (string, error) {
	out, err := exec.Command("go", "build", "-o", e.built, "../../cmd/evenkeel").CombinedOutput()
	if err != nil {
		return strings.TrimSpace(string(out)), err
	}
	return "of this checkout", nil
}

func (e *evenkeel) file() string { return filepath.Join(e.job.Root, "evenkeel.yaml") }

// declare writes the file that declares the job, beside it first, so that it is never
// half there.
func (e *evenkeel) declare(t testing.TB) {
	t.Helper()
	var services, streams []any
	for _, s := range e.job.Services {
		if s.Stream != nil {
			streams = append(streams, map[string]any{"name": s.Name, "benthosServiceConfig": s.Stream})
		} else {
			services = append(services, map[string]any{"name": s.Name, "s6ServiceConfig": map[string]any{"command": s.Command}})
		}
	}
	text, err := yaml.Marshal(map[string]any{"services": services, "benthos": streams})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(e.file()+".new", text, 0o600))
	require.NoError(t, os.Rename(e.file()+".new", e.file()))
}

func (e *evenkeel) Start(t testing.TB, j *Job) {
	t.Helper()
	e.job = j
	e.declare(t)
	args := []string{"run", "-f", e.file(), "--dir", j.Root, "--stop-timeout", harness.Patience.String()}
	if j.Engine != "" {
		args = append(args, "--benthos", j.Engine)
	}
	e.program = start(t, j, e.built, args...)
}

func (e *evenkeel) Ended(_ testing.TB, s *Service) func() bool {
	return mentions(func() string { return e.program.Stdout.String() + e.program.Stderr.String() }, s.Name)
}

func (e *evenkeel) Change(t testing.TB, _ *Service) { e.declare(t) }

func (e *evenkeel) Stop(testing.TB) { e.program.Signal(syscall.SIGTERM) }
