//go:build integration

package benthos

import (
	"context"
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/fsm"
)

// What no linter sees: an engine that ends by itself says why, and what it says
// is the reason. A change back mends it.
func TestConfigurationThatFailsAtTheStart(t *testing.T) {
	for name, engine := range map[string]func(testing.TB) string{"Bento": bento, "Redpanda": redpanda} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, engine(t))
			good := printer(t)
			good.Metrics = benthos.MetricsNone
			w.run(streams{"s": good})
			bad := changed(good, func(c *benthos.Config) {
				c.Output = map[string]any{"http_client": map[string]any{
					"url": "https://127.0.0.1:1/", "tls": map[string]any{"enabled": true, "root_cas_file": "/nonexistent/ca.pem"},
				}}
			})
			require.NoError(t, w.apply(active(streams{"s": bad})))
			w.says("s", benthos.StateDegraded, "start failed: failed to init output", "/nonexistent/ca.pem")
			begun := time.Now()
			w.run(streams{"s": good})
			assert.Less(t, time.Since(begun), 40*time.Second)
			require.NoError(t, post(inputPort(good), "{}", 0))
		})
	}
}

// The last word counts, however many came before it and however fast, and
// nothing else is touched.
func TestDeclarationsInQuickSuccession(t *testing.T) {
	t.Parallel()
	const seed = 1
	random := rand.New(rand.NewPCG(seed, seed))
	w := newWorld(t, bento(t), func(o *benthos.Options) { o.Linter = lenient{} })
	all := streams{"a": printer(t), "b": printer(t), "still": printer(t)}
	w.run(all)
	pid := w.pid("still")
	single := doubles(t, w.tree.Layout().ServicesDir)
	for n := range 60 {
		next := active(all)
		for _, name := range []string{"a", "b"} {
			switch random.IntN(4) {
			case 0:
				delete(next, name)
			case 1:
				next[name] = fsm.Desired[*benthos.Config]{State: benthos.Stopped, Spec: all[name]}
			case 2:
				next[name] = fsm.Desired[*benthos.Config]{State: benthos.Active, Spec: relabelled(all[name], fmt.Sprintf("n%d", n))}
			}
		}
		require.NoError(t, w.apply(next))
		pause := time.Duration(random.IntN(120)) * time.Millisecond
		held(t, pause, "one is left alone", func() bool { return alive(pid) })
	}
	last := with(all, "a", relabelled(all["a"], "last"))
	w.run(last)
	single()
	assert.Equal(t, pid, w.pid("still"))
	for name, c := range last {
		require.NoError(t, post(inputPort(c), `{"test":"last"}`, 0), name)
	}
	for name, c := range w.plan(active(last)) {
		assert.Equal(t, fsm.ChangeNone, c.Kind, name)
	}
}

// lenient is a linter that takes all.
type lenient struct{}

func (lenient) Lint(context.Context, map[string][]byte) (map[string]error, error) { return nil, nil }

// An instance whose supervisor is killed has one process all the time and comes
// to run again.
func TestSupervisorThatIsKilled(t *testing.T) {
	t.Parallel()
	w := newWorld(t, bento(t))
	all := streams{"a": printer(t), "b": printer(t)}
	w.run(all)
	other := w.pid("b")
	single := doubles(t, w.tree.Layout().ServicesDir)
	for range 3 {
		supervisor, err := w.tree.Supervisor(w.tree.Layout().Service("a"))
		require.NoError(t, err)
		slay(t, supervisor.PID)
		w.says("a", benthos.StateDegraded)
		w.await(fsm.PhaseRunning, "a")
		require.NoError(t, post(inputPort(all["a"]), "{}", 0))
	}
	single()
	assert.Equal(t, other, w.pid("b"))
}

// All at once: the processes, a supervisor, s6-svscan.
func TestEverythingIsKilled(t *testing.T) {
	t.Parallel()
	w := newWorld(t, bento(t))
	all := fiveStreams(t)
	w.run(all)
	single := doubles(t, w.tree.Layout().ServicesDir)
	defer single()
	for _, p := range processesOf(w.root) {
		_ = syscall.Kill(p.PID, syscall.SIGKILL) // it may have ended with another
	}
	for name, c := range all {
		eventually(t, patience, name+" serves again", func() bool { return post(inputPort(c), "{}", 0) == nil })
		w.await(fsm.PhaseRunning, name)
	}
}
