//go:build integration

package benthos

import (
	"encoding/json"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/integration/harness"
)

// records returns the records of a log of JSON that are whole.
func records(t *testing.T, printed *harness.Output) (all []map[string]any) {
	t.Helper()
	for line := range strings.Lines(printed.String()) {
		var one map[string]any
		if strings.HasSuffix(line, "\n") {
			require.NoError(t, json.Unmarshal([]byte(line), &one), line)
			all = append(all, one)
		}
	}
	return all
}

// said returns the records that have these values, without their times.
func said(t *testing.T, printed *harness.Output, want map[string]any) (found []map[string]any) {
	t.Helper()
	for _, r := range records(t, printed) {
		same := true
		for key, value := range want {
			same = same && r[key] == value
		}
		if same {
			found = append(found, r)
		}
	}
	return found
}

// TestLogOfRun: where no terminal is, each line of both outputs is an object, from
// the first to the last.
func TestLogOfRun(t *testing.T) {
	t.Parallel()
	p := newPlant(t)
	good := withPorts(t, plantFile(1000000, "hello"))
	p.write(strings.Replace(good, "interval: 200ms", "intreval: 200ms", 1))
	program := p.start("--log-format", "auto")
	harness.Eventually(t, "a stream is refused", func() bool {
		return len(said(t, program.Stderr, map[string]any{"level": "WARN", "msg": "declaration refused", "kind": "benthos", "name": "benthos-s"})) == 1
	})
	harness.Eventually(t, "a service runs", func() bool {
		return len(said(t, program.Stdout, map[string]any{
			"level": "INFO", "msg": "transition", "kind": "s6", "name": "one", "from": "starting", "to": "running", "event": "start_done", "phase": "running",
		})) == 1
	})
	p.write(strings.Replace(good, "s6ServiceConfig:", "s6ServiceConfg:", 1))
	harness.Eventually(t, "a mistake is told with its place", func() bool {
		found := said(t, program.Stderr, map[string]any{"level": "WARN", "msg": "problem in a file"})
		return len(found) > 0 && found[0]["at"].(map[string]any)["file"] == p.file()
	})
	p.write(good)
	harness.Eventually(t, "the stream is not refused any more", func() bool {
		return len(said(t, program.Stdout, map[string]any{"level": "INFO", "msg": "refusal ended", "name": "benthos-s"})) == 1
	})
	p.pids(ofPlant...)
	p.ends(program)
	for _, r := range append(records(t, program.Stdout), records(t, program.Stderr)...) {
		assert.NotEmpty(t, r["time"], r)
		assert.NotEmpty(t, r["msg"], r)
	}
	assert.Len(t, said(t, program.Stderr, map[string]any{"msg": "declaration refused"}), 1, "it is told once")
	assert.Len(t, said(t, program.Stdout, map[string]any{"name": "one", "event": "stop_done"}), 1)
}

// TestLogOnATerminal is for people: lines in columns and, unless NO_COLOR is set, in
// colours.
func TestLogOnATerminal(t *testing.T) {
	t.Parallel()
	for variable, line := range map[string]string{
		"NO_COLOR=":  `(?m)^\x1b\[2m\d\d:\d\d:\d\d\.\d{3}\x1b\[0m one       starting -> \x1b\[32mrunning\x1b\[0m \x1b\[2m\(start_done\)\x1b\[0m its process runs: pid \d+\r$`,
		"NO_COLOR=1": `(?m)^\d\d:\d\d:\d\d\.\d{3} one       starting -> running \(start_done\) its process runs: pid \d+\r$`,
	} {
		t.Run(variable, func(t *testing.T) {
			t.Parallel()
			p := newPlant(t)
			p.write("services:\n" +
				"  - {name: one, dependsOn: [long-name], s6ServiceConfig: {command: [sleep, '1000000']}}\n" +
				"  - {name: long-name, s6ServiceConfig: {command: [sleep, '1000000']}}\n")
			term := newTerminal(t, 24, 200)
			cmd := exec.Command(evenkeel(t), "run", "-f", p.file(), "--dir", p.root, "--benthos", p.engine, "--stop-timeout", harness.Patience.String())
			cmd.Env = append(os.Environ(), "TERM=xterm", variable)
			cmd.Stdin, cmd.Stdout, cmd.Stderr = term.slave, term.slave, term.slave
			cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
			program := harness.Start(t, cmd)
			runs := regexp.MustCompile(line)
			harness.Eventually(t, "it is told that one runs", func() bool { return runs.MatchString(term.printed.String()) })
			_, err := term.master.WriteString("\x03")
			require.NoError(t, err)
			assert.Zero(t, program.End(), term.printed.String())
			harness.NoneLeft(t, p.root)
		})
	}
}
