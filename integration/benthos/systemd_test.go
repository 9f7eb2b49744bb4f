//go:build integration

package benthos

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/integration/harness"
)

// systemd is what a program hears and says that systemd has started.
type systemd struct {
	socket string

	mu   sync.Mutex // guards told
	told []string   // messages, without the watchdog's beats
	beat int        // of the watchdog
}

func newSystemd(t *testing.T) *systemd {
	t.Helper()
	s := &systemd{socket: filepath.Join(t.TempDir(), "notify")}
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: s.socket, Net: "unixgram"})
	require.NoError(t, err)
	done := make(chan struct{})
	t.Cleanup(func() { conn.Close(); <-done })
	go func() {
		defer close(done)
		for text := make([]byte, 1<<16); ; {
			n, err := conn.Read(text)
			if err != nil {
				return
			}
			s.hear(string(text[:n]))
		}
	}()
	return s
}

func (s *systemd) hear(message string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if message == "WATCHDOG=1" {
		s.beat++
		return
	}
	s.told = append(s.told, message)
}

// was reports whether it was told something that begins so.
func (s *systemd) was(prefix string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.told, func(m string) bool { return strings.HasPrefix(m, prefix) })
}

func (s *systemd) beats() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.beat
}

// said returns what it was told since the last time, apart from how the instances
// are.
func (s *systemd) said() (events []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.told {
		event, _, _ := strings.Cut(m, "\n")
		if !strings.HasPrefix(event, "STATUS=") {
			events = append(events, event)
		}
	}
	s.told = nil
	return events
}

// serve has an s6-svscan serve a scan directory until the test ends.
func (p *plant) serve() (scan string) {
	p.t.Helper()
	scan = filepath.Join(p.root, "tree")
	require.NoError(p.t, os.Mkdir(scan, 0o755))
	tree := harness.Start(p.t, exec.Command("s6-svscan", scan))
	p.t.Cleanup(func() {
		tree.Signal(syscall.SIGTERM)
		assert.Zero(p.t, tree.End())
	})
	harness.Eventually(p.t, "it is served", func() bool { return harness.Exists(p.t, filepath.Join(scan, ".s6-svscan", "control")) })
	return scan
}

// TestUnitIsRestartedAndStopped: as the units of systemd have it. A restart of the
// program adopts what runs, evenkeel stop ends it, and systemd is told all along.
func TestUnitIsRestartedAndStopped(t *testing.T) {
	t.Parallel()
	p := newPlant(t)
	p.write(plantFile(1000000, "hello"))
	scan, s := p.serve(), newSystemd(t)
	start := func() *harness.Program {
		return p.startWith([]string{"NOTIFY_SOCKET=" + s.socket, "WATCHDOG_USEC=1000000"}, "--scan-dir", scan, "--leave")
	}
	health := func() error {
		out, err := exec.Command(evenkeel(t), "health", "--dir", p.root, "--scan-dir", scan).CombinedOutput()
		t.Logf("evenkeel health: %s", out)
		return err
	}
	program := start()
	harness.Eventually(t, "it is ready", func() bool { return s.was("READY=1\nSTATUS=keeps 2 services and 2 streams") })
	before := p.pids(ofPlant...)
	for name, pid := range before {
		for _, variable := range harness.Environ(pid) {
			assert.NotContains(t, variable, s.socket, "%s would speak for the program", name)
		}
	}
	harness.Eventually(t, "it is well", health)
	assert.Equal(t, []string{"READY=1"}, s.said())

	program.Signal(syscall.SIGHUP)
	harness.Eventually(t, "it has read its files", func() bool { return s.was("READY=1\nSTATUS=keeps 2 services and 2 streams") })
	assert.Equal(t, []string{"RELOADING=1", "READY=1"}, s.said())

	harness.Stop(t, program.PID())
	harness.Eventually(t, "it is not well", func() bool { return health() != nil })
	harness.Kill(t, program.PID(), syscall.SIGCONT)
	beats := s.beats()
	harness.Eventually(t, "the watchdog is told again", func() bool { return s.beats() > beats })
	harness.Eventually(t, "it is well again", health)

	program.Signal(syscall.SIGTERM)
	require.Zero(t, program.End())
	assert.Equal(t, []string{"STOPPING=1"}, s.said())
	assert.Error(t, health())
	program = start()
	harness.Eventually(t, "it is ready", func() bool { return s.was("READY=1") })
	harness.Eventually(t, "it is well", health)
	assert.Empty(t, changedPIDs(before, p.pids(ofPlant...)))

	stop := func() (string, error) {
		out, err := exec.Command(evenkeel(t), "stop", "--dir", p.root, "--scan-dir", scan, "--stop-timeout", harness.Patience.String(), "--log-format", "text").CombinedOutput()
		return string(out), err
	}
	said, err := stop()
	assert.Error(t, err, "the program keeps them")
	assert.Contains(t, said, "cannot manage the services in "+p.root)
	program.Signal(syscall.SIGTERM)
	require.Zero(t, program.End())
	assert.Empty(t, changedPIDs(before, p.pids(ofPlant...)))
	said, err = stop()
	require.NoError(t, err, said)
	for _, name := range ofPlant {
		assert.False(t, harness.Alive(before[name]), name)
	}
	assert.Less(t, strings.Index(said, "benthos-s stopping -> stopped"), strings.Index(said, "one running -> stopping"), "streams first: %s", said)
	said, err = stop()
	require.NoError(t, err, "nothing runs: %s", said)
}

// TestStopOfAUnitTellsHowLongItTakes where the program has a tree of its own.
func TestStopOfAUnitTellsHowLongItTakes(t *testing.T) {
	t.Parallel()
	p := newPlant(t)
	p.write("services: [{name: one, s6ServiceConfig: {command: [sleep, '1000000']}}]\n")
	s := newSystemd(t)
	program := p.startWith([]string{"NOTIFY_SOCKET=" + s.socket}, "--stop-timeout", "100s")
	harness.Eventually(t, "it is ready", func() bool { return s.was("READY=1\nSTATUS=keeps 1 service and 0 streams") })
	p.pids("one")
	p.ends(program)
	assert.True(t, s.was("STOPPING=1\nSTATUS=stops its instances\nEXTEND_TIMEOUT_USEC=120200000"))
	assert.Zero(t, s.beats(), "there is no watchdog")
}
