//go:build container

package container

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/integration/harness"
)

// hardened are the options under which both images work.
var hardened = []string{"--read-only", "--tmpfs", "/run", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"}

// declared is a directory of files that the container's user can read.
func declared(t testing.TB) (dir string, write func(text string)) {
	t.Helper()
	dir = t.TempDir()
	require.NoError(t, os.Chmod(filepath.Dir(dir), 0o755))
	require.NoError(t, os.Chmod(dir, 0o755))
	return dir, func(text string) {
		t.Helper()
		require.NoError(t, os.WriteFile(filepath.Join(dir, "f.yaml"), []byte(text), 0o644))
	}
}

// A stream that prints what is posted to it, and two services.
const declaration = `benthos:
  - name: printer
    benthosServiceConfig:
      input: {http_server: {address: '0.0.0.0:8080', path: /, allowed_verbs: [POST]}}
      pipeline: {processors: [{sleep: {duration: '${! meta("Delay").or("0s") }'}}]}
      output: {stdout: {codec: lines}}
      host: 0.0.0.0
      metrics_port: 9080
services:
  - {name: one, s6ServiceConfig: {command: [sleep, '1000000']}}
  - {name: two, s6ServiceConfig: {command: [sleep, '1000000']}}
`

func (c *container) healthy() {
	c.t.Helper()
	harness.Eventually(c.t, "it is healthy", func() error {
		if health := c.health(); health != "healthy" {
			return fmt.Errorf("it is %s: %s", health, c.inspect("{{range .State.Health.Log}}{{.Output}}{{end}}"))
		}
		return nil
	})
}

// TestEvenkeelKeepsWhatFilesDeclare: whoever is killed, through a change, and to
// an end in order.
func TestEvenkeelKeepsWhatFilesDeclare(t *testing.T) {
	t.Parallel()
	dir, write := declared(t)
	write(declaration)
	c := startImage(t, evenkeelImage, append([]string{"-v", dir + ":/etc/evenkeel:ro"}, hardened...))
	c.healthy()
	assert.Equal(t, "1000 s6-svscan", c.exec("echo $(id -u) $(cat /proc/1/comm)"))
	names := []string{"benthos-printer", "one", "two"}
	pids := func() (pids []int) {
		for _, name := range names {
			pids = append(pids, c.pid(name))
		}
		return pids
	}
	before := pids()
	require.NoError(t, c.post(0, `{"number":1}`, 0))

	old := c.pid("evenkeel")
	c.signal("KILL", old)
	harness.Eventually(t, "it is back", func() bool { pid := c.pid("evenkeel"); return pid > 0 && pid != old })
	harness.Eventually(t, "it keeps all", func() bool { return c.exec("s6-svstat -o ready "+scanDir+"/evenkeel") == "true" })
	assert.Equal(t, before, pids())
	assert.Contains(t, c.output(), "evenkeel was ended by signal 9 and restarts")

	write(strings.Replace(declaration, "  - {name: two", "  - {name: three", 1))
	mustDocker(t, "kill", "-s", "HUP", c.name)
	harness.Eventually(t, "what was taken out is gone", func() bool { return c.exec("ls /data/services") == "benthos-printer\none\nthree" })
	c.healthy()
	assert.Equal(t, before[:2], []int{c.pid("benthos-printer"), c.pid("one")})

	c.signal("STOP", c.pid("benthos-printer"))
	c.unhealthy("benthos-printer is ")
	c.signal("CONT", c.pid("benthos-printer"))
	c.healthy()

	held := make(chan error, 1)
	go func() { held <- c.post(0, `{"number":2}`, time.Second) }()
	harness.Eventually(t, "the stream has taken the message", func() bool { return c.received(0) == 2 })
	c.stop()
	assert.NoError(t, <-held, "a request that was under way")
	assert.Equal(t, "0", c.inspect("{{.State.ExitCode}}"))
}

// Nothing says what is to run: that is told in one sentence, with what to do.
func TestEvenkeelWithoutFiles(t *testing.T) {
	t.Parallel()
	empty, _ := declared(t)
	for name, options := range map[string][]string{
		"nothing is mounted":    nil,
		"an empty directory is": {"-v", empty + ":/etc/evenkeel:ro"},
	} {
		t.Run(name, func(t *testing.T) {
			c := startImage(t, evenkeelImage, append(options, hardened...))
			assert.Equal(t, "1", c.ended())
			assert.Equal(t, `evenkeel: nothing is declared in /etc/evenkeel: mount a directory of *.yaml there that user 1000 can read, as in -v "$PWD/evenkeel:/etc/evenkeel:ro"`+"\n", c.output())
		})
	}
}

// What earlier runs were told goes on where the files have gone, as long as
// something is mounted.
func TestEvenkeelWhoseFilesHaveGone(t *testing.T) {
	t.Parallel()
	dir, write := declared(t)
	write(declaration)
	c := startImage(t, evenkeelImage, append([]string{"-v", dir + ":/etc/evenkeel:ro"}, hardened...))
	c.healthy()
	c.stop()
	require.NoError(t, os.Remove(filepath.Join(dir, "f.yaml")))
	mustDocker(t, "start", c.name)
	c.healthy()
	assert.Positive(t, c.pid("one"))
	c.stop()
	assert.Equal(t, "0", c.inspect("{{.State.ExitCode}}"))
}

// Whoever asks in the container is told of a process that the kernel has ended for
// want of memory, apart from one that somebody has killed.
func TestWantOfMemoryIsTold(t *testing.T) {
	t.Parallel()
	dir, write := declared(t)
	write(`services:
  - name: greedy
    restart: never
    s6ServiceConfig: {command: [sh, -c, 'sleep 1; exec tail /dev/zero']}
  - {name: killed, restart: never, s6ServiceConfig: {command: [sleep, '1000000']}}
`)
	c := startImage(t, evenkeelImage, append([]string{"-v", dir + ":/etc/evenkeel:ro", "--memory", "256m", "--memory-swap", "256m"}, hardened...))
	harness.Eventually(t, "it is there", func() bool { return c.running() && c.pid("killed") > 0 })
	c.signal("KILL", c.pid("killed"))
	harness.Eventually(t, "it says of the one what the kernel did", func() bool {
		out, err := docker("exec", c.name, "evenkeel", "why", "greedy")
		return err == nil && strings.Contains(out, "for want of memory since")
	})
	assert.NotContains(t, mustDocker(t, "exec", c.name, "evenkeel", "why", "killed"), "for want of memory")
	out, err := docker("exec", c.name, "evenkeel", "status")
	require.Error(t, err, "not all runs that is to")
	assert.Contains(t, out, "greedy")
	c.stop()
}
