//go:build integration

package benthos

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/api"
	"github.com/evenkeel/evenkeel/integration/harness"
)

// asks runs a command that asks the program of a plant, and returns its exit code and
// what it printed.
func (p *plant) asks(args ...string) (code int, stdout, stderr string) {
	p.t.Helper()
	var out, errs strings.Builder
	cmd := exec.Command(evenkeel(p.t), append(args, "--dir", p.root)...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	_ = cmd.Run() // the exit code tells
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

// asked is asks for what is to succeed.
func (p *plant) asked(args ...string) string {
	p.t.Helper()
	code, out, errs := p.asks(args...)
	require.Zero(p.t, code, "%v: %s%s", args, out, errs)
	return out
}

// TestWhoAsks sees how everything is, and why, and has it stopped, started and
// restarted, also over a restart of the program.
func TestWhoAsks(t *testing.T) {
	t.Parallel()
	p := newPlant(t)
	code, _, errs := p.asks("status")
	assert.Equal(t, 1, code)
	assert.Contains(t, errs, "no program runs there that could be asked")
	p.write(strings.Replace(plantFile(1000000, "hello"), "- name: two\n", "- name: two\n      dependsOn: [one]\n", 1))
	program := p.start()
	all := []string{"one", "two", "benthos-s", "benthos-dataflow-s"}
	p.asked("wait", "one", "two", "benthos-s", "benthos-dataflow-s", "--for", "ready", "--timeout", harness.Patience.String())
	before := p.pids(ofPlant...)

	var list []api.Summary
	require.NoError(t, json.Unmarshal([]byte(p.asked("status", "--json")), &list))
	require.Len(t, list, 4)
	for _, one := range list {
		assert.Equal(t, before[one.Name], one.PID, one.Name)
		assert.True(t, one.Runs && one.Wrong() == "", "%+v", one)
	}
	table := p.asked("status")
	for _, name := range all {
		assert.Regexp(t, `(?m)^`+name+` +(running|idle|active) `, table)
	}
	assert.Contains(t, p.asked("why", "two"), "it is asked to be running (declared)")
	assert.Contains(t, p.asked("graph", "one"), "class running marked")
	code, _, errs = p.asks("why", "s")
	assert.Equal(t, 1, code)
	assert.Contains(t, errs, `several have the name "s"`)

	p.asked("stop", "one")
	p.asked("wait", "one", "--for", "stopped", "--timeout", harness.Patience.String())
	assert.Regexp(t, `held +stopped by hand: by \S+ at .*\(by hand\)`, p.asked("why", "one"))
	code, _, errs = p.asks("restart", "one")
	assert.Equal(t, 1, code)
	assert.Contains(t, errs, "it cannot be restarted: stopped by hand")
	p.killed(program, "two", "benthos-s", "benthos-dataflow-s")
	program = p.start()
	harness.Eventually(t, "it can be asked again", func() bool { code, _, _ := p.asks("status"); return code == 0 })
	p.asked("wait", "one", "--for", "stopped", "--timeout", harness.Patience.String())
	p.asked("wait", "two", "--timeout", harness.Patience.String())
	assert.Equal(t, []string{"one"}, changedPIDs(before, p.pidsNow(all...)), "what depends on it goes on")
	assert.Contains(t, p.asked("why", "one"), "evenkeel start one")
	p.asked("start", "one")
	p.asked("wait", "one", "--timeout", harness.Patience.String())
	now := p.pids(ofPlant...)

	p.asked("restart", "two")
	harness.Eventually(t, "two is another process", func() bool { return p.pids("two")["two"] != now["two"] })
	p.asked("wait", "two", "--timeout", harness.Patience.String())
	assert.Equal(t, []string{"two"}, changedPIDs(now, p.pids(ofPlant...)))
	events := p.asking("events", "--after", "0")
	defer events.End()
	harness.Eventually(t, "what has happened is printed", func() bool { return strings.Contains(events.Stdout.String(), "one starting -> running") })
	p.ends(program)
	assert.NotZero(t, events.End(), "the program has ended")
	assert.Contains(t, events.Stdout.String(), "two running -> stopping", "it was watched to its end")
	assert.NoFileExists(t, filepath.Join(p.root, api.SocketName))
}

// asking starts a command that asks and goes on.
func (p *plant) asking(args ...string) *harness.Program {
	p.t.Helper()
	return harness.Start(p.t, exec.Command(evenkeel(p.t), append(args, "--dir", p.root)...))
}

// pidsNow returns the processes that run, 0 for none.
func (p *plant) pidsNow(names ...string) map[string]int {
	p.t.Helper()
	var list []api.Summary
	_, out, _ := p.asks("status", "--json")
	require.NoError(p.t, json.Unmarshal([]byte(out), &list))
	pids := make(map[string]int)
	for _, one := range list {
		pids[one.Name] = one.PID
	}
	return pids
}

// TestWhoReadsOverHTTP can read and nothing else, unless there is a token.
func TestWhoReadsOverHTTP(t *testing.T) {
	t.Parallel()
	p := newPlant(t)
	p.write("services:\n  - name: one\n    s6ServiceConfig: {command: [sleep, '1000']}\n")
	token := filepath.Join(p.root, "token")
	require.NoError(t, os.WriteFile(token, []byte("0123456789abcdef\n"), 0o644))
	address := fmt.Sprintf("127.0.0.1:%d", freePorts(t, 1))
	program := p.start("--http", address, "--http-write", token)
	assert.Equal(t, 1, program.End())
	assert.Contains(t, program.Stderr.String(), "others can read it: chmod 600 it")
	require.NoError(t, os.Chmod(token, 0o600))
	program = p.start("--http", address, "--http-write", token)
	ask := func(method, path string, header ...string) int {
		r, err := http.NewRequest(method, "http://"+address+path, nil)
		require.NoError(t, err)
		for n := 0; n < len(header); n += 2 {
			r.Header.Set(header[n], header[n+1])
		}
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			return 0
		}
		require.NoError(t, response.Body.Close())
		return response.StatusCode
	}
	harness.Eventually(t, "all is ready", func() bool { return ask("GET", "/readyz") == http.StatusOK })
	assert.Equal(t, http.StatusOK, ask("GET", "/api/instances/one"))
	assert.Equal(t, http.StatusOK, ask("GET", "/api/instances/one/log"))
	assert.Equal(t, http.StatusOK, ask("GET", "/api/instances/one/config"))
	assert.Equal(t, http.StatusOK, ask("GET", "/metrics"))
	assert.Equal(t, http.StatusOK, ask("GET", "/metrics/streams"))
	assert.Equal(t, http.StatusOK, ask("GET", "/"), "the page")
	assert.Equal(t, http.StatusNotFound, ask("GET", "/debug/pprof/"), "profiles are for the socket alone")
	assert.Equal(t, http.StatusForbidden, ask("GET", "/api/instances/one", "Origin", "http://evil.example"))
	assert.Equal(t, http.StatusUnauthorized, ask("POST", "/api/instances/one/stop"))
	assert.Equal(t, http.StatusAccepted, ask("POST", "/api/instances/one/stop", "Authorization", "Bearer 0123456789abcdef"))
	p.asked("wait", "one", "--for", "stopped", "--timeout", harness.Patience.String())
	assert.Contains(t, p.asked("why", "one"), "by the holder of the token, from 127.0.0.1:")
	p.ends(program)
}
