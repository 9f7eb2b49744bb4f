//go:build integration

package benthos

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/filesystem"
	"github.com/evenkeel/evenkeel/integration/harness"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

// removes is when what is missing from a file has been removed.
const removes = 2500 * time.Millisecond

// plant is a directory and a file in it that evenkeel keeps.
type plant struct {
	t      testing.TB
	root   string
	engine string
}

func newPlant(t *testing.T) *plant { return &plant{t, harness.NewRoot(t), bento(t)} }

func (p *plant) file() string { return filepath.Join(p.root, "evenkeel.yaml") }

func (p *plant) write(text string) {
	p.t.Helper()
	require.NoError(p.t, os.WriteFile(p.file(), []byte(text), 0o600))
}

func (p *plant) start(args ...string) *harness.Program {
	p.t.Helper()
	return p.startWith(nil, args...)
}

// startWith starts it with variables in its environment.
func (p *plant) startWith(env []string, args ...string) *harness.Program {
	p.t.Helper()
	cmd := exec.Command(evenkeel(p.t), append([]string{
		"run", "-f", p.file(), "--dir", p.root, "--benthos", p.engine, "--stop-timeout", harness.Patience.String(), "--log-format", "text",
	}, args...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Env = append(os.Environ(), env...)
	return harness.Start(p.t, cmd)
}

// pids waits until each service has a process that is ready, and returns them.
func (p *plant) pids(names ...string) map[string]int {
	p.t.Helper()
	pids := make(map[string]int)
	for _, name := range names {
		harness.Eventually(p.t, name+" runs", func() bool {
			status, err := supervise.ReadStatus(filesystem.OS{}, filepath.Join(p.root, "services", name))
			pids[name] = status.PID
			return err == nil && status.Up() && (status.Ready || !strings.HasPrefix(name, "benthos-"))
		})
	}
	return pids
}

// killed kills the program when the services run, and returns their processes.
func (p *plant) killed(program *harness.Program, names ...string) map[string]int {
	p.t.Helper()
	pids := p.pids(names...)
	harness.Slay(p.t, program.PID())
	assert.Equal(p.t, -1, program.End())
	return pids
}

// ends checks that the program ends well and leaves nothing behind.
func (p *plant) ends(program *harness.Program) {
	p.t.Helper()
	program.Signal(syscall.SIGTERM)
	require.Zero(p.t, program.End())
	harness.NoneLeft(p.t, p.root)
}

// plantFile declares services that sleep for so long, and streams that print a
// word.
func plantFile(sleep int, word string) string {
	return fmt.Sprintf(`agent: {metricsPort: 8080}
internal:
  services:
    - name: one
      desiredState: running
      s6ServiceConfig: {command: [sleep, '%d'], memoryLimit: 0, logFilesize: 0}
    - name: two
      s6ServiceConfig:
        command: [sh, -c, 'exec sleep $(cat config/time)']
        configFiles: {time: '1000000'}
  benthos:
    - name: s
      desiredState: active
      benthosServiceConfig:
        input: {generate: {mapping: 'root = "%s"', interval: 200ms}}
        output: {stdout: {}}
dataFlow:
  - name: s
    dataFlowComponentConfig:
      benthos:
        input: {generate: {mapping: 'root = "flow"', interval: 200ms}}
        output: {stdout: {}}
`, sleep, word)
}

// withPorts gives the two streams of a plantFile ports of their own: two programs
// that begin at the same time could choose the same ones.
func withPorts(t testing.TB, text string) string {
	port := freePorts(t, 2)
	for n := range 2 {
		text = strings.Replace(text, "200ms}}\n        output", fmt.Sprintf("200ms}}\n        metrics_port: %d\n        output", port+n), 1)
	}
	return text
}

var ofPlant = []string{"one", "two", "benthos-s", "benthos-dataflow-s"}

func changedPIDs(before, after map[string]int) (names []string) {
	for name, pid := range before {
		if after[name] != pid {
			names = append(names, name)
		}
	}
	return names
}

// TestFileIsKept: what changes in it changes, and nothing else, whoever is killed
// meanwhile; what is wrong in it changes nothing.
func TestFileIsKept(t *testing.T) {
	t.Parallel()
	p := newPlant(t)
	p.write(plantFile(1000000, "hello"))
	program := p.start()
	before := p.pids(ofPlant...)

	p.write(plantFile(1000001, "hello"))
	harness.Eventually(t, "one is another process", func() bool { return p.pids("one")["one"] != before["one"] })
	now := p.pids(ofPlant...)
	assert.Equal(t, []string{"one"}, changedPIDs(before, now))
	p.write(plantFile(1000001, "goodbye"))
	harness.Eventually(t, "the stream is another process", func() bool { return p.pids("benthos-s")["benthos-s"] != now["benthos-s"] })
	before = p.pids(ofPlant...)
	assert.Equal(t, []string{"benthos-s"}, changedPIDs(now, before))

	good := plantFile(1000001, "goodbye")
	p.write("---\n")
	harness.Eventually(t, "the program says what that would do", func() bool {
		return strings.Contains(program.Stderr.String(), "nothing is declared any more, which would remove 4 instances")
	})
	harness.Pause(t, removes, "what is missing would be removed by then")
	assert.Empty(t, changedPIDs(before, p.pids(ofPlant...)))

	// The next program finds a file that cannot be taken, and what runs.
	p.write(good + "services: [")
	p.killed(program)
	program = p.start()
	harness.Eventually(t, "the program says what is wrong", func() bool { return strings.Contains(program.Stderr.String(), "this is not YAML") })
	harness.Eventually(t, "it keeps all", func() bool { return strings.Contains(program.Stdout.String(), "benthos-s idle -> active") })
	harness.Pause(t, removes, "what is missing would be removed by then")
	assert.Empty(t, changedPIDs(before, p.pids(ofPlant...)))

	p.write(strings.Split(good, "dataFlow:")[0])
	harness.Eventually(t, "what is taken out is removed", func() bool { return !harness.Exists(t, filepath.Join(p.root, "services", "benthos-dataflow-s")) })
	assert.Equal(t, []string{"benthos-dataflow-s"}, changedPIDs(before, p.pids("one", "two", "benthos-s")))
	p.ends(program)
}

// TestFileOfNothing is refused where nothing runs either, in one sentence.
func TestFileOfNothing(t *testing.T) {
	t.Parallel()
	p := newPlant(t)
	program := p.start()
	assert.Equal(t, 1, program.End())
	assert.Regexp(t, `^\S+ `+regexp.QuoteMeta(p.file())+`: it cannot be read: no such file or directory\n\S+ ended with an error: nothing is declared that could be taken\n$`, program.Stderr.String())
	harness.NoneLeft(t, p.root)
}

// TestNoEngine keeps no stream, and ends none: what runs goes on.
func TestNoEngine(t *testing.T) {
	t.Parallel()
	p := newPlant(t)
	p.write(withPorts(t, plantFile(1000000, "hello")))
	program := p.start()
	before := p.killed(program, ofPlant...)
	good := p.engine
	p.engine = filepath.Join(p.root, "nowhere")
	program = p.start()
	assert.Equal(t, 1, program.End())
	assert.Regexp(t, `^\S+ ended with an error: cannot keep streams: .*nowhere.*: name an engine with --benthos\n$`, program.Stderr.String())
	assert.Empty(t, changedPIDs(before, p.pids(ofPlant...)))
	p.engine = good
	program = p.start()
	harness.Eventually(t, "it keeps all", func() bool { return strings.Contains(program.Stdout.String(), "benthos-s idle -> active") })
	assert.Empty(t, changedPIDs(before, p.pids(ofPlant...)))
	p.ends(program)
}

// TestWhatNobodyKnows: where what was declared is lost, what is wrong in the file
// ends nothing that runs.
func TestWhatNobodyKnows(t *testing.T) {
	t.Parallel()
	p := newPlant(t)
	const all = `services:
  - {name: one, s6ServiceConfig: {command: [sleep, '1000000']}}
  - {name: two, s6ServiceConfig: {command: [sleep, '1000000']}}
  - {name: three, s6ServiceConfig: {command: [sleep, '1000000']}}
`
	names := []string{"one", "two", "three"}
	p.write(all)
	before := p.killed(p.start(), names...)
	for _, bad := range []struct{ text, want string }{
		{strings.Replace(all, "command", "comand", 1), "did you mean command?"}, // of one
		{all + "benthos: [", "this is not YAML"},
		{strings.Replace(all, "three", "four", 1) + "serivces: []\n", "did you mean services?"},
	} {
		require.NoError(t, os.RemoveAll(filepath.Join(p.root, "declarations")))
		p.write(bad.text)
		program := p.start()
		harness.Eventually(t, "the program says: "+bad.want, func() bool { return strings.Contains(program.Stderr.String(), bad.want) })
		if strings.Contains(bad.want, "command") {
			harness.Eventually(t, "the others are kept", func() bool { return strings.Contains(program.Stdout.String(), "two stopped -> ") })
			harness.Pause(t, removes, "what is missing would be removed by then")
			assert.Equal(t, 1, strings.Count(program.Stderr.String(), "\n"), "it is told once: %s", program.Stderr)
			p.killed(program)
		} else {
			assert.Equal(t, 1, program.End(), "nothing is declared: %s", program.Stderr)
		}
		assert.Empty(t, changedPIDs(before, p.pids(names...)), bad.want)
	}
	p.write(all)
	program := p.start()
	harness.Eventually(t, "all are kept", func() bool { return strings.Contains(program.Stdout.String(), "three stopped -> ") })
	assert.Empty(t, changedPIDs(before, p.pids(names...)))
	p.ends(program)
}

// TestEssential: what is essential and fails for good ends everything in order, and
// the program with its exit code; also where it had failed before.
func TestEssential(t *testing.T) {
	t.Parallel()
	p := newPlant(t)
	text := `services:
  - name: one
    s6ServiceConfig: {command: [sh, -c, 'until [ -e ` + p.root + `/go ]; do sleep 0.05; done; exit 7']}
    restart: never
    essential: %t
  - {name: two, s6ServiceConfig: {command: [sleep, '1000000']}}
`
	p.write(fmt.Sprintf(text, false))
	program := p.start()
	before := p.pids("one", "two")
	require.NoError(t, os.WriteFile(filepath.Join(p.root, "go"), nil, 0o600))
	harness.Eventually(t, "one has failed", func() bool { return strings.Contains(program.Stdout.String(), "-> failed") })
	harness.Pause(t, 1500*time.Millisecond, "what is essential would be seen by then")
	assert.Equal(t, before["two"], p.pids("two")["two"])
	p.write(fmt.Sprintf(text, true))
	assert.Equal(t, 7, program.End())
	assert.Contains(t, program.Stderr.String(), "everything is stopped: one is essential and has failed: its process failed, and is not to run again: exited with 7")
	harness.NoneLeft(t, p.root)
}
