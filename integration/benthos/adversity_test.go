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
	"github.com/evenkeel/evenkeel/integration/harness"
)

// What no linter sees: an engine that ends by itself says why, and its words
// are the reason. Undoing the change repairs it.
func TestConfigurationThatFailsAtTheStart(t *testing.T) {
	t.Parallel()
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
			require.NoError(t, w.Apply(active(streams{"s": bad})))
			w.Says("s", benthos.StateDegraded, "start failed: failed to init output", "/nonexistent/ca.pem")
			w.run(streams{"s": good})
			require.NoError(t, post(inputPort(good), "{}", 0))
		})
	}
}

// The last declaration counts, however many came before it and however fast,
// and nothing else is touched.
func TestDeclarationsInQuickSuccession(t *testing.T) {
	t.Parallel()
	const seed = 1
	random := rand.New(rand.NewPCG(seed, seed))
	w := newWorld(t, bento(t), func(o *benthos.Options) { o.Linter = lenient{} })
	all := streams{"a": printer(t), "b": printer(t), "still": printer(t)}
	w.run(all)
	pid := w.pid("still")
	single := doubles(t, w.Config.ServicesDir)
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
		require.NoError(t, w.Apply(next))
		pause := time.Duration(random.IntN(120)) * time.Millisecond
		harness.Holds(t, pause, "one is left alone", func() bool { return harness.Alive(pid) })
	}
	last := with(all, "a", relabelled(all["a"], "last"))
	w.run(last)
	single()
	assert.Equal(t, pid, w.pid("still"))
	for name, c := range last {
		require.NoError(t, post(inputPort(c), `{"test":"last"}`, 0), name)
	}
	for name, c := range w.Plan(active(last)) {
		assert.Equal(t, fsm.ChangeNone, c.Kind, name)
	}
}

// lenient is a linter that accepts everything.
type lenient struct{}

func (lenient) Lint(context.Context, map[string][]byte) (map[string]error, error) { return nil, nil }

// An instance whose supervisor is killed has one process all the time and runs
// again.
func TestSupervisorThatIsKilled(t *testing.T) {
	t.Parallel()
	w := newWorld(t, bento(t))
	all := streams{"a": printer(t), "b": printer(t)}
	w.run(all)
	other := w.pid("b")
	single := doubles(t, w.Config.ServicesDir)
	for range 3 {
		w.Forget()
		supervisor, err := w.Tree.Supervisor(w.Service("a"))
		require.NoError(t, err)
		harness.Slay(t, supervisor.PID)
		w.ComesTo("a", benthos.StateDegraded, 1)
		w.Await(fsm.PhaseRunning, "a")
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
	single := doubles(t, w.Config.ServicesDir)
	defer single()
	for _, p := range harness.ProcessesOf(w.Root) {
		_ = syscall.Kill(p.PID, syscall.SIGKILL) // it may have ended with another
	}
	for name, c := range all {
		harness.Eventually(t, name+" serves again", func() bool { return post(inputPort(c), "{}", 0) == nil })
		w.Await(fsm.PhaseRunning, name)
	}
}
