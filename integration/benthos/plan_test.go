//go:build integration

package benthos

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/integration/harness"
)

// planned is what evenkeel plan --json prints.
type planned struct {
	Changes []struct {
		Name, Change, Diff string
		PID                int
		RestartTook        time.Duration
	}
	Problems []any
	Trouble  []string
}

// plan runs evenkeel plan beside what runs, and proves that it touched nothing.
// It returns what it said and its exit code.
func (p *plant) plan(args ...string) (said planned, code int) {
	p.t.Helper()
	before := p.touched()
	cmd := exec.Command(evenkeel(p.t), append([]string{"plan", "--json", "--dir", p.root, "--benthos", p.engine}, args...)...)
	out, err := cmd.Output()
	if exit := new(exec.ExitError); !errors.As(err, &exit) {
		require.NoError(p.t, err)
	}
	require.NoError(p.t, json.Unmarshal(out, &said), "%s", out)
	assert.Equal(p.t, before, p.touched(), "nothing is touched")
	return said, cmd.ProcessState.ExitCode()
}

// touched lists everything below the plant as it is, without the logs and the journal,
// to which streams and the program write all the time, and the beat of the program.
func (p *plant) touched() map[string]string {
	p.t.Helper()
	all := make(map[string]string)
	require.NoError(p.t, filepath.WalkDir(p.root, func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name == filepath.Join(p.root, "logs") || name == filepath.Join(p.root, "journal") {
			return fs.SkipDir
		}
		if name == filepath.Join(p.root, "scan", ".evenkeel") {
			return nil
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		stat := info.Sys().(*syscall.Stat_t)
		text := fmt.Sprint(info.Mode(), stat.Ino, stat.Uid, stat.Nlink, info.Size(), info.ModTime().UnixNano(), stat.Ctim.Nano())
		if info.Mode().IsRegular() {
			data, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			text += string(data)
		}
		all[name] = text
		return nil
	}))
	return all
}

// changes returns what is to be done about each instance.
func (p planned) changes() map[string]string {
	all := make(map[string]string)
	for _, c := range p.Changes {
		all[c.Name] = c.Change
	}
	return all
}

// plantStream declares a stream that prints a word.
func plantStream(name, word string, port int) string {
	return fmt.Sprintf(`  - name: %s
    benthosServiceConfig:
      metrics_port: %d
      input: {generate: {mapping: 'root = "%s"', interval: 200ms}}
      output: {stdout: {}}
`, name, port, word)
}

// TestPlanBesideWhatRuns: a plan touches nothing, says what run does, and run does
// what the plan has said.
func TestPlanBesideWhatRuns(t *testing.T) {
	t.Parallel()
	p, port := newPlant(t), freePorts(t, 3)
	before := `services:
  - {name: same, s6ServiceConfig: {command: [sleep, '1000000'], env: {PASSWORD: geheim1}}}
  - {name: live, s6ServiceConfig: {command: [sleep, '1000000']}}
  - {name: other, s6ServiceConfig: {command: [sleep, '1000000'], env: {PASSWORD: geheim1}}}
  - {name: gone, s6ServiceConfig: {command: [sleep, '1000000']}}
benthos:
` + plantStream("same", "hello", port) + plantStream("other", "hello", port+1)
	p.write(before)
	said, code := p.plan("-f", p.file())
	assert.Equal(t, 2, code)
	assert.Len(t, said.Changes, 6)
	for name, change := range said.changes() {
		assert.Equal(t, "create", change, name)
	}
	assert.NoDirExists(t, filepath.Join(p.root, "services"))

	program := p.start()
	names := []string{"same", "live", "other", "gone", "benthos-same", "benthos-other"}
	pids := p.pids(names...)
	harness.Eventually(t, "other runs", func() bool { return strings.Contains(program.Stdout.String(), "other starting -> running") })
	harness.Slay(t, pids["other"])
	harness.Eventually(t, "other is another process", func() bool { return p.pids("other")["other"] != pids["other"] })
	harness.Eventually(t, "the streams are active", func() bool {
		return strings.Contains(program.Stdout.String(), "benthos-same idle -> active") && strings.Contains(program.Stdout.String(), "benthos-other idle -> active")
	})
	harness.Eventually(t, "other runs again", func() bool { return strings.Contains(program.Stdout.String(), "other degraded -> running") })
	pids = p.pids(names...)
	said, code = p.plan("-f", p.file())
	assert.Zero(t, code, "%+v", said)
	for name, change := range said.changes() {
		assert.Equal(t, "none", change, name)
	}

	after := `services:
  - {name: same, s6ServiceConfig: {command: [sleep, '1000000'], env: {PASSWORD: geheim1}}}
  - {name: live, s6ServiceConfig: {command: [sleep, '1000000'], logFilesize: 8192}}
  - {name: other, s6ServiceConfig: {command: [sleep, '1000000'], env: {PASSWORD: geheim2}}}
  - {name: new, s6ServiceConfig: {command: [sleep, '1000000']}}
benthos:
` + plantStream("same", "hello", port) + plantStream("other", "goodbye", port+1) + plantStream("new", "hello", port+2)
	next := filepath.Join(p.root, "other.yaml")
	require.NoError(t, os.WriteFile(next, []byte(after), 0o600))
	said, code = p.plan("-f", next, "--diff")
	assert.Equal(t, 2, code)
	want := map[string]string{
		"same": "none", "live": "live", "other": "restart", "gone": "remove", "new": "create",
		"benthos-same": "none", "benthos-other": "restart", "benthos-new": "create",
	}
	assert.Equal(t, want, said.changes())
	for _, c := range said.Changes {
		assert.NotContains(t, c.Diff, "geheim")
		switch c.Name {
		case "other":
			assert.Equal(t, pids["other"], c.PID)
			assert.Positive(t, c.RestartTook)
			assert.Contains(t, c.Diff, "-***\n+*** (changed)\n")
		case "benthos-other":
			assert.Equal(t, pids["benthos-other"], c.PID)
			assert.Contains(t, c.Diff, "-    mapping: root = \"hello\"\n+    mapping: root = \"goodbye\"\n")
		}
	}

	require.NoError(t, os.WriteFile(next, []byte(strings.Replace(after, "stdout: {}", "stdot: {}", 1)), 0o600))
	said, code = p.plan("-f", next)
	assert.Equal(t, 1, code)
	assert.Equal(t, "refused", said.changes()["benthos-same"])
	assert.Len(t, said.Problems, 1)
	assert.Empty(t, changedPIDs(pids, p.pids(names...)))

	p.write(after)
	harness.Eventually(t, "run has done what was planned", func() bool {
		out := program.Stdout.String()
		return strings.Contains(out, "benthos-new idle -> active") && strings.Contains(out, "gone removing -> removed") &&
			p.pids("other")["other"] != pids["other"] && p.pids("benthos-other")["benthos-other"] != pids["benthos-other"] &&
			strings.Count(out, "benthos-other idle -> active") >= 2 && strings.Contains(out, "new starting -> running")
	})
	now := p.pids("same", "live", "other", "new", "benthos-same", "benthos-other", "benthos-new")
	for name, change := range want {
		switch change {
		case "none", "live":
			assert.Equal(t, pids[name], now[name], name)
		case "restart":
			assert.NotEqual(t, pids[name], now[name], name)
		}
	}
	harness.Eventually(t, "all changes have proved themselves, and that is written down", func() bool {
		tried, err := os.ReadFile(filepath.Join(p.root, "declarations", "changes.json"))
		return err == nil && strings.TrimSpace(string(tried)) == "[]"
	})
	harness.Eventually(t, "nothing is to be done", func() bool {
		_, code := p.plan("-f", p.file())
		return code == 0
	})

	p.ends(program)
	said, code = p.plan("-f", p.file())
	assert.Equal(t, 2, code)
	for name, change := range said.changes() {
		assert.Equal(t, "start", change, name)
	}
}
