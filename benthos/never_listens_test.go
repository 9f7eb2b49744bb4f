package benthos_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/benthos/benthostest"
	"github.com/evenkeel/evenkeel/fsm"
)

// What took the port when the process began has gone since: the process never
// listens, and another one is run. One that is slow to begin looks the same, so
// that the next one has more time.
func TestProcessThatNeverListensIsRunAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		manager := m.manage(t)
		require.NoError(t, manager.Apply(t.Context(), active(map[string]*benthos.Config{"a": stream("1s")})))
		var starts []time.Duration
		begin, last := time.Now(), 0
		for time.Since(begin) < 5*time.Minute {
			time.Sleep(10 * time.Millisecond)
			for _, p := range m.tree.Processes() {
				if p.Service == "a" && !p.Finish && p.PID != last {
					last = p.PID
					starts = append(starts, time.Since(begin).Truncate(time.Second))
				}
			}
		}
		require.Len(t, starts, 4, "after 30 s, 60 s and 2 minutes more")
		for n, patience := range []time.Duration{30 * time.Second, time.Minute, 2 * time.Minute} {
			assert.InDelta(t, patience.Seconds(), (starts[n+1] - starts[n]).Seconds(), 6, "%v", starts)
		}
		s, _ := manager.Instance("a")
		assert.Equal(t, fsm.PhaseDegraded, s.Phase)
		m.prober.Set(endpoint, benthostest.Endpoint{})
		require.NoError(t, manager.Wait(t.Context(), "a", fsm.PhaseRunning))
		s, _ = manager.Instance("a")
		assert.Equal(t, last, s.Observed.Service.Observed.PID(), "the fourth only took long")
	})
}

// That a user stops a stream, or restarts it, ends the row.
func TestProcessThatNeverListensAfterAStopByHand(t *testing.T) {
	for name, byHand := range map[string]func(t *testing.T, manager *fsm.Manager[*benthos.Config, benthos.Observed]){
		"stop": func(t *testing.T, manager *fsm.Manager[*benthos.Config, benthos.Observed]) {
			d := manager.Declared()["a"]
			d.State = benthos.Stopped
			require.NoError(t, manager.Set(t.Context(), "a", d))
			require.NoError(t, manager.Wait(t.Context(), "a", fsm.PhaseStopped))
			d.State = benthos.Active
			require.NoError(t, manager.Set(t.Context(), "a", d))
		},
		"restart": func(t *testing.T, manager *fsm.Manager[*benthos.Config, benthos.Observed]) {
			require.NoError(t, manager.Restart(t.Context(), "a"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMemory(t)
				manager := m.manage(t)
				require.NoError(t, manager.Apply(t.Context(), active(map[string]*benthos.Config{"a": stream("1s")})))
				pid := func() int { s, _ := manager.Instance("a"); return s.Observed.Service.Observed.PID() }
				time.Sleep(50 * time.Second)
				byHand(t, manager)
				time.Sleep(10 * time.Second)
				before := pid()
				require.NotZero(t, before)
				time.Sleep(30 * time.Second)
				assert.NotEqual(t, before, pid(), "it has 30 s again, and not a minute")
			})
		})
	}
}

// An engine may be ready, and an input of it without its port.
func TestInputThatNeverListensIsRunAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		m.prober.Set(endpoint, benthostest.Endpoint{})
		manager := m.manage(t)
		require.NoError(t, manager.Apply(t.Context(), active(map[string]*benthos.Config{"a": served("127.0.0.1:8080")})))
		time.Sleep(28 * time.Second)
		s, _ := manager.Instance("a")
		before := s.Observed.Service.Observed.PID()
		require.NotZero(t, before)
		var given string
		for range 400 {
			time.Sleep(10 * time.Millisecond)
			if s, _ := manager.Instance("a"); s.Observed.PortTaken != "" {
				given = s.Observed.PortTaken
			}
		}
		assert.Equal(t, fmt.Sprintf("process %d has not listened on 127.0.0.1:8080 (input.http_server.address) for 30s", before), given)
		m.prober.Set("127.0.0.1:8080", benthostest.Endpoint{})
		require.NoError(t, manager.Wait(t.Context(), "a", fsm.PhaseRunning))
		s, _ = manager.Instance("a")
		assert.NotEqual(t, before, s.Observed.Service.Observed.PID())
	})
}

// It says what it is given up for, while nothing runs.
func TestProcessThatNeverListensIsGivenUpWithAReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		manager := m.manage(t)
		require.NoError(t, manager.Apply(t.Context(), active(map[string]*benthos.Config{"a": stream("1s")})))
		seen := make(map[string]bool)
		for range 4000 {
			time.Sleep(10 * time.Millisecond)
			s, _ := manager.Instance("a")
			seen[string(s.State)+": "+s.Reason.String()] = true
		}
		assert.Regexp(t, `degraded: it cannot listen: process \d+ has not listened on 127\.0\.0\.1:9080 \(metrics_port\) for 30s`, fmt.Sprint(seen))
	})
}
