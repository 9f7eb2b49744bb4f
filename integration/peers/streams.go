//go:build integration

package peers

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"github.com/evenkeel/evenkeel/integration/harness"
)

// streamsMode is one engine that runs all streams. Nobody restarts it.
type streamsMode struct {
	engine  string
	job     *Job
	program *harness.Program
}

func (m *streamsMode) Version() (string, error) {
	out, err := exec.Command(m.engine, "--version").Output()
	return strings.TrimPrefix(string(regexp.MustCompile(`Version: \S+`).Find(out)), "Version: "), err
}

// stream returns what the engine is given of a stream.
func (m *streamsMode) stream(t testing.TB, s *Service) string {
	t.Helper()
	text, err := yaml.Marshal(map[string]any{"input": s.Stream.Input, "output": s.Stream.Output})
	require.NoError(t, err)
	return string(text)
}

func (m *streamsMode) Start(t testing.TB, j *Job) {
	t.Helper()
	m.job = j
	all := j.Services[0].Stream.EndpointAddr()
	write(t, j, "all.yaml", "http: {address: '"+all+"'}\nmetrics: {prometheus: {}}\n")
	args := []string{"-c", "all.yaml", "streams"}
	for _, s := range j.Services {
		s.Ready = all
		write(t, j, "streams/"+s.Name+".yaml", m.stream(t, s))
		args = append(args, filepath.Join(j.Root, "streams", s.Name+".yaml"))
	}
	m.program = start(t, j, m.engine, args...)
}

func (m *streamsMode) Ended(testing.TB, *Service) func() bool { return nil }

// Change puts a stream in the place of the one before, by the engine's own API.
func (m *streamsMode) Change(t testing.TB, s *Service) {
	t.Helper()
	r, err := http.NewRequest(http.MethodPut, "http://"+s.Ready+"/streams/"+s.Name, strings.NewReader(m.stream(t, s)))
	require.NoError(t, err)
	go func() { ok(client.Do(r)) }()
}

func (m *streamsMode) Stop(testing.TB) {
	if m.program.Runs() {
		m.program.Signal(syscall.SIGTERM)
	}
}

// engine returns the Benthos that is measured.
func engine() (string, error) {
	name := os.Getenv("EVENKEEL_BENTHOS")
	if name == "" {
		name = "../../bin/benthos"
	}
	name, err := filepath.Abs(name)
	if err != nil {
		return "", err
	}
	_, err = exec.LookPath(name)
	return name, err
}
