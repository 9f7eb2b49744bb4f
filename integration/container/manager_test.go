//go:build container

package container

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/integration/harness"
)

// managers prints the process ids of all fivebenthos that run inside. It leaves
// out the health check, which ends by itself.
const managers = `for p in /proc/[0-9]*; do [ "$(cat $p/comm)" = fivebenthos ] || continue
	case $(tr '\0' ' ' <$p/cmdline) in *-healthcheck*) ;; *) echo ${p#/proc/} ;; esac; done 2>/dev/null; true`

// The manager's own supervisor is killed: s6 starts another one, and that one a
// second fivebenthos beside the first, which goes on. The streams go on, with
// one manager, whether the first hears anything or not.
func TestSupervisorOfTheManagerIsKilled(t *testing.T) {
	t.Parallel()
	for name, deaf := range map[string]bool{"it goes on": false, "it is stopped": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := start(t, nil)
			before := c.serving()
			harness.Eventually(t, "it is healthy", func() bool { return c.health() == "healthy" })
			for range 2 {
				old := c.pid("fivebenthos")
				supervisor, err := strconv.Atoi(c.exec("cut -d' ' -f4 /proc/" + strconv.Itoa(old) + "/stat"))
				require.NoError(t, err)
				if deaf {
					c.signal("STOP", old)
				}
				c.signal("KILL", supervisor)
				harness.Eventually(t, "one other manages", func() bool {
					now := c.exec(managers)
					return now == strconv.Itoa(c.pid("fivebenthos")) && now != strconv.Itoa(old)
				})
				harness.Eventually(t, "it says so", func() bool {
					return strings.Contains(c.output(), `a process that has lost its supervisor was killed: what it kept is adopted" pid=`+strconv.Itoa(old)+"\n")
				})
			}
			harness.Eventually(t, "it is ready", func() bool { return c.exec("s6-svstat -o ready "+scanDir+"/fivebenthos") == "true" })
			harness.Eventually(t, "it is healthy", func() bool { return c.health() == "healthy" })
			assert.Equal(t, before, c.serving())
			c.stop()
			assert.Equal(t, "0", c.inspect("{{.State.ExitCode}}"))
		})
	}
}

// A manager that makes no pass keeps its locks, and its streams go on.
func TestManagerThatIsStoppedIsUnhealthy(t *testing.T) {
	t.Parallel()
	c := start(t, nil)
	before := c.serving()
	harness.Eventually(t, "it is healthy", func() bool { return c.health() == "healthy" })
	pid := c.pid("fivebenthos")
	c.signal("STOP", pid)
	c.unhealthy("process " + strconv.Itoa(pid) + ", which is stopped (SIGSTOP), makes no pass: the last one was at ")
	c.signal("CONT", pid)
	harness.Eventually(t, "it is healthy again", func() bool { return c.health() == "healthy" })
	assert.Equal(t, before, c.serving())
}

// What is said of a fivebenthos that is killed while the container ends is what
// was seen, and not why. Its supervisor kills it early, so that it is dead well
// before the container kills what is left.
func TestManagerIsKilledDuringTheStop(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		kill   string // the supervisor's timeout-kill
		script string // with the process id of fivebenthos
		says   string
	}{
		"by somebody": {
			"7800",
			"until [ -e " + scanDir + "/.s6-svscan/ending/since ]; do sleep 0.1; done; kill -KILL $1",
			`ended by signal 9, [0-5]\.\d s after the container was told to end \(its supervisor kills it after 7\.8 s\)`,
		},
		"by its supervisor, for it is stopped again and again": {
			"3000",
			"while kill -STOP $1; do sleep 0.01; done",
			`ended by signal 9, [3-7]\.\d s after the container was told to end \(its supervisor kills it after 3\.0 s\)`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "timeout-kill")
			require.NoError(t, os.WriteFile(file, []byte(c.kill+"\n"), 0o644))
			con := startDeaf(t, "-v", file+":/usr/local/lib/evenkeel/service/timeout-kill:ro") // it waits for them
			mustDocker(t, "exec", "-d", con.name, "sh", "-c", "touch /tmp/begun; "+c.script, "sh", strconv.Itoa(con.pid("fivebenthos")))
			harness.Eventually(t, "the script has begun", func() bool { return con.exec("ls /tmp") == "begun" })
			con.stop()
			assert.Equal(t, "137", con.inspect("{{.State.ExitCode}}"))
			assert.Regexp(t, c.says, con.output())
		})
	}
}
