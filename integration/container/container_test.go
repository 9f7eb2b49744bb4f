//go:build container

package container

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/integration/harness"
)

const five = 5

// The ports inside the container.
const (
	httpPort    = 8080
	metricsPort = 9080
)

// scanDir is the scan directory inside the container.
const scanDir = "/run/service"

// docker runs the client and returns what it printed, without the newline at
// the end; the error holds what it said.
func docker(args ...string) (string, error) {
	var stdout, stderr bytes.Buffer
	cmd := exec.Command("docker", args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return strings.TrimSpace(stdout.String()), fmt.Errorf("docker %q: %w: %s", args, err, strings.TrimSpace(stderr.String()))
	}
	return strings.TrimSpace(stdout.String()), nil
}

func mustDocker(t testing.TB, args ...string) string {
	t.Helper()
	out, err := docker(args...)
	require.NoError(t, err)
	return out
}

// unique returns a name that nothing else has.
func unique() string { return fmt.Sprintf("evenkeel-test-%d-%d", os.Getpid(), time.Now().UnixNano()) }

// container is a container of this test, removed with it.
type container struct {
	t     testing.TB
	name  string
	ports map[int]string // port inside to address outside
	begun time.Time
}

// start runs the image with all ports published on loopback, options for
// docker run and flags for fivebenthos.
func start(t testing.TB, options []string, flags ...string) *container {
	t.Helper()
	return startImage(t, image, options, flags...)
}

func startImage(t testing.TB, image string, options []string, flags ...string) *container {
	t.Helper()
	c := &container{t: t, name: unique()}
	args := []string{"run", "-d", "--name", c.name}
	for n := range five {
		args = append(args, "-p", fmt.Sprintf("127.0.0.1::%d", httpPort+n), "-p", fmt.Sprintf("127.0.0.1::%d", metricsPort+n))
	}
	t.Cleanup(func() {
		if t.Failed() {
			logs, _ := exec.Command("docker", "logs", c.name).CombinedOutput()
			t.Logf("%s printed:\n%s", c.name, logs)
		}
		_, _ = docker("rm", "-f", "-v", c.name)
	})
	c.begun = time.Now()
	mustDocker(t, append(append(append(args, options...), image), flags...)...)
	c.findPorts()
	return c
}

// findPorts finds out where the ports are published; this differs after each
// start.
func (c *container) findPorts() {
	c.t.Helper()
	var ports map[string][]struct{ HostIP, HostPort string }
	text := mustDocker(c.t, "inspect", "-f", "{{json .NetworkSettings.Ports}}", c.name)
	require.NoError(c.t, json.Unmarshal([]byte(text), &ports))
	c.ports = make(map[int]string)
	for port, at := range ports {
		number, err := strconv.Atoi(strings.TrimSuffix(port, "/tcp"))
		require.NoError(c.t, err)
		if len(at) > 0 {
			c.ports[number] = at[0].HostIP + ":" + at[0].HostPort
		}
	}
}

// exec runs a shell script inside, as the container's user, and returns what
// it printed.
func (c *container) exec(script string) string {
	c.t.Helper()
	return mustDocker(c.t, "exec", c.name, "sh", "-c", script)
}

// get asks a port of the container.
func (c *container) get(port int, path string) (status int, body string, err error) {
	return harness.Get("http://" + c.ports[port] + path)
}

// post sends a message to an instance; nil means that it was answered with 200.
func (c *container) post(n int, message string, delay time.Duration) error {
	return harness.Post("http://"+c.ports[httpPort+n]+"/", message, delay)
}

// ready reports whether an instance says that it is.
func (c *container) ready(n int) bool {
	status, _, err := c.get(metricsPort+n, "/ready")
	return err == nil && status == http.StatusOK
}

// serving waits until all five are ready and returns their process ids inside.
func (c *container) serving() [five]int {
	c.t.Helper()
	for n := range five {
		harness.Eventually(c.t, fmt.Sprintf("benthos-%d is ready", n), func() bool { return c.ready(n) })
	}
	return c.pids()
}

// pids returns the process ids of the five, as s6-svstat says them.
func (c *container) pids() (pids [five]int) {
	c.t.Helper()
	for n, text := range strings.Fields(c.exec("for n in 0 1 2 3 4; do s6-svstat -o pid " + scanDir + "/benthos-$n; done")) {
		pid, err := strconv.Atoi(text)
		require.NoError(c.t, err)
		pids[n] = pid
	}
	return pids
}

// pid returns the process id of a service inside, -1 for none and while nobody
// supervises it.
func (c *container) pid(service string) int {
	c.t.Helper()
	pid, err := strconv.Atoi(c.exec("s6-svstat -o pid " + scanDir + "/" + service + " || echo -1"))
	require.NoError(c.t, err)
	return pid
}

// signal sends a signal to one process inside.
func (c *container) signal(name string, pid int) {
	c.t.Helper()
	require.Greater(c.t, pid, 1)
	c.exec(fmt.Sprintf("kill -%s %d", name, pid))
}

// inspect returns what a template makes of the container.
func (c *container) inspect(template string) string {
	c.t.Helper()
	return mustDocker(c.t, "inspect", "-f", template, c.name)
}

func (c *container) running() bool { return c.inspect("{{.State.Running}}") == "true" }

func (c *container) health() string { return c.inspect("{{.State.Health.Status}}") }

// ended waits until the container has ended by itself and returns its exit
// code.
func (c *container) ended() string {
	c.t.Helper()
	return c.endedWithin(harness.Patience)
}

func (c *container) endedWithin(time time.Duration) string {
	c.t.Helper()
	harness.EventuallyWithin(c.t, time, "the container ends", func() bool { return !c.running() })
	return c.inspect("{{.State.ExitCode}}")
}

// stop is docker stop. Docker would kill what has not ended when the patience
// of the test is over; benchmarks measure how much of its ten seconds is left.
func (c *container) stop() {
	c.t.Helper()
	mustDocker(c.t, "stop", "-t", strconv.Itoa(int(harness.Patience.Seconds())), c.name)
}

// output returns what the container printed so far.
func (c *container) output() string {
	out, err := exec.Command("docker", "logs", c.name).CombinedOutput()
	require.NoError(c.t, err)
	return string(out)
}

// logged returns all log files of the five. The container may have ended.
func (c *container) logged() string {
	c.t.Helper()
	return mustDocker(c.t, "run", "--rm", "--user", "0", "--volumes-from", c.name, image, "sh", "-c",
		"cat /data/logs/benthos-*/@* /data/logs/benthos-*/current 2>/dev/null || true")
}
