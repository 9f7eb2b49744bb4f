package benthos_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/benthos/benthostest"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/ports"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/s6test"
)

// on returns a stream on a port.
func on(port uint16, interval string) *benthos.Config {
	c := stream(interval)
	c.MetricsPort = port
	return c
}

// What is refused keeps its port, which nobody else may be moved to.
func TestPortOfARefusedInstanceIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		for _, addr := range []string{"127.0.0.1:9080", "127.0.0.1:9081", "127.0.0.1:9082", "127.0.0.1:9083"} {
			m.prober.Set(addr, benthostest.Endpoint{})
		}
		refuse := map[string]error{}
		m.options.Linter = picky(refuse)
		manager := m.manage(t)
		all := map[string]*benthos.Config{"a": on(9080, "1s"), "b": on(9081, "1s"), "c": on(9082, "1s")}
		require.NoError(t, manager.Apply(t.Context(), active(all)))
		for name := range all {
			require.NoError(t, manager.Wait(t.Context(), name, fsm.PhaseRunning))
		}
		before := m.tree.Processes()
		refuse["b"] = errors.New("line 3: bad")
		err := manager.Apply(t.Context(), active(map[string]*benthos.Config{"c": on(9080, "2s"), "a": on(9081, "1s"), "b": on(9083, "2s")}))
		require.ErrorIs(t, err, benthos.ErrConfig)
		assert.ErrorContains(t, manager.Refused()["a"], `port 9081 is that of "b"`)
		assert.ErrorContains(t, manager.Refused()["c"], `port 9080 is that of "a"`)
		time.Sleep(20 * time.Second)
		assert.Equal(t, before, m.tree.Processes())
	})
}

// mute is a linter that gives no verdict.
func mute(why error) benthostest.Linter {
	return func(string, []byte) error { return &benthos.LinterError{Path: "benthos", Err: why} }
}

// Only a missing engine is a reason to take what could not be checked.
func TestWithoutAVerdictNothingIsApplied(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		m.options.Linter = mute(syscall.ENOENT)
		manager, leave := m.start(t)
		require.ErrorIs(t, manager.Apply(t.Context(), active(map[string]*benthos.Config{"a": stream("1s")})), syscall.ENOENT)
		assert.Empty(t, manager.Snapshot())
		leave()
		m.options.Linter = mute(benthos.ErrNoEngine)
		manager = m.manage(t)
		require.NoError(t, manager.Apply(t.Context(), active(map[string]*benthos.Config{"a": stream("1s")})))
	})
}

// A process that found its port taken is not started again and again.
func TestPortTakenIsNotTriedInARow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		m.prober.Set(endpoint, benthostest.Endpoint{Holder: ports.Holder{PID: 1, Process: "stranger"}})
		manager := m.manage(t)
		require.NoError(t, manager.Apply(t.Context(), active(map[string]*benthos.Config{"a": stream("1s")})))
		starts, last := 0, 0
		for range 5000 { // the stranger holds it only while the process runs
			time.Sleep(2 * time.Millisecond)
			e, pid := benthostest.Endpoint{Holder: ports.Holder{PID: 1, Process: "stranger"}}, 0
			for _, p := range m.tree.Processes() {
				if p.Service == "a" && !p.Finish {
					pid = p.PID
				}
			}
			if pid == 0 {
				m.prober.Clear(endpoint)
			} else {
				m.prober.Set(endpoint, e)
			}
			if pid != 0 && pid != last {
				starts, last = starts+1, pid
			}
		}
		t.Log("starts in ten seconds:", starts)
		assert.Greater(t, starts, 1)
		assert.LessOrEqual(t, starts, 6)
		m.prober.Set(endpoint, benthostest.Endpoint{})
		require.NoError(t, manager.Wait(t.Context(), "a", fsm.PhaseRunning))
	})
}

// What an engine has counted before anybody looked is not news, unless it is
// young.
func TestAdoptedEngineIsNotBlamedForWhatIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		m.prober.Set(endpoint, benthostest.Endpoint{})
		manager, leave := m.start(t)
		all := active(map[string]*benthos.Config{"a": stream("1s")})
		require.NoError(t, manager.Apply(t.Context(), all))
		require.NoError(t, manager.Wait(t.Context(), "a", fsm.PhaseRunning))
		leave()
		m.prober.Set(endpoint, benthostest.Endpoint{Metrics: benthos.Metrics{InputReceived: 1000, OutputError: 100}})
		time.Sleep(time.Hour)
		manager = m.manage(t)
		require.NoError(t, manager.Apply(t.Context(), all))
		for range 100 {
			time.Sleep(time.Second)
			s, _ := manager.Instance("a")
			require.Equal(t, benthos.StateIdle, s.State, s.Reason)
		}
	})
}

// s6 kills an engine some time after it should have ended by itself.
func TestEngineHasItsTimeToStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		m.prober.Set(endpoint, benthostest.Endpoint{})
		manager := m.manage(t)
		c := stream("1s")
		c.ShutdownTimeout = 9 * time.Second
		require.NoError(t, manager.Apply(t.Context(), active(map[string]*benthos.Config{"a": c})))
		require.NoError(t, manager.Wait(t.Context(), "a", fsm.PhaseRunning))
		file, err := m.tree.FS().ReadFile(m.tree.Layout().Service("a") + "/timeout-kill")
		require.NoError(t, err)
		assert.Equal(t, "11000\n", string(file))
	})
}

// driveOut brings about an instance whose process runs without its input's
// port, which a stranger took meanwhile, and takes half a second to end.
func driveOut(t *testing.T) (*memory, *fsm.Manager[*benthos.Config, benthos.Observed]) {
	m := newMemory(t)
	m.tree.SetProgram("a", s6test.Program{ReadyAfter: s6test.Never, StopAfter: 500 * time.Millisecond})
	m.prober.Set(endpoint, benthostest.Endpoint{})
	manager := m.manage(t)
	require.NoError(t, manager.Apply(t.Context(), active(map[string]*benthos.Config{"a": served("127.0.0.1:8080")})))
	time.Sleep(time.Second)
	m.prober.Set("127.0.0.1:8080", benthostest.Endpoint{Holder: ports.Holder{PID: 1, Process: "stranger"}})
	require.NoError(t, manager.Wait(t.Context(), "a", fsm.PhaseDegraded))
	m.prober.Clear(endpoint) // it ends
	return m, manager
}

func served(addr string) *benthos.Config {
	c := stream("1s")
	c.Input = map[string]any{"http_server": map[string]any{"address": addr}}
	return c
}

// A process that is stopped because its port is taken is not to be restarted
// as soon as it no longer answers: nobody looks at its ports then.
func TestPortTakenIsKnownUntilTheProcessHasGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, manager := driveOut(t)
		for range 1000 {
			time.Sleep(5 * time.Millisecond)
			s, _ := manager.Instance("a")
			require.Contains(t, s.Reason.String(), "port 8080 is taken: process 1 (stranger)")
			require.Equal(t, s6.Stopped, s.Observed.Asked)
		}
		m.prober.Set(endpoint, benthostest.Endpoint{})
		m.prober.Set("127.0.0.1:8080", benthostest.Endpoint{})
		require.NoError(t, manager.Wait(t.Context(), "a", fsm.PhaseRunning))
	})
}

// With another port it is over.
func TestPortTakenIsOverWithAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, manager := driveOut(t)
		m.prober.Set("127.0.0.1:8081", benthostest.Endpoint{})
		require.NoError(t, manager.Apply(t.Context(), active(map[string]*benthos.Config{"a": served("127.0.0.1:8081")})))
		time.Sleep(200 * time.Millisecond)
		s, _ := manager.Instance("a")
		assert.Equal(t, s6.Running, s.Observed.Asked)
		time.Sleep(400 * time.Millisecond)
		m.prober.Set(endpoint, benthostest.Endpoint{})
		require.NoError(t, manager.Wait(t.Context(), "a", fsm.PhaseRunning))
	})
}

// The log is evidence for reasons. That it cannot be read moves no state, and
// what is over is no evidence.
func TestLogIsNoMoreThanEvidence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		m.prober.Set(endpoint, benthostest.Endpoint{})
		manager := m.manage(t)
		require.NoError(t, manager.Apply(t.Context(), active(map[string]*benthos.Config{"a": stream("1s")})))
		require.NoError(t, manager.Wait(t.Context(), "a", fsm.PhaseRunning))
		const line = `level=error msg="Failed to send message to http_client: refused" @service=benthos label="" path=root.output`
		says := func() string { s, _ := manager.Instance("a"); return string(s.State) + ": " + s.Reason.String() }

		m.prober.Set(endpoint, benthostest.Endpoint{NotReady: "output not connected"})
		require.NoError(t, m.tree.Print("a", line))
		time.Sleep(3 * time.Second)
		assert.Contains(t, says(), "Failed to send message")
		m.prober.Set(endpoint, benthostest.Endpoint{})
		require.NoError(t, manager.Wait(t.Context(), "a", fsm.PhaseRunning))
		time.Sleep(5 * time.Second)
		m.prober.Set(endpoint, benthostest.Endpoint{NotReady: "input not connected"})
		time.Sleep(5 * time.Second)
		assert.Contains(t, says(), "degraded: it is not ready: input not connected")

		// Where it cannot be read the state is what it is all the same.
		log := m.tree.Layout().Log("a")
		require.NoError(t, m.tree.FS().Rename(log, log+".away"))
		require.NoError(t, m.tree.FS().WriteFile(log, nil, 0o600))
		m.prober.Set(endpoint, benthostest.Endpoint{Err: syscall.ECONNRESET})
		time.Sleep(10 * time.Second)
		assert.Contains(t, says(), "degraded")
		s, _ := manager.Instance("a")
		assert.NoError(t, s.Err)
		require.NoError(t, m.tree.FS().Remove(log))
		require.NoError(t, m.tree.FS().Rename(log+".away", log))
		m.prober.Set(endpoint, benthostest.Endpoint{})
		require.NoError(t, manager.Wait(t.Context(), "a", fsm.PhaseRunning))
	})
}

func TestEveryUnsettledInstanceSaysWhenItIsLookedAt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		m.prober.Set(endpoint, benthostest.Endpoint{NotReady: "output not connected"})
		manager := m.manage(t)
		require.NoError(t, manager.Apply(t.Context(), active(map[string]*benthos.Config{"a": stream("1s")})))
		time.Sleep(2 * time.Minute)
		s, _ := manager.Instance("a")
		assert.Equal(t, fsm.PhaseDegraded, s.Phase)
		assert.LessOrEqual(t, time.Until(s.NextPass), time.Second)
		assert.Positive(t, s.NextPass.Sub(s.ObservedAt))
	})
}

// Children of a sequence listen when it comes to them.
func TestInputsThatBeginLaterAreNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		m.prober.Set(endpoint, benthostest.Endpoint{})
		c := stream("1s")
		c.Input = map[string]any{"sequence": map[string]any{"inputs": []any{
			c.Input, map[string]any{"http_server": map[string]any{"address": "127.0.0.1:8080"}},
		}}}
		manager := m.manage(t)
		require.NoError(t, manager.Apply(t.Context(), active(map[string]*benthos.Config{"a": c})))
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		require.NoError(t, manager.Wait(ctx, "a", fsm.PhaseRunning))
	})
}

func TestNumbersAndDurationsAreRenderedAsSuch(t *testing.T) {
	d := json.NewDecoder(strings.NewReader(`{"generate": {"count": 5, "batch": 18446744073709551615, "rate": 0.5}}`))
	d.UseNumber()
	c := stream("1s")
	require.NoError(t, d.Decode(&c.Input))
	c.Input["generate"].(map[string]any)["interval"] = 1500 * time.Millisecond
	doc, err := c.Render()
	require.NoError(t, err)
	for _, line := range []string{"count: 5\n", "batch: 18446744073709551615\n", "rate: 0.5\n", "interval: 1.5s\n"} {
		assert.Contains(t, string(doc), line)
	}
	c.Input["generate"].(map[string]any)["count"] = json.Number("many")
	assert.ErrorContains(t, c.Validate(), "input.generate.count")
}

// TestAnErrorAboutOneNameIsNoneAboutAll: of one stream it cannot be found out
// whose it is. It is refused, and the others run.
func TestAnErrorAboutOneNameIsNoneAboutAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		for _, addr := range []string{"127.0.0.1:9080", "127.0.0.1:9081"} {
			m.prober.Set(addr, benthostest.Endpoint{})
		}
		require.NoError(t, m.tree.FS().MkdirAll(m.tree.Layout().Service("b")+"/data/manifest.json", 0o755))
		manager := m.manage(t)
		err := manager.Apply(t.Context(), active(map[string]*benthos.Config{"a": on(9080, "1s"), "b": on(9081, "1s")}))
		require.ErrorIs(t, err, syscall.EISDIR)
		assert.NotErrorIs(t, err, benthos.ErrConfig, "that says nothing of its configuration")
		assert.ErrorContains(t, err, `refused "b"`)
		require.NoError(t, manager.Wait(t.Context(), "a", fsm.PhaseRunning))
	})
}
