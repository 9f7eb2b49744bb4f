//go:build integration

package benthos

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/integration/harness"
)

// home is a directory and ports in which fivebenthos runs several times. All
// that runs in it ends with the test.
type home struct {
	t                     testing.TB
	root                  string
	engine                string
	httpPort, metricsPort int
}

const five = 5

func newHome(t testing.TB, engine string) *home {
	t.Helper()
	h := &home{t: t, root: harness.NewRoot(t), engine: engine}
	h.httpPort = freePorts(t, 2*five)
	h.metricsPort = h.httpPort + five
	return h
}

// program is one run of fivebenthos.
type program struct {
	*harness.Program
	h *home
}

// command returns a run of fivebenthos that has not begun.
func (h *home) command(args ...string) *exec.Cmd {
	cmd := exec.Command(fivebenthos(h.t), append([]string{
		"-dir", h.root, "-benthos", h.engine,
		"-http-port", strconv.Itoa(h.httpPort), "-metrics-port", strconv.Itoa(h.metricsPort),
		"-stop-timeout", harness.Patience.String(),
	}, args...)...)
	// What it does to its process group must not reach the tests.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd
}

// start runs fivebenthos.
func (h *home) start(args ...string) *program {
	h.t.Helper()
	return h.run(h.command(args...))
}

func (h *home) run(cmd *exec.Cmd) *program {
	h.t.Helper()
	return &program{harness.Start(h.t, cmd), h}
}

// interrupt ends the program as Ctrl-C does, and checks that it ends well and
// leaves nothing behind.
func (p *program) interrupt(signal os.Signal) {
	p.T.Helper()
	p.Signal(signal)
	require.Zero(p.T, p.End(), "%s\n%s", p.Stdout, p.Stderr)
	assert.Empty(p.T, p.Stderr.String())
	harness.NoneLeft(p.T, p.h.root)
}

func instance(n int) string { return "benthos-" + strconv.Itoa(n) }

func (h *home) service(name string) string { return filepath.Join(h.root, "services", name) }

// pids returns the engine process of each instance, 0 for none.
func (h *home) pids() (pids [five]int) {
	h.t.Helper()
	for n := range pids {
		of := engines(h.service(instance(n)))
		require.LessOrEqual(h.t, len(of), 1, "%s: %v", instance(n), of)
		if len(of) == 1 {
			pids[n] = of[0]
		}
	}
	return pids
}

// serving waits until every instance answers /ready, and its port takes
// messages, and returns the processes.
func (h *home) serving() [five]int {
	h.t.Helper()
	for n := range five {
		harness.Eventually(h.t, instance(n)+" is ready", func() bool {
			status, _, err := h.get(n, "/ready")
			return err == nil && status == http.StatusOK
		})
		harness.Eventually(h.t, instance(n)+" takes messages", func() bool {
			return h.post(n, fmt.Sprintf(`{"test":"serving","at":%d}`, time.Now().UnixNano()), 0) == nil
		})
	}
	pids := h.pids()
	for n, pid := range pids {
		require.NotZero(h.t, pid, instance(n))
	}
	return pids
}

func (h *home) get(n int, path string) (status int, body string, err error) {
	return harness.Get(fmt.Sprintf("http://127.0.0.1:%d%s", h.metricsPort+n, path))
}

// received returns how many messages an instance says that it has taken.
func (h *home) received(n int) uint64 {
	h.t.Helper()
	return harness.Received(h.t, local(h.metricsPort+n))
}

// post sends a message; nil means that it was answered with 200.
func (h *home) post(n int, message string, delay time.Duration) error {
	return post(h.httpPort+n, message, delay)
}

// post sends a message to a stream's port.
func post(port int, message string, delay time.Duration) error {
	return harness.Post(fmt.Sprintf("http://127.0.0.1:%d/", port), message, delay)
}

// logged returns how often a text is in the log files of an instance.
func (h *home) logged(n int, text string) int {
	h.t.Helper()
	return strings.Count(logs(h.t, h.log(n)), text)
}

func (h *home) log(n int) string { return filepath.Join(h.root, "logs", instance(n)) }

// logs returns what is in the files of a log directory, the archived ones last.
func logs(t testing.TB, dir string) string {
	t.Helper()
	var all strings.Builder
	for _, pattern := range []string{"current", "@*"} {
		files, err := filepath.Glob(filepath.Join(dir, pattern))
		require.NoError(t, err)
		for _, file := range files {
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			all.Write(data)
		}
	}
	return all.String()
}

// transition is a line of fivebenthos -json.
type transition struct {
	At       time.Time
	From, To string
	Event    string
	Phase    string
	Instance string
	Kind     string
}

// transitions reads the lines of fivebenthos -json. It leaves out a line that
// is incomplete, or says something else.
func (p *program) transitions() (all []transition) {
	p.T.Helper()
	for line := range strings.Lines(p.Stdout.String()) {
		if !strings.HasSuffix(line, "\n") {
			break
		}
		var tr transition
		require.NoError(p.T, json.Unmarshal([]byte(line), &tr), line)
		if tr.To != "" {
			all = append(all, tr)
		}
	}
	return all
}

// await waits until an event was seen so many times, of any instance.
func (p *program) await(event string, times int) {
	p.T.Helper()
	harness.Eventually(p.T, fmt.Sprintf("%s, %d times", event, times), func() bool {
		seen := 0
		for _, tr := range p.transitions() {
			if tr.Event == event {
				seen++
			}
		}
		return seen >= times
	})
}
