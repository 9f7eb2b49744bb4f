//go:build integration

package benthos

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/integration/harness"
)

// load begins to post messages to all instances.
func (h *home) load() *harness.Load {
	return harness.NewLoad(five,
		func(_, number int) string { return fmt.Sprintf(`{"test":"load","number":"<%d>"}`, number) },
		func(n int, message string) error { return h.post(n, message, 0) })
}

// loggedOnce checks that each accepted message is in the logs exactly once. The
// engine writes a message and the end of its line apart: what it logs meanwhile
// comes between them.
func (h *home) loggedOnce(accepted [][]string) {
	h.t.Helper()
	for n, messages := range accepted {
		text := logs(h.t, h.log(n))
		for _, message := range messages {
			require.Equal(h.t, 1, strings.Count(text, message), "%s: %s; its log:\n%s", instance(n), message, text)
		}
	}
}

// A kill of the program leaves the instances as they are, at any time; the next
// run takes them over.
func TestKilledAndStartedAgain(t *testing.T) {
	t.Parallel()
	most := func(event string) func(*home, *program) {
		return func(h *home, p *program) { p.await(event, 3) }
	}
	for _, c := range []struct {
		name  string
		until func(*home, *program)
		load  bool
		ends  bool // the processes may have come to their end
	}{
		{name: "as they are created", until: most("create")},
		{name: "as they are started", until: most("start")},
		{name: "as their processes start", until: most("s6_started")},
		{name: "as they become ready", until: most("healthchecks_passed")},
		{name: "idle", until: func(h *home, p *program) { h.serving() }},
		{name: "under load", load: true, until: func(h *home, p *program) { h.serving() }},
		{name: "as they stop", load: true, ends: true, until: func(h *home, p *program) {
			h.serving()
			p.Signal(syscall.SIGTERM)
			p.await("stop", 3)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := newHome(t, bento(t))
			first := h.start("-json")
			single := doubles(t, h.service(""))
			defer single()
			var l *harness.Load
			if c.load {
				l = h.load()
				t.Cleanup(l.End)
			}
			c.until(h, first)
			first.Slay()
			before := h.pids()

			second := h.start("-json")
			after := h.serving()
			if l != nil {
				enough := l.Count() + 20
				harness.Eventually(t, "the load goes on", func() bool { return l.Count() >= enough })
			}
			for n, pid := range before {
				if pid != 0 && !c.ends {
					assert.Equal(t, pid, after[n], instance(n))
				}
			}
			second.await("start_done", five)
			assert.Equal(t, after, h.pids())
			if l != nil {
				l.End()
			}
			second.interrupt(syscall.SIGINT)
			if l != nil {
				h.loggedOnce(l.Accepted())
			}
		})
	}
}

// However often the program is killed, at whatever moment, the five stay the
// same.
func TestKilledOverAndOver(t *testing.T) {
	t.Parallel()
	h := newHome(t, bento(t))
	first := h.start()
	pids := h.serving()
	single := doubles(t, h.service(""))
	defer single()
	first.Slay()
	for n := range 12 {
		p := h.start()
		harness.Holds(t, time.Duration(n)*30*time.Millisecond, "it runs", p.Runs)
		p.Slay()
		require.Equal(t, pids, h.pids())
	}
	last := h.start("-json")
	last.await("create", five) // until then a signal may come before it is heard
	assert.Equal(t, pids, h.serving())
	last.interrupt(syscall.SIGTERM)
}
