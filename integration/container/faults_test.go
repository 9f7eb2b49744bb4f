//go:build container

package container

import (
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/integration/harness"
)

func TestKilledFivebenthosAdoptsTheFive(t *testing.T) {
	t.Parallel()
	c := start(t, nil)
	before := c.serving()
	for range 3 {
		old := c.pid("fivebenthos")
		c.signal("KILL", old)
		harness.Eventually(t, "it is back", func() bool { pid := c.pid("fivebenthos"); return pid > 0 && pid != old })
	}
	harness.Eventually(t, "it is ready", func() bool { return c.exec("s6-svstat -o ready "+scanDir+"/fivebenthos") == "true" })
	harness.Eventually(t, "it is healthy", func() bool { return c.health() == "healthy" })
	assert.Equal(t, before, c.pids())
	assert.Contains(t, c.output(), "ended by signal 9")
}

func TestKilledProcessComesBackAlone(t *testing.T) {
	t.Parallel()
	c := start(t, nil)
	before := c.serving()
	back := func(what string, n int) {
		harness.Eventually(t, what, func() bool {
			// A process that waits for the one before to end is never announced.
			announced := c.exec("s6-svstat -o ready "+scanDir+"/"+instance(n)+" 2>/dev/null || true") == "true"
			now := c.pid(instance(n))
			return announced && now > 0 && now != before[n] && c.ready(n)
		})
		after := c.pids()
		for other := range five {
			if other != n {
				assert.Equal(t, before[other], after[other], "%s: %s", what, instance(other))
			}
		}
		before = after
	}
	c.signal("KILL", before[0])
	back("an engine is back", 0)

	supervisor, err := strconv.Atoi(c.exec("cut -d' ' -f4 /proc/" + strconv.Itoa(before[3]) + "/stat"))
	require.NoError(t, err)
	c.signal("KILL", supervisor)
	back("an engine whose supervisor was killed is back", 3)
}

func instance(n int) string { return "benthos-" + strconv.Itoa(n) }

func TestOrphansAreReaped(t *testing.T) {
	t.Parallel()
	c := start(t, nil)
	c.serving()
	const orphans = 1000
	last := func() (pid int) {
		_, err := fmt.Sscan(c.exec("sh -c 'echo $$'"), &pid)
		require.NoError(t, err)
		return pid
	}
	before := last()
	c.exec(fmt.Sprintf("n=0; while [ $n -lt %d ]; do (sleep 0.1 &); n=$((n + 1)); done", orphans))
	assert.Greater(t, last()-before, orphans)
	const left = `n=0; for p in /proc/[0-9]*/stat; do read -r _ name state _ <$p && case "$name$state" in *Z | "(sleep)"*) n=$((n + 1)) ;; esac; done 2>/dev/null; echo $n`
	harness.Eventually(t, "no zombie is left", func() bool { return c.exec(left) == "0" })
}

func TestMemoryLimitKillsOneInstanceAlone(t *testing.T) {
	t.Parallel()
	const limit = 512 << 20
	// While the kernel takes memory back, whatever else asks for memory is
	// killed as well: a health check, a question from inside.
	c := start(t, []string{"--memory", strconv.Itoa(limit), "--memory-swap", strconv.Itoa(limit), "--no-healthcheck"})
	before := c.serving()
	// An instance takes in a whole message before it passes it on.
	go func() { _ = c.post(2, strings.Repeat("x", limit), harness.Patience) }()
	harness.Eventually(t, "it is killed and back", func() bool {
		return strings.Contains(c.output(), "benthos-2 degraded -> idle (recovered)")
	})
	after := c.serving()
	assert.NotEqual(t, before[2], after[2])
	for n := range five {
		if n != 2 {
			assert.Equal(t, before[n], after[n], instance(n))
		}
	}
	assert.True(t, c.running())
}

// Where nothing can be created at all, that is reported, and nothing keeps the
// container from ending.
func TestFirstStartOnAFullDisk(t *testing.T) {
	t.Parallel()
	c := start(t, []string{"--tmpfs", "/data:size=64k,exec"})
	harness.Eventually(t, "it is told", func() bool { return strings.Contains(c.output(), "no space left on device") })
	assert.NotEqual(t, "healthy", c.health())
	c.stopsUnkilled()
}

func TestFullDisk(t *testing.T) {
	t.Parallel()
	c := start(t, []string{"--tmpfs", "/data:size=16m,exec"})
	before := c.serving()
	c.exec("cat /dev/zero >/data/full 2>/dev/null || true")
	for n := range five {
		require.NoError(t, c.post(n, fmt.Sprintf(`{"full":%d}`, n), 0))
	}
	// It comes back on a full disk too.
	old := c.pid("fivebenthos")
	c.signal("KILL", old)
	harness.Eventually(t, "fivebenthos is back", func() bool { pid := c.pid("fivebenthos"); return pid > 0 && pid != old })
	harness.Pause(t, 3*time.Second, "a full disk moves no process")
	assert.Equal(t, before, c.pids())

	c.exec("rm /data/full")
	for n := range five {
		want := fmt.Sprintf(`{"full":%d}`, n)
		harness.Eventually(t, want+" is in the log", func() bool {
			return strings.Contains(c.exec(fmt.Sprintf("cat /data/logs/benthos-%d/current", n)), want)
		})
	}
	assert.Equal(t, before, c.serving())
	status, _, err := c.get(metricsPort, "/ready")
	require.NoError(t, err)
	assert.Equal(t, http.StatusOK, status)
	c.stop()
	assert.Equal(t, "0", c.inspect("{{.State.ExitCode}}"))
}

// On a full disk s6-supervise cannot write that a process has ended.
func TestStopOnAFullDisk(t *testing.T) {
	t.Parallel()
	c := start(t, []string{"--tmpfs", "/data:size=16m,exec"})
	c.serving()
	c.exec("cat /dev/zero >/data/full 2>/dev/null || true")
	c.stop()
	assert.Equal(t, "0", c.inspect("{{.State.ExitCode}}"))
}

// Nor can it write that others have begun, if the whole container starts on a
// full disk.
func TestStartOnAFullDisk(t *testing.T) {
	t.Parallel()
	volume := unique()
	mustDocker(t, "volume", "create", "--opt", "type=tmpfs", "--opt", "device=tmpfs", "--opt", "o=size=16m,mode=1777", volume)
	t.Cleanup(func() { _, _ = docker("volume", "rm", "-f", volume) })
	keeper := start(t, []string{"-v", volume + ":/data"}, "sleep", "1000000")
	c := start(t, []string{"-v", volume + ":/data"})
	c.serving()
	keeper.exec("cat /dev/zero >/data/full 2>/dev/null || true")
	mustDocker(t, "kill", c.name)
	mustDocker(t, "start", c.name)
	c.findPorts()
	for n := range five {
		harness.Eventually(t, instance(n)+" serves", func() bool { return c.ready(n) })
	}
	keeper.exec("rm /data/full")
	last := regexp.MustCompile(`(benthos-\d) \w+ -> (\w+) `)
	harness.Eventually(t, "all are well", func() bool {
		state := make(map[string]string)
		for _, move := range last.FindAllStringSubmatch(c.output(), -1) {
			state[move[1]] = move[2]
		}
		well := 0
		for _, s := range state {
			if s == "idle" || s == "active" {
				well++
			}
		}
		return well == five
	})
	c.serving()
	c.stop()
	assert.Equal(t, "0", c.inspect("{{.State.ExitCode}}"))
}

// Supervisors are killed again within a second, when s6-svscan has to wait for
// them and forgets some.
func TestSupervisorsAreKilledAgainAndAgain(t *testing.T) {
	t.Parallel()
	c := start(t, nil)
	c.serving()
	for range 3 {
		c.exec(`for p in /proc/[0-9]*; do [ "$(cat $p/comm)" = s6-supervise ] || continue
			case $(tr '\0' ' ' <$p/cmdline) in *benthos-*) kill -KILL ${p#/proc/} ;; esac; done 2>/dev/null; true`)
		harness.Pause(t, 300*time.Millisecond, "the next kill comes before a second is over")
	}
	const supervised = "n=0; for s in " + scanDir + "/benthos-* " + scanDir + "/benthos-*/log; do s6-svok $s && n=$((n + 1)); done; echo $n"
	harness.Eventually(t, "each has a supervisor", func() bool { return c.exec(supervised) == "10" })
	harness.Eventually(t, "each has one engine, the one that s6 names", func() bool {
		return c.exec(`for n in 0 1 2 3 4; do s6-svstat -o pid `+scanDir+`/benthos-$n; done | sort -n`) ==
			c.exec(`for p in /proc/[0-9]*; do [ "$(cat $p/comm)" = benthos ] && echo ${p#/proc/}; done 2>/dev/null | sort -n; true`)
	})
	c.serving()
	harness.Eventually(t, "it is healthy", func() bool { return c.health() == "healthy" })
}
