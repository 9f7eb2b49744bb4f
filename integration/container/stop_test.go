//go:build container

package container

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/integration/harness"
	"github.com/evenkeel/evenkeel/internal/proc"
)

// load begins to post messages to every instance, and returns once each has
// taken some.
func (c *container) load() *harness.Load {
	c.t.Helper()
	l := harness.NewLoad(five,
		func(n, number int) string {
			return fmt.Sprintf(`{"load":%d,"at":%d,"number":%d}`, n, time.Now().UnixNano(), number)
		},
		func(n int, message string) error { return c.post(n, message, 0) })
	c.t.Cleanup(l.End)
	harness.Eventually(c.t, "the load is under way", func() bool { return l.Count() >= 20 })
	return l
}

// accepted ends a load and returns what was answered with 200.
func (c *container) accepted(l *harness.Load) []string {
	c.t.Helper()
	l.End()
	all := slices.Concat(l.Accepted()...)
	require.NotEmpty(c.t, all)
	return all
}

// allLogged checks that messages are in the log.
func (c *container) allLogged(messages []string) {
	c.t.Helper()
	logged := c.logged()
	for _, message := range messages {
		if !strings.Contains(logged, message) {
			assert.Fail(c.t, "a message that was answered with 200 is not in the log", message)
		}
	}
}

func TestStopUnderLoad(t *testing.T) {
	t.Parallel()
	c := start(t, nil)
	c.serving()
	held := make(chan error, five)
	for n := range five {
		before := c.received(n)
		go func() { held <- c.post(n, fmt.Sprintf(`{"held":%d}`, n), time.Second) }()
		harness.Eventually(t, "the stream has taken the message", func() bool { return c.received(n) > before })
	}
	l := c.load()
	c.stop()
	accepted := c.accepted(l)
	for range five {
		assert.NoError(t, <-held, "a request that was under way")
	}
	assert.Equal(t, "0", c.inspect("{{.State.ExitCode}}"))
	c.allLogged(append(accepted, `{"held":0}`, `{"held":4}`))
}

// received returns how many messages an instance says that it has taken.
func (c *container) received(n int) uint64 {
	c.t.Helper()
	return harness.Received(c.t, c.ports[metricsPort+n])
}

func TestStopWhileItStarts(t *testing.T) {
	t.Parallel()
	for _, after := range []time.Duration{0, 100 * time.Millisecond, 300 * time.Millisecond, 600 * time.Millisecond, time.Second} {
		c := start(t, nil)
		pid, err := strconv.Atoi(c.inspect("{{.State.Pid}}"))
		require.NoError(t, err)
		harness.Eventually(t, "PID 1 reads signals", func() bool {
			reads, err := proc.System.Holds(pid, "anon_inode:[signalfd]")
			return err == nil && reads
		})
		harness.Pause(t, after, "it starts")
		c.stop()
		assert.Equal(t, "0", c.inspect("{{.State.ExitCode}}"))
	}
}

func TestStopBeforeItStarts(t *testing.T) {
	t.Parallel()
	for _, signal := range []string{"INT", "HUP", "QUIT", "TERM"} {
		dir := t.TempDir()
		slow := filepath.Join(dir, "slow") // one of the programs that init needs
		require.NoError(t, os.WriteFile(slow, []byte("#!/bin/sh\nuntil [ -e /gate/open ]; do sleep 0.1; done\n"), 0o755))
		require.NoError(t, os.Chmod(dir, 0o755))
		c := start(t, []string{"-v", slow + ":/usr/bin/findmnt:ro", "-v", dir + ":/gate:ro"})
		// The kernel drops signals that come before init has its handlers, for
		// it is PID 1.
		harness.Eventually(t, "init has begun", func() bool {
			out, err := docker("top", c.name)
			return err == nil && strings.Contains(out, "findmnt")
		})
		mustDocker(t, "kill", "-s", signal, c.name)
		require.NoError(t, os.WriteFile(filepath.Join(dir, "open"), nil, 0o644))
		assert.Equal(t, "0", c.ended(), signal)
		assert.Empty(t, c.output(), signal)
	}
}

func TestEachSignalThatEndsProgramsStops(t *testing.T) {
	t.Parallel()
	for _, signal := range []string{"INT", "HUP", "QUIT", "TERM"} {
		c := start(t, nil)
		c.serving()
		mustDocker(t, "kill", "-s", signal, c.name)
		_, _ = docker("kill", "-s", signal, c.name) // it may have ended
		assert.Equal(t, "0", c.ended(), signal)
	}
}

// deaf is an engine that ignores being told to stop.
const deaf = `#!/bin/sh
[ "$1" = -c ] || exec /usr/local/bin/benthos "$@"
trap '' TERM
while :; do sleep 1; done
`

// startDeaf starts a container with five of them.
func startDeaf(t testing.TB, options ...string) *container {
	engine := filepath.Join(t.TempDir(), "deaf")
	require.NoError(t, os.WriteFile(engine, []byte(deaf), 0o755))
	c := start(t, append(options, "-v", engine+":/deaf:ro"), "-benthos", "/deaf")
	harness.Eventually(t, "they run", func() bool {
		return strings.Count(c.exec("for s in "+scanDir+"/benthos-*; do s6-svstat -o up $s; done 2>/dev/null || true"), "true") == five
	})
	return c
}

// deafOnes are containers with a process that ignores being told to end, each
// of a different kind.
var deafOnes = map[string]func(t testing.TB) *container{
	"engines": func(t testing.TB) *container { return startDeaf(t) },
	"a stranger that s6 does not kill": func(t testing.TB) *container {
		c := start(t, nil)
		c.serving()
		c.exec(`mkdir /tmp/deaf && printf '#!/bin/sh\ntrap "" TERM\nwhile :; do sleep 1; done\n' >/tmp/deaf/run && chmod +x /tmp/deaf/run &&
			ln -s /tmp/deaf ` + scanDir + `/deaf && s6-svscanctl -a ` + scanDir)
		harness.Eventually(t, "it runs", func() bool {
			return c.exec("s6-svstat -o up "+scanDir+"/deaf || true") == "true"
		})
		return c
	},
	"a process of nobody": func(t testing.TB) *container {
		c := start(t, nil)
		c.serving()
		mustDocker(t, "exec", "-d", c.name, "sh", "-c", `trap "" TERM; while :; do sleep 1; done`)
		return c
	},
}

// What is deaf is killed, and not by Docker. BenchmarkStopOfTheDeaf measures
// how much of Docker's ten seconds is left.
func TestStopKillsWhatIsDeaf(t *testing.T) {
	t.Parallel()
	for name, make := range deafOnes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			make(t).stopsUnkilled()
		})
	}
}

// stopsUnkilled checks that docker stop ends the container without a kill by
// Docker.
func (c *container) stopsUnkilled() {
	c.t.Helper()
	// Docker remembers some hundred events, and each command in a container is three.
	sent := new(harness.Output)
	watch := exec.Command("docker", "events", "--since", strconv.FormatInt(c.begun.Unix(), 10), "--filter", "container="+c.name,
		"--filter", "event=kill", "--filter", "event=die", "--format", "{{.Action}} {{with .Actor.Attributes.signal}}{{.}}{{end}}")
	watch.Stdout = sent
	require.NoError(c.t, watch.Start())
	defer func() { _ = watch.Wait() }()
	defer func() { _ = watch.Process.Kill() }()
	c.stop()
	harness.Eventually(c.t, "Docker tells its end", func() bool { return strings.Contains(sent.String(), "die") })
	assert.Equal(c.t, []string{"kill", "15", "die"}, strings.Fields(sent.String()), "signals from Docker")
}

func TestStopWithALinkThatLeadsNowhere(t *testing.T) {
	t.Parallel()
	c := start(t, nil)
	c.serving()
	c.exec("ln -s /nowhere " + scanDir + "/lost && s6-svscanctl -a " + scanDir)
	c.stop()
	assert.Equal(t, "0", c.inspect("{{.State.ExitCode}}"))
}

func TestRestartKeepsLogs(t *testing.T) {
	t.Parallel()
	c := start(t, nil)
	for n := range 3 {
		c.serving()
		require.NoError(t, c.post(1, fmt.Sprintf(`{"restart":%d}`, n), 0))
		if n == 1 {
			mustDocker(t, "kill", c.name)
			mustDocker(t, "start", c.name)
		} else {
			mustDocker(t, "restart", c.name)
		}
		c.findPorts()
	}
	c.serving()
	c.allLogged([]string{`{"restart":0}`, `{"restart":2}`})
}
