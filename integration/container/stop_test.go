//go:build container

package container

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/internal/proc"
)

// load posts messages to every instance, one after the other, until end is
// called; that returns those that were answered with 200.
func (c *container) load() (end func() []string) {
	var mu sync.Mutex
	var accepted []string
	var posters sync.WaitGroup
	over := make(chan struct{})
	for n := range five {
		posters.Go(func() {
			for number := 0; ; number++ {
				select {
				case <-over:
					return
				case <-time.After(2 * time.Millisecond):
				}
				message := fmt.Sprintf(`{"load":%d,"at":%d,"number":%d}`, n, time.Now().UnixNano(), number)
				if c.post(n, message, 0) == nil {
					mu.Lock()
					accepted = append(accepted, message)
					mu.Unlock()
				}
			}
		})
	}
	return func() []string {
		close(over)
		posters.Wait()
		return accepted
	}
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
	c := start(t, nil)
	c.serving()
	end := c.load()
	held := make(chan error, five)
	for n := range five {
		go func() { held <- c.post(n, fmt.Sprintf(`{"held":%d}`, n), time.Second) }()
	}
	begun := time.Now()
	eventually(t, patience, "the load is under way", func() bool { return time.Since(begun) > 500*time.Millisecond })
	took := c.stop()
	accepted := end()
	for range five {
		assert.NoError(t, <-held, "a request that was under way")
	}
	t.Logf("docker stop took %v; %d messages were answered with 200", took, len(accepted))
	assert.Equal(t, "0", c.inspect("{{.State.ExitCode}}"), "Docker did not have to kill it")
	assert.NotEmpty(t, accepted)
	c.allLogged(append(accepted, `{"held":0}`, `{"held":4}`))
}

func TestStopWhileItStarts(t *testing.T) {
	t.Parallel()
	for _, after := range []time.Duration{0, 100 * time.Millisecond, 300 * time.Millisecond, 600 * time.Millisecond, time.Second} {
		c := start(t, nil)
		pid, err := strconv.Atoi(c.inspect("{{.State.Pid}}"))
		require.NoError(t, err)
		eventually(t, patience, "PID 1 reads signals", func() bool {
			reads, err := proc.System.Holds(pid, "anon_inode:[signalfd]")
			return err == nil && reads
		})
		begun := time.Now()
		eventually(t, patience, "the time has come", func() bool { return time.Since(begun) > after })
		took := c.stop()
		t.Logf("stopped after %v: it took %v", after, took)
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
		// What comes before init has its handlers the kernel drops: it is PID 1.
		eventually(t, patience, "init has begun", func() bool {
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

// deaf is an engine that takes no notice of being told to stop.
const deaf = `#!/bin/sh
[ "$1" = -c ] || exec /usr/local/bin/benthos "$@"
trap '' TERM
while :; do sleep 1; done
`

func TestStopKillsWhatIsDeaf(t *testing.T) {
	t.Parallel()
	t.Run("engines", func(t *testing.T) {
		t.Parallel()
		engine := filepath.Join(t.TempDir(), "deaf")
		require.NoError(t, os.WriteFile(engine, []byte(deaf), 0o755))
		c := start(t, []string{"-v", engine + ":/deaf:ro"}, "-benthos", "/deaf")
		eventually(t, patience, "they run", func() bool {
			return strings.Count(c.exec("for s in "+scanDir+"/benthos-*; do s6-svstat -o up $s; done 2>/dev/null || true"), "true") == five
		})
		c.stopsUnkilled()
	})
	t.Run("a stranger that s6 does not kill", func(t *testing.T) {
		t.Parallel()
		c := start(t, nil)
		c.serving()
		c.exec(`mkdir /tmp/deaf && printf '#!/bin/sh\ntrap "" TERM\nwhile :; do sleep 1; done\n' >/tmp/deaf/run && chmod +x /tmp/deaf/run &&
			ln -s /tmp/deaf ` + scanDir + `/deaf && s6-svscanctl -a ` + scanDir)
		eventually(t, patience, "it runs", func() bool {
			return c.exec("s6-svstat -o up "+scanDir+"/deaf || true") == "true"
		})
		c.stopsUnkilled()
	})
	t.Run("a process of nobody", func(t *testing.T) {
		t.Parallel()
		c := start(t, nil)
		c.serving()
		mustDocker(t, "exec", "-d", c.name, "sh", "-c", `trap "" TERM; while :; do sleep 1; done`)
		c.stopsUnkilled()
	})
}

// stopsUnkilled checks that docker stop ends the container without Docker's
// own kill, which comes after ten seconds and makes the exit code 137.
func (c *container) stopsUnkilled() {
	c.t.Helper()
	took := c.stop()
	c.t.Logf("docker stop took %v", took)
	assert.Equal(c.t, "0", c.inspect("{{.State.ExitCode}}"))
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
