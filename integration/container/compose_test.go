//go:build container

package container

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/integration/harness"
	"github.com/evenkeel/evenkeel/internal/screen"
)

// The tests in this file publish the ports that a user gets, which must be
// free. They are not parallel.

// composes lists the Compose tools of this machine, docker-compose and the
// plugin, of which there must be one.
func composes(t *testing.T) (all map[string][]string) {
	t.Helper()
	all = make(map[string][]string)
	for _, command := range [][]string{{"docker-compose"}, {"docker", "compose"}} {
		if out, err := exec.Command(command[0], append(command[1:], "version")...).CombinedOutput(); err == nil {
			all[strings.TrimSpace(strings.SplitN(string(out), "\n", 2)[0])] = command
		}
	}
	require.NotEmpty(t, all, "install docker-compose, or Docker's compose plugin")
	return all
}

// asUsersGetIt is a container with the ports published that are in the README.
func asUsersGetIt(t testing.TB, name string) *container {
	t.Helper()
	c := &container{t: t, name: name, begun: time.Now()}
	c.findPorts()
	return c
}

func TestCompose(t *testing.T) {
	file, err := filepath.Abs(filepath.Join(root, "docker-compose.yml"))
	require.NoError(t, err)
	for version, command := range composes(t) {
		t.Run(version, func(t *testing.T) {
			project := unique()
			compose := func(args ...string) string {
				args = append(append(command[1:len(command):len(command)], "-f", file, "-p", project), args...)
				out, err := exec.Command(command[0], args...).CombinedOutput()
				require.NoError(t, err, "%s %q: %s", command[0], args, out)
				return string(out)
			}
			t.Cleanup(func() { compose("down", "-v") })
			compose("up", "--build", "-d")
			c := asUsersGetIt(t, mustDocker(t, "ps", "-q", "--filter", "label=com.docker.compose.project="+project))
			c.servesAsTheReadmeSays()
			harness.Eventually(t, "it is healthy", func() bool { return c.health() == "healthy" })
			assert.Equal(t, "true 805306368 unless-stopped", c.inspect("{{.HostConfig.ReadonlyRootfs}} {{.HostConfig.Memory}} {{.HostConfig.RestartPolicy.Name}}"))
			compose("stop")
			assert.Equal(t, "0", c.inspect("{{.State.ExitCode}}"))
			compose("start")
			c.servesAsTheReadmeSays()
		})
	}
}

// The targets of the Makefile that need no keyboard.
func TestMake(t *testing.T) {
	name := unique()
	make := func(target string) string {
		cmd := exec.Command("make", "-C", root, "--no-print-directory", target, "IMAGE="+image)
		cmd.Env = append(os.Environ(), "NAME="+name)
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s: %s", target, out)
		return string(out)
	}
	t.Cleanup(func() { _, _ = docker("rm", "-f", name); _, _ = docker("volume", "rm", "-f", name+"-data") })
	assert.Contains(t, make("stop"), "There is no container")
	assert.Contains(t, make("run-background"), "is healthy")
	c := asUsersGetIt(t, name)
	c.servesAsTheReadmeSays()
	assert.Contains(t, make("stop"), "Stopped.")
	_, err := docker("inspect", name)
	require.Error(t, err)
	assert.Equal(t, 7, strings.Count(make("verify"), ": holds ("))
}

// Ctrl-C at a terminal ends the container in order.
func TestForegroundOnATerminal(t *testing.T) {
	name := unique()
	// Without exec some shells stay in between, and Ctrl-C ends those.
	cmd := exec.Command("script", "-qec", "exec sh ../../container/run.sh foreground", "/dev/null")
	cmd.Env = append(os.Environ(), "NAME="+name, "IMAGE="+image, "TERM=xterm")
	keyboard, err := cmd.StdinPipe()
	require.NoError(t, err)
	printed := new(harness.Output)
	cmd.Stdout = printed
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _, _ = docker("rm", "-f", name); _, _ = docker("volume", "rm", "-f", name+"-data") })
	harness.Eventually(t, "it runs", func() bool {
		running, err := docker("inspect", "-f", "{{.State.Running}}", name)
		return err == nil && running == "true"
	})
	c := asUsersGetIt(t, name)
	harness.Eventually(t, "it is a table", func() bool {
		c.servesAsTheReadmeSays()
		return strings.Contains(screen.Of(printed.String(), 80, 24), "● benthos-4  active")
	})
	_, err = keyboard.Write([]byte{3})
	require.NoError(t, err)
	require.NoError(t, cmd.Wait(), printed.String())
	assert.NotContains(t, printed.String(), "fivebenthos:")
	assert.NotContains(t, printed.String(), "$p", "nothing is asked of a terminal whose answers nobody reads")
}

// What happens where no engine answers, and what CONTAINER decides.
func TestWhereItRuns(t *testing.T) {
	for name, test := range map[string]struct {
		env  []string
		out  string
		says string
		code int
	}{
		"an engine":               {nil, "docker\n", "", 0},
		"an engine, not wanted":   {[]string{"CONTAINER=none"}, "host\n", "CONTAINER=none: here, then.", 0},
		"none":                    {[]string{"DOCKER_HOST=tcp://127.0.0.1:1"}, "host\n", "No Docker engine answers: here, then.", 0},
		"none, and it is wanted":  {[]string{"DOCKER_HOST=tcp://127.0.0.1:1", "CONTAINER=docker"}, "", "no Docker engine answers: start one", 1},
		"what is neither of them": {[]string{"CONTAINER=podman"}, "", "neither docker nor none", 2},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := exec.Command("sh", filepath.Join(root, "scripts/where.sh"), "here, then")
			cmd.Env = append(slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "CONTAINER=") }), test.env...)
			var stderr strings.Builder
			cmd.Stderr = &stderr
			out, _ := cmd.Output()
			assert.Equal(t, test.out, string(out))
			assert.Equal(t, test.code, cmd.ProcessState.ExitCode())
			assert.Contains(t, stderr.String(), test.says)
			assert.LessOrEqual(t, strings.Count(stderr.String(), "\n"), 1)
		})
	}
}

// servesAsTheReadmeSays waits until all five serve on the ports that the README
// names.
func (c *container) servesAsTheReadmeSays() {
	c.t.Helper()
	c.findPorts()
	for n := range five {
		for _, port := range []int{httpPort + n, metricsPort + n} {
			require.Equal(c.t, fmt.Sprintf("127.0.0.1:%d", port), c.ports[port])
		}
	}
	c.serving()
	for n := range five {
		require.NoError(c.t, c.post(n, `{"test": "message"}`, 0))
	}
}
