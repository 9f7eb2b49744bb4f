package benthos_test

import (
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

// expecting is what a stream is asked that is to get a message each d.
func expecting(d time.Duration) map[string]fsm.Desired[*benthos.Config] {
	c := stream("1s")
	c.ExpectTraffic = d
	return active(map[string]*benthos.Config{"a": c})
}

// TestExpectedTrafficIsLive: what is expected changes with the process as it is,
// and a later run of the program knows what was.
func TestExpectedTrafficIsLive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		m.prober.Set(endpoint, benthostest.Endpoint{})
		manager, leave := m.start(t)
		require.NoError(t, manager.Apply(t.Context(), expecting(0)))
		require.NoError(t, manager.Wait(t.Context(), "a", fsm.PhaseRunning))
		before := m.tree.Processes()
		for _, d := range []time.Duration{time.Minute, time.Hour, 2 * time.Minute} {
			plan, err := manager.Plan(t.Context(), expecting(d))
			require.NoError(t, err)
			require.Equal(t, fsm.ChangeLive, plan[0].Kind, "%+v", plan)
			require.NoError(t, manager.Apply(t.Context(), expecting(d)))
			require.NoError(t, manager.Wait(t.Context(), "a", fsm.PhaseRunning))
			time.Sleep(30 * time.Second)
		}
		leave()
		assert.Equal(t, before, m.tree.Processes())
		manager = m.manage(t)
		changes, err := manager.Plan(t.Context(), expecting(2*time.Minute))
		require.NoError(t, err)
		assert.Equal(t, fsm.ChangeNone, changes[0].Kind)
		require.Error(t, manager.Apply(t.Context(), active(map[string]*benthos.Config{"a": {MetricsPort: 9080}})))
		time.Sleep(time.Second)
		s, _ := manager.Instance("a")
		assert.Equal(t, 2*time.Minute, s.Desired.Spec.ExpectTraffic, "what was asked before goes on")
	})
}

// TestExpectedTrafficIsOfOneProcess: the time begins when a process is ready, and
// again when it is so again.
func TestExpectedTrafficIsOfOneProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		m.prober.Set(endpoint, benthostest.Endpoint{})
		manager := m.manage(t)
		require.NoError(t, manager.Apply(t.Context(), expecting(time.Minute)))
		silent := func() bool {
			time.Sleep(2 * time.Second)
			s, _ := manager.Instance("a")
			return s.State == benthos.StateDegraded && s.Reason.Summary[:10] == "no message"
		}
		for range 5 {
			time.Sleep(50 * time.Second)
			require.False(t, silent())
			require.NoError(t, m.tree.Kill("a", syscall.SIGKILL))
		}
		for range 5 {
			time.Sleep(50 * time.Second)
			require.False(t, silent())
			m.prober.Set(endpoint, benthostest.Endpoint{NotReady: "input not connected"})
			require.False(t, silent())
			m.prober.Set(endpoint, benthostest.Endpoint{})
		}
		time.Sleep(time.Minute)
		require.True(t, silent())
		s, _ := manager.Instance("a")
		assert.Contains(t, s.Reason.String(), ", where one is expected each 1m")
		m.prober.Set(endpoint, benthostest.Endpoint{Metrics: benthos.Metrics{InputReceived: 1}})
		require.False(t, silent())
	})
}
