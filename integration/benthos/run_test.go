//go:build integration

package benthos

import (
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/integration/harness"

	"github.com/evenkeel/evenkeel/internal/proc"
)

func TestRunUntilASignal(t *testing.T) {
	t.Parallel()
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		t.Run(signal.String(), func(t *testing.T) {
			t.Parallel()
			h := newHome(t, bento(t))
			p := h.start()
			h.serving()
			h.listensOnLoopback()
			const message = `{"test":"message"}`
			for n := range five {
				require.NoError(t, h.post(n, message, 0))
				harness.Eventually(t, "the message is in the log", func() bool { return h.logged(n, message) == 1 })
				for _, path := range []string{"/ping", "/ready", "/version"} {
					status, _, err := h.get(n, path)
					require.NoError(t, err)
					assert.Equal(t, http.StatusOK, status, path)
				}
				_, metrics, err := h.get(n, "/metrics")
				require.NoError(t, err)
				assert.Contains(t, metrics, "# TYPE input_received")
			}
			// What is under way is finished.
			answer, before := make(chan error), h.received(3)
			go func() { answer <- h.post(3, `{"test":"late"}`, 2*time.Second) }()
			harness.Eventually(t, "the stream has taken the message", func() bool { return h.received(3) > before })
			p.interrupt(signal)
			assert.NoError(t, <-answer)
			assert.Equal(t, 1, h.logged(3, `{"test":"late"}`))
		})
	}
}

func TestRunUnderNohupOutlivesItsTerminal(t *testing.T) {
	t.Parallel()
	h := newHome(t, bento(t))
	cmd := h.command("-instances", "1")
	nohup, err := exec.LookPath("nohup")
	require.NoError(t, err)
	cmd.Path, cmd.Args = nohup, append([]string{"nohup"}, cmd.Args...)
	p := h.run(cmd)
	harness.Eventually(t, "the instance is ready", func() bool {
		status, _, err := h.get(0, "/ready")
		return err == nil && status == http.StatusOK
	})
	p.Signal(syscall.SIGHUP)
	harness.Pause(t, 500*time.Millisecond, "a program that ends at the signal has begun to")
	require.NoError(t, h.post(0, `{"test":"message"}`, 0))
	assert.True(t, p.Runs())
	p.Signal(syscall.SIGINT)
	assert.Zero(t, p.End())
}

// listensOnLoopback checks that each of the ports is listened on at 127.0.0.1
// and nowhere else.
func (h *home) listensOnLoopback() {
	h.t.Helper()
	sockets, err := proc.System.TCP()
	require.NoError(h.t, err)
	var at []string
	for _, s := range sockets {
		if port := int(s.Local.Port()); s.State == proc.TCPListen && port >= h.httpPort && port < h.httpPort+2*five {
			at = append(at, s.Local.Addr().String())
		}
	}
	assert.Equal(h.t, slices.Repeat([]string{"127.0.0.1"}, 2*five), at)
}

func TestRunShowsALineForEachTransition(t *testing.T) {
	t.Parallel()
	h := newHome(t, bento(t))
	p := h.start()
	h.serving()
	p.interrupt(syscall.SIGINT)
	line := regexp.MustCompile(`^\d\d:\d\d:\d\d\.\d{3} (benthos-\d) (\w+) -> (\w+) \((\w+)\) .+\n$`)
	said := regexp.MustCompile(`^\d\d:\d\d:\d\d\.\d{3} benthos-\d \w+: `) // on a slow machine
	state := make(map[string]string)
	for text := range strings.Lines(p.Stdout.String()) {
		if said.MatchString(text) {
			continue
		}
		found := line.FindStringSubmatch(text)
		require.NotNil(t, found, text)
		if was, ok := state[found[1]]; ok {
			assert.Equal(t, was, found[2], text)
		}
		state[found[1]] = found[3]
	}
	assert.Len(t, state, five)
	for name, last := range state {
		assert.Equal(t, "stopped", last, name)
	}
}

func TestRunForADuration(t *testing.T) {
	t.Parallel()
	h := newHome(t, bento(t))
	begun := time.Now()
	const duration = 4 * time.Second
	p := h.start("-duration", duration.String(), "-json")
	assert.Zero(t, p.EndWithin(duration+harness.Patience))
	assert.True(t, time.Now().After(begun.Add(duration)), "it ran for so long")
	harness.NoneLeft(t, h.root)
	passed := make(map[string][]string)
	for _, tr := range p.transitions() {
		assert.Equal(t, "benthos", tr.Kind)
		assert.NotEmpty(t, tr.Phase)
		assert.WithinRange(t, tr.At, begun, time.Now())
		passed[tr.Instance] = append(passed[tr.Instance], tr.To)
	}
	start := []string{
		"creating", "stopped", "starting", "starting_config_loading", "starting_waiting_for_healthchecks",
		"starting_waiting_for_service_to_remain_running", "idle",
	}
	for n := range five {
		// How far it gets in that time depends on the machine.
		states, far := passed[instance(n)], 0
		if len(states) == 0 {
			continue // its time was over before
		}
		for far < min(len(states), len(start)) && states[far] == start[far] {
			far++
		}
		assert.Subset(t, []string{"stopping", "stopped"}, states[far:], states)
		assert.Equal(t, "stopped", states[len(states)-1])
	}
}

func TestRunEndsInOrderWhereverItIs(t *testing.T) {
	t.Parallel()
	// A signal while everything begins is the same as one later.
	for _, after := range []time.Duration{0, 20 * time.Millisecond, 100 * time.Millisecond, 300 * time.Millisecond, 600 * time.Millisecond} {
		t.Run(after.String(), func(t *testing.T) {
			t.Parallel()
			h := newHome(t, bento(t))
			p := h.start("-json")
			// Before that the program has not set how it handles signals.
			harness.Eventually(t, "the tree is being started", func() bool {
				_, err := os.Stat(h.service(".lock"))
				return err == nil
			})
			harness.Holds(t, after, "it runs", p.Runs)
			p.interrupt(syscall.SIGINT)
		})
	}
}
