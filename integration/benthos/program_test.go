//go:build integration

package benthos

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// home is a directory and ports in which fivebenthos is run, time and again.
// All that runs in it is ended with the test.
type home struct {
	t                     testing.TB
	root                  string
	engine                string
	httpPort, metricsPort int
}

const five = 5

func newHome(t testing.TB, engine string) *home {
	t.Helper()
	h := &home{t: t, root: newRoot(t), engine: engine}
	h.httpPort = freePorts(t, 2*five)
	h.metricsPort = h.httpPort + five
	t.Cleanup(func() {
		if t.Failed() {
			killAll(h.root)
		}
	})
	return h
}

// program is one run of fivebenthos.
type program struct {
	h              *home
	cmd            *exec.Cmd
	stdout, stderr *output
	exited         chan struct{}
}

// output collects what a process prints.
type output struct {
	mu   sync.Mutex // guards data
	data []byte
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.data = append(o.data, p...)
	return len(p), nil
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return string(o.data)
}

// command returns a run of fivebenthos that has not begun.
func (h *home) command(args ...string) *exec.Cmd {
	cmd := exec.Command(fivebenthos(h.t), append([]string{
		"-dir", h.root, "-benthos", h.engine,
		"-http-port", strconv.Itoa(h.httpPort), "-metrics-port", strconv.Itoa(h.metricsPort),
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
	p := &program{h: h, cmd: cmd, stdout: new(output), stderr: new(output), exited: make(chan struct{})}
	if cmd.Stdout == nil {
		cmd.Stdout, cmd.Stderr = p.stdout, p.stderr
	}
	cmd.WaitDelay = time.Second
	require.NoError(h.t, cmd.Start())
	go func() {
		defer close(p.exited)
		_ = cmd.Wait() // ProcessState tells
	}()
	h.t.Cleanup(func() {
		_ = cmd.Process.Kill() // it has ended where the test has not failed
		<-p.exited
		if h.t.Failed() {
			h.t.Logf("%s\nstdout:\n%s\nstderr:\n%s", cmd, p.stdout, p.stderr)
		}
	})
	return p
}

// end waits until the program has ended by itself and returns its exit code.
func (p *program) end(within time.Duration) int {
	p.h.t.Helper()
	select {
	case <-p.exited:
	case <-time.After(within):
		_ = p.cmd.Process.Signal(syscall.SIGQUIT) // for its stacks
		<-p.exited
		require.FailNow(p.h.t, "it does not end", "%s\n%s", p.stdout, p.stderr)
	}
	return p.cmd.ProcessState.ExitCode()
}

// interrupt ends the program as Ctrl-C does, and checks that it ends well and
// leaves nothing behind.
func (p *program) interrupt(signal os.Signal) {
	p.h.t.Helper()
	require.NoError(p.h.t, p.cmd.Process.Signal(signal))
	require.Zero(p.h.t, p.end(patience), "%s\n%s", p.stdout, p.stderr)
	assert.Empty(p.h.t, p.stderr.String())
	noneLeft(p.h.t, p.h.root)
}

// slay kills the program as nothing can be refused.
func (p *program) slay() {
	p.h.t.Helper()
	if err := p.cmd.Process.Kill(); !errors.Is(err, os.ErrProcessDone) {
		require.NoError(p.h.t, err)
	}
	<-p.exited
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
		eventually(h.t, patience, instance(n)+" is ready", func() bool {
			status, _, err := h.get(n, "/ready")
			return err == nil && status == http.StatusOK
		})
		eventually(h.t, patience, instance(n)+" takes messages", func() bool {
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
	return request(http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d%s", h.metricsPort+n, path), "", 0)
}

// post sends a message; nil means that it was answered with 200.
func (h *home) post(n int, message string, delay time.Duration) error {
	return post(h.httpPort+n, message, delay)
}

// post sends a message to a stream's port; nil means that it was answered with
// 200. The streams of these tests hold it back for the delay.
func post(port int, message string, delay time.Duration) error {
	status, body, err := request(http.MethodPost, fmt.Sprintf("http://127.0.0.1:%d/", port), message, delay)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("status %d: %s", status, body)
	}
	return err
}

func request(method, url, body string, delay time.Duration) (status int, answer string, err error) {
	client := http.Client{Timeout: 10*time.Second + delay, Transport: &http.Transport{DisableKeepAlives: true}}
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	// As curl -d does.
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if delay > 0 {
		req.Header.Set("Delay", delay.String())
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(data), err
}

// logged returns how often a text is in the log files of an instance.
func (h *home) logged(n int, text string) int {
	h.t.Helper()
	return logged(h.t, filepath.Join(h.root, "logs", instance(n)), text)
}

func logged(t testing.TB, dir, text string) (count int) {
	t.Helper()
	for _, pattern := range []string{"current", "@*"} {
		files, err := filepath.Glob(filepath.Join(dir, pattern))
		require.NoError(t, err)
		for _, file := range files {
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			count += bytes.Count(data, []byte(text))
		}
	}
	return count
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

// transitions reads the lines of fivebenthos -json, without one that is not
// whole yet.
func (p *program) transitions() (all []transition) {
	p.h.t.Helper()
	for line := range strings.Lines(p.stdout.String()) {
		if !strings.HasSuffix(line, "\n") {
			break
		}
		var tr transition
		require.NoError(p.h.t, json.Unmarshal([]byte(line), &tr), line)
		all = append(all, tr)
	}
	return all
}

// await waits until an event was seen so many times, of any instance.
func (p *program) await(event string, times int) {
	p.h.t.Helper()
	eventually(p.h.t, patience, fmt.Sprintf("%s, %d times", event, times), func() bool {
		seen := 0
		for _, tr := range p.transitions() {
			if tr.Event == event {
				seen++
			}
		}
		return seen >= times
	})
}
