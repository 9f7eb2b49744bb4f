//go:build integration

package benthos

import (
	"fmt"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// load posts messages to all instances, one after the other to each.
type load struct {
	h    *home
	stop chan struct{}
	all  sync.WaitGroup

	mu       sync.Mutex // guards accepted
	accepted [five][]string
}

func (h *home) load() *load {
	l := &load{h: h, stop: make(chan struct{})}
	for n := range five {
		l.all.Go(func() {
			for number := 0; ; number++ {
				select {
				case <-l.stop:
					return
				case <-time.After(5 * time.Millisecond):
				}
				message := fmt.Sprintf(`{"test":"load","number":"<%d>"}`, number)
				if h.post(n, message, 0) == nil {
					l.mu.Lock()
					l.accepted[n] = append(l.accepted[n], message)
					l.mu.Unlock()
				}
			}
		})
	}
	return l
}

// count returns how many messages the instance has accepted that has accepted
// the fewest.
func (l *load) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	least := len(l.accepted[0])
	for _, a := range l.accepted {
		least = min(least, len(a))
	}
	return least
}

// end stops the load.
func (l *load) end() {
	close(l.stop)
	l.all.Wait()
}

// logged checks that each accepted message is in the logs exactly once.
func (l *load) logged() {
	l.h.t.Helper()
	for n := range five {
		for _, message := range l.accepted[n] {
			require.Equal(l.h.t, 1, l.h.logged(n, message), "%s: %s", instance(n), message)
		}
	}
}

// A kill of the program, at any time, leaves the instances as they are; the
// next run takes them over.
func TestKilledAndStartedAgain(t *testing.T) {
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
			require.NoError(h.t, p.cmd.Process.Signal(syscall.SIGTERM))
			p.await("stop", 3)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := newHome(t, bento(t))
			first := h.start("-json")
			single := doubles(t, h.service(""))
			defer single()
			var l *load
			if c.load {
				l = h.load()
				defer l.logged()
			}
			c.until(h, first)
			first.slay()
			before := h.pids()

			second := h.start("-json")
			after := h.serving()
			if l != nil {
				enough := l.count() + 20
				eventually(t, patience, "the load goes on", func() bool { return l.count() >= enough })
			}
			for n, pid := range before {
				if pid != 0 && !c.ends {
					assert.Equal(t, pid, after[n], instance(n))
				}
			}
			second.await("start_done", five)
			assert.Equal(t, after, h.pids())
			if l != nil {
				l.end()
			}
			second.interrupt(syscall.SIGINT)
		})
	}
}

// However often it is killed, at whatever moment, the five stay the same.
func TestKilledOverAndOver(t *testing.T) {
	t.Parallel()
	h := newHome(t, bento(t))
	first := h.start()
	pids := h.serving()
	single := doubles(t, h.service(""))
	defer single()
	first.slay()
	for n := range 12 {
		p := h.start()
		held(t, time.Duration(n)*30*time.Millisecond, "it runs", func() bool { return p.cmd.ProcessState == nil })
		p.slay()
		require.Equal(t, pids, h.pids())
	}
	last := h.start()
	assert.Equal(t, pids, h.serving())
	last.interrupt(syscall.SIGTERM)
}
