//go:build integration

package peers

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/integration/harness"
)

// Peer keeps the services of a job running. Its methods return without waiting for
// what they ask for.
type Peer interface {
	// Version says what is measured. The error says why it cannot be had.
	Version() (string, error)
	// Start has everything run.
	Start(t testing.TB, j *Job)
	// Ended returns a function that reports whether the peer has told by itself, in
	// its log or by its status command, that the process of a service has ended
	// since. nil means that it does not tell.
	Ended(t testing.TB, s *Service) func() bool
	// Change has a service that was changed in the job run as it is now.
	Change(t testing.TB, s *Service)
	// Stop asks for the end of everything.
	Stop(t testing.TB)
}

// rootVariable marks the processes of a job that do not work in its directory.
const rootVariable = "EVENKEEL_PEERS_ROOT"

// start runs the program of a peer in the directory of a job.
func start(t testing.TB, j *Job, program string, args ...string) *harness.Program {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Dir = j.Root
	cmd.Env = append(os.Environ(), rootVariable+"="+j.Root)
	return harness.Start(t, cmd)
}

// run runs a command of a peer to its end, and returns what it prints.
func run(t testing.TB, j *Job, program string, args ...string) string {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Dir = j.Root
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s: %s", cmd, out)
	return string(out)
}

// write writes a file below the directory of a job. The mode is that of scripts.
func write(t testing.TB, j *Job, name, text string) {
	t.Helper()
	name = filepath.Join(j.Root, name)
	require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o700))
	require.NoError(t, os.WriteFile(name, []byte(text), 0o700))
}

// mentions returns a function that reports whether what a log has of a service has
// become more.
func mentions(log func() string, name string) func() bool {
	before := strings.Count(log(), name)
	return func() bool { return strings.Count(log(), name) > before }
}

// differs returns a function that reports whether a command prints something else
// than before.
func differs(t testing.TB, j *Job, program string, args ...string) func() bool {
	before := run(t, j, program, args...)
	return func() bool { return run(t, j, program, args...) != before }
}

// debian returns the version of a package that has a program.
func debian(program, pkg string) (string, error) {
	if _, err := exec.LookPath(program); err != nil {
		return "", fmt.Errorf("%s is not installed", program)
	}
	out, err := exec.Command("dpkg-query", "-W", "-f", "${Version}", pkg).Output()
	if err != nil {
		return "of an unknown version", nil // it does not come from a package
	}
	return string(out), nil
}
