//go:build integration

package benthos

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/filesystem"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/integration/harness"
	"github.com/evenkeel/evenkeel/internal/badfiles"
	"github.com/evenkeel/evenkeel/ports"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

// mistake is something that takes the place of a good file.
type mistake struct {
	name string
	put  func(path string) error
	want string // lines that the program prints
}

// kept is a program that keeps a good file, and another one beside it, in which
// one service takes the place of another whenever the test wants to know that all
// has been applied that was read before.
type kept struct {
	*plant
	program *harness.Program
	good    string
	before  map[string]int
	changes int
}

// keep starts a program on a file, and waits for what runs because of it.
func keep(t *testing.T, good string, runs ...string) *kept {
	t.Helper()
	k := &kept{plant: newPlant(t), good: good}
	k.write(good)
	k.change()
	k.program = k.start("-f", k.beside())
	k.before = k.pids(runs...)
	return k
}

func (k *kept) beside() string { return filepath.Join(k.root, "beside.yaml") }

// change declares another service in the file beside. A change of the one that is
// there would wait for s6, which starts a process once a second at most.
func (k *kept) change() (service string) {
	k.t.Helper()
	k.changes++
	service = fmt.Sprintf("beside-%d", k.changes)
	text := fmt.Sprintf("services: [{name: %s, s6ServiceConfig: {command: [sleep, '1000000']}}]\n", service)
	require.NoError(k.t, replace(k.beside(), text))
	return service
}

// settle waits until what was read so far has been applied: files are read in
// the order of their changes, by one loop.
func (k *kept) settle() {
	k.t.Helper()
	service := k.change()
	harness.Eventually(k.t, service+" runs", func() bool {
		return len(harness.Running(filepath.Join(k.root, "services", service), "sleep")) == 1
	})
}

// unmoved checks that everything runs as the processes that it was in the
// beginning, by what their supervisors say.
func (k *kept) unmoved(when string) {
	k.t.Helper()
	now := make(map[string]int)
	for name := range k.before {
		if status, err := supervise.ReadStatus(filesystem.OS{}, filepath.Join(k.root, "services", name)); err == nil {
			now[name] = status.PID
		}
	}
	require.Equal(k.t, k.before, now, when)
}

// withstands puts a mistake in the place of the file, waits until it is told,
// and takes it back. What is missing from files is removed after two seconds; a
// SIGHUP says that it has been meant, which is the same without the time.
func (k *kept) withstands(m mistake) {
	k.t.Helper()
	before := len(k.program.Stderr.String())
	require.NoError(k.t, m.put(k.file()))
	for line := range strings.Lines(m.want) {
		line = fsm.EscapeLine(fsm.MaskText(strings.ReplaceAll(strings.TrimSuffix(line, "\n"), badfiles.Path, k.file())))
		harness.Eventually(k.t, "the program says: "+line, func() bool {
			return strings.Contains(k.program.Stderr.String()[before:], " "+line+"\n")
		})
	}
	k.program.Signal(syscall.SIGHUP)
	k.settle()
	k.unmoved(m.name)
	if info, err := os.Lstat(k.file()); err == nil && info.IsDir() {
		require.NoError(k.t, os.Remove(k.file())) // which no file can replace
	}
	require.NoError(k.t, replace(k.file(), k.good))
	k.settle()
	k.unmoved(m.name + ", taken back")
}

// all has the program withstand mistakes, and the last one for longer than
// whatever is missing stays.
func (k *kept) all(mistakes []mistake) {
	k.t.Helper()
	for _, m := range mistakes {
		k.withstands(m)
	}
	last := mistakes[len(mistakes)-1]
	require.NoError(k.t, last.put(k.file()))
	harness.Pause(k.t, removes, "what is missing would be removed by then")
	k.unmoved(last.name + ", for long")
	k.ends(k.program)
}

// replace gives a file another text at once.
func replace(path, text string) error {
	if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// written returns files as mistakes. Every other one is written in place.
func written(files []badfiles.File) (all []mistake) {
	for n, f := range files {
		put := func(path string) error { return replace(path, f.Text) }
		if n%2 == 0 {
			put = func(path string) error { return os.WriteFile(path, []byte(f.Text), 0o600) }
		}
		// The filesystem in memory, whose words they are, says this in its own.
		want := strings.ReplaceAll(f.Want, "file does not exist", syscall.ENOENT.Error())
		all = append(all, mistake{f.Name, put, want})
	}
	return all
}

// instead returns what may be in the place of a file that is none.
func instead() []mistake {
	gone := func(path string, then func() error) error {
		if err := os.RemoveAll(path); err != nil {
			return err
		}
		return then()
	}
	const unreadable = badfiles.Path + ": it cannot be read: "
	return []mistake{
		{"nothing", os.Remove, unreadable + syscall.ENOENT.Error()},
		{"a link to nothing", func(path string) error {
			return gone(path, func() error { return os.Symlink("nowhere", path) })
		}, unreadable + syscall.ENOENT.Error()},
		{"a link to itself", func(path string) error {
			return gone(path, func() error { return os.Symlink(path, path) })
		}, unreadable + syscall.ELOOP.Error()},
		{"a pipe that nobody writes to", func(path string) error {
			return gone(path, func() error { return syscall.Mkfifo(path, 0o600) })
		}, unreadable + "not a regular file: " + syscall.EINVAL.Error()},
		{"a directory of nothing", func(path string) error {
			return gone(path, func() error { return os.Mkdir(path, 0o700) })
		}, unreadable + "there is no *.yaml in it"},
	}
}

// TestBadFilesStopNothing: whichever of them takes the place of a file, the
// program says exactly what is wrong, and all that runs keeps its processes.
func TestBadFilesStopNothing(t *testing.T) {
	t.Parallel()
	whole, services, needs, streams := badfiles.Whole(), badfiles.Services(), badfiles.Dependencies(), badfiles.Streams()
	half := func(g badfiles.Group, n int) []mistake {
		middle := len(g.Files) / 2
		return written([][]badfiles.File{g.Files[:middle], g.Files[middle:]}[n])
	}
	for name, share := range map[string]struct {
		of       badfiles.Group
		mistakes []mistake
	}{
		"as a whole, one half":       {whole, half(whole, 0)},
		"as a whole, the other half": {whole, half(whole, 1)},
		"no files":                   {whole, instead()},
		"services, one half":         {services, half(services, 0)},
		"services, the other half":   {services, half(services, 1)},
		"dependencies":               {needs, written(needs.Files)},
		"streams":                    {streams, written(streams.Files)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			good := strings.Replace(share.of.Good, "benthosServiceConfig:\n", fmt.Sprintf("benthosServiceConfig:\n        metrics_port: %d\n", freePorts(t, 1)), 1)
			keep(t, good, share.of.Runs...).all(share.mistakes)
		})
	}
}

// TestRefusedStreamsStopNothing: what the engine's linter refuses, and ports of
// others, are told, and all that runs keeps its processes, the stream that asks
// for it included.
func TestRefusedStreamsStopNothing(t *testing.T) {
	t.Parallel()
	const file = `benthos:
  - name: a
    benthosServiceConfig:
      metrics_port: %d
      input: {generate: {mapping: 'root = 1', interval: 1s}}
      output: {stdout: {}}
  - name: b
    benthosServiceConfig:
      metrics_port: %d
      input: {%s}
      output: {stdout: {}}
`
	const generates = "generate: {mapping: 'root = 1', interval: 1s}"
	stranger, err := net.Listen("tcp", local(freePorts(t, 1)))
	require.NoError(t, err)
	defer stranger.Close()
	taken := stranger.Addr().(*net.TCPAddr).Port
	a := freePorts(t, 2)
	b := a + 1
	const refused = "benthos-b declaration refused: not a valid Benthos configuration: "
	mine := fmt.Sprintf(`port %d is that of "benthos-a" already (metrics_port)`, a)
	strangers := ports.Check(stranger.Addr().String())
	require.ErrorContains(t, strangers, fmt.Sprintf("port %d is taken: process %d ", taken, os.Getpid()))
	var all []mistake
	for _, m := range []struct {
		port        int
		input, want string
	}{
		{a, generates, "metrics_port: " + mine},
		{b, fmt.Sprintf("http_server: {address: '%s'}", local(a)), "input.http_server.address: " + mine},
		{taken, generates, "metrics_port: " + strangers.Error()},
		{b, fmt.Sprintf("http_server: {address: '%s'}", local(taken)), "input.http_server.address: " + strangers.Error()},
		{b, "generte: {}", "the engine refuses the configuration: line 14: unable to infer input type from candidates: [generte]"},
		{b, generates + ", interval: 1s", "the engine refuses the configuration: line 17: field interval is invalid when the component type is generate (input)"},
		{b, "generate: {mapping: 'root = x y'}", "the engine refuses the configuration: line 15: expected line break, got: y"},
	} {
		text := fmt.Sprintf(file, a, m.port, m.input)
		all = append(all, mistake{m.input, func(path string) error { return replace(path, text) }, refused + m.want})
	}
	k := keep(t, fmt.Sprintf(file, a, b, generates), "benthos-a", "benthos-b")
	k.all(all)
	assert.NotContains(t, k.program.Stderr.String(), "benthos-a declaration refused")
}
