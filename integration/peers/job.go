//go:build integration

package peers

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/ports"
)

// Job is what is to be done: services, each of which is to run whatever happens.
type Job struct {
	// Root is the directory that everything is in.
	Root string
	// Engine is the Benthos of the streams, empty where there are none.
	Engine   string
	Services []*Service
}

// Service is a process of the job.
type Service struct {
	Name string
	// Command is what is run, in any directory.
	Command []string
	// Stream is what a Benthos runs, nil for a sleeper, and Ready the HOST:PORT at which
	// it is asked whether it is ready.
	Stream *benthos.Config
	Ready  string

	number  int    // of a sleeper
	root    string // of a stream
	input   string // HOST:PORT where a stream takes messages
	changes int
}

// Sleepers is a job of services that do nothing. Each is ready once its process is
// there.
func Sleepers(root string, n int) *Job {
	j := &Job{Root: root}
	for number := range n {
		s := &Service{Name: fmt.Sprintf("w%04d", number), number: number}
		s.rewrite()
		j.Services = append(j.Services, s)
	}
	return j
}

// Streams is a job of Benthos that wait for messages on a port of their own. Each is
// ready once it answers 200 on /ready.
func Streams(t testing.TB, root, engine string, n int) *Job {
	t.Helper()
	j := &Job{Root: root, Engine: engine}
	free := &ports.Allocator{First: firstPort, Last: firstPort + 9999, Check: func(port uint16) error { return ports.Check(local(port)) }}
	port := func(of string) uint16 {
		p, err := free.Allocate(of)
		require.NoError(t, err)
		return p
	}
	for number := range n {
		s := &Service{Name: fmt.Sprintf("stream%04d", number), root: root, input: local(port(fmt.Sprint("input ", number)))}
		s.Stream = &benthos.Config{
			MetricsPort: port(s.Name),
			Input: map[string]any{"http_server": map[string]any{
				"address": s.input, "path": s.path(), "allowed_verbs": []any{"POST"},
			}},
			Output: map[string]any{"stdout": map[string]any{"codec": "lines"}},
		}
		s.Ready = s.Stream.EndpointAddr()
		s.Command = []string{engine, "-c", s.file()}
		s.write(t)
		j.Services = append(j.Services, s)
	}
	return j
}

// firstPort is the first of the ports of a job, below those that the kernel gives to
// outgoing connections.
const firstPort = 21000

func local(port uint16) string { return fmt.Sprintf("127.0.0.1:%d", port) }

// file is where the configuration of a stream is.
func (s *Service) file() string { return filepath.Join(s.root, s.Name+".benthos.yaml") }

// path is where a stream takes messages.
func (s *Service) path() string { return fmt.Sprint("/change", s.changes) }

// write writes the configuration of a stream.
func (s *Service) write(t testing.TB) {
	t.Helper()
	text, err := s.Stream.Render()
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(s.file(), text, 0o600))
}

// rewrite makes the command of a sleeper, by which its process is known.
func (s *Service) rewrite() {
	s.Command = []string{"sleep", fmt.Sprint(100_000_000 + 1_000_000*s.changes + s.number)}
}

// Change has a service be another one: a sleeper with another number, a stream that
// takes messages on another path.
func (j *Job) Change(t testing.TB, s *Service) {
	t.Helper()
	s.changes++
	if s.Stream == nil {
		s.rewrite()
		return
	}
	s.Stream.Input["http_server"].(map[string]any)["path"] = s.path()
	s.write(t)
}

// Shell returns the command of a service as a shell takes it.
func (s *Service) Shell() string { return strings.Join(s.Command, " ") }

// Is reports whether a process with these arguments, in this directory, is that of
// the service: a sleeper's number is its own, and the name of a stream is in the one
// or the other.
func (s *Service) Is(args []string, dir string) bool {
	if len(args) == 0 || filepath.Base(args[0]) != filepath.Base(s.Command[0]) {
		return false
	}
	if s.Stream == nil {
		return len(args) == 2 && args[1] == s.Command[1]
	}
	where := dir + " " + strings.Join(args, " ")
	return strings.Contains(where, s.root) && strings.Contains(where, s.Name)
}

// client asks engines, one connection a question, as somebody does who has not asked
// before.
var client = http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}

// Answers reports whether a stream answers 200 on /ready. A sleeper always does.
func (s *Service) Answers() bool {
	return s.Stream == nil || ok(client.Get("http://"+s.Ready+"/ready"))
}

// Takes reports whether a stream takes messages as it was changed last. A sleeper
// always does.
func (s *Service) Takes() bool {
	return s.Stream == nil || ok(client.Post("http://"+s.input+s.path(), "text/plain", strings.NewReader("hello")))
}

func ok(resp *http.Response, err error) bool {
	if err != nil {
		return false
	}
	resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}
