package benthos_test

import (
	"context"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/benthos/benthostest"
	"github.com/evenkeel/evenkeel/fsm"
)

// keeping is a Prober that keeps a connection to whom it has asked.
type keeping struct {
	*benthostest.Prober
	mu      sync.Mutex
	kept    map[string]bool // guarded by mu
	dropped int             // guarded by mu
}

func (k *keeping) Ready(ctx context.Context, addr string) (benthos.ReadyState, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.kept[addr] = true
	return k.Prober.Ready(ctx, addr)
}

func (k *keeping) Drop(addr string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.kept, addr)
	k.dropped++
}

// seen is whom it keeps connections to, and how many it has dropped since it was
// looked at last.
func (k *keeping) seen() (kept []string, dropped int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for addr := range k.kept {
		kept = append(kept, addr)
	}
	dropped, k.dropped = k.dropped, 0
	return kept, dropped
}

// TestConnectionsOfAStream: there is one while its process runs, and none to a
// process that has ended, to where it listened before, or once it is gone.
func TestConnectionsOfAStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		k := &keeping{Prober: m.prober, kept: make(map[string]bool)}
		m.options.Prober = k
		const other = "127.0.0.1:9099"
		m.prober.Set(endpoint, benthostest.Endpoint{})
		m.prober.Set(other, benthostest.Endpoint{})
		manager, leave := m.start(t)
		run := func(c *benthos.Config) {
			t.Helper()
			require.NoError(t, manager.Apply(t.Context(), active(map[string]*benthos.Config{"a": c})))
			time.Sleep(time.Minute)
			s, _ := manager.Instance("a")
			require.Equal(t, benthos.StateIdle, s.State)
		}
		holds := func(dropped int, kept ...string) {
			t.Helper()
			addrs, n := k.seen()
			assert.ElementsMatch(t, kept, addrs)
			assert.Equal(t, dropped, n)
		}
		run(stream("1s"))
		holds(0, endpoint)
		require.NoError(t, m.tree.Kill("a", syscall.SIGKILL))
		time.Sleep(time.Minute)
		holds(1, endpoint)

		moved := stream("1s")
		moved.MetricsPort = 9099
		run(moved)
		holds(1, other)
		require.NoError(t, manager.Apply(t.Context(), map[string]fsm.Desired[*benthos.Config]{"a": {State: benthos.Stopped, Spec: moved}}))
		time.Sleep(time.Minute)
		holds(1)
		run(moved)
		holds(0, other)
		require.NoError(t, manager.Apply(t.Context(), nil))
		time.Sleep(time.Minute)
		holds(1)
		run(moved)
		leave()
		holds(1)
	})
}
