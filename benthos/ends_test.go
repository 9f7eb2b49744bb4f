package benthos_test

import (
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
	"github.com/evenkeel/evenkeel/s6/supervise"
)

// withProgram runs a test of an instance whose engine is that program.
func withProgram(t *testing.T, p s6test.Program, test func(t *testing.T, m *memory, manager *fsm.Manager[*benthos.Config, benthos.Observed])) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		p.ReadyAfter = s6test.Never
		m.tree.Install("/usr/bin/benthos", p)
		m.prober.Set(endpoint, benthostest.Endpoint{})
		manager := m.manage(t)
		require.NoError(t, manager.Apply(t.Context(), active(map[string]*benthos.Config{"a": stream("1s")})))
		test(t, m, manager)
	})
}

// started returns the process of the instance, 0 while there is none.
func started(m *memory) int {
	for _, p := range m.tree.Processes() {
		if p.Service == "a" && !p.Finish && !p.Child {
			return p.PID
		}
	}
	return 0
}

// TestInputIsReadOnce where the policy says so: neither this program nor the next
// one runs it again.
func TestInputIsReadOnce(t *testing.T) {
	for _, restart := range []s6.Restart{s6.RestartOnFailure, s6.RestartNever} {
		synctest.Test(t, func(t *testing.T) {
			m := newMemory(t)
			m.tree.Install("/usr/bin/benthos", s6test.Program{RunFor: 3 * time.Second, ReadyAfter: s6test.Never})
			m.prober.Set(endpoint, benthostest.Endpoint{})
			once := stream("1s")
			once.Policy.Restart = restart
			var states []fsm.State
			all := active(map[string]*benthos.Config{"a": once})
			for range 2 {
				manager, leave := m.start(t)
				manager.Listen(func(n fsm.Notice) {
					if move, is := n.(fsm.Transition); is {
						states = append(states, move.To)
					}
				})
				require.NoError(t, manager.Apply(t.Context(), all))
				require.NoError(t, manager.Wait(t.Context(), "a", fsm.PhaseDone))
				// Others may have its ports meanwhile.
				m.prober.Set(endpoint, benthostest.Endpoint{Holder: ports.Holder{PID: 1, Process: "stranger"}})
				time.Sleep(time.Hour)
				m.prober.Set(endpoint, benthostest.Endpoint{})
				time.Sleep(time.Hour)
				assert.Zero(t, started(m))
				s, _ := manager.Instance("a")
				assert.Equal(t, benthos.StateDone, s.State)
				assert.Equal(t, "its process has ended well", s.Reason.Summary)
				assert.ErrorIs(t, manager.Wait(t.Context(), "a", fsm.PhaseRunning), fsm.ErrOver)
				leave()
			}
			assert.NotContains(t, states, benthos.StateDegraded)
			deaths, err := supervise.ReadTally(m.tree.FS(), m.tree.Layout().Service("a"))
			require.NoError(t, err)
			assert.Len(t, deaths, 1)
		})
	}
}

// An input that comes to its end is not read again every second for ever.
func TestInputThatComesToItsEnd(t *testing.T) {
	const finished = `level=info msg="Pipeline has terminated. Shutting down the service" @service=bento`
	t.Run("it is run again after a pause that grows", func(t *testing.T) {
		withProgram(t, s6test.Program{RunFor: 200 * time.Millisecond, Prints: []string{finished}}, func(t *testing.T, m *memory, manager *fsm.Manager[*benthos.Config, benthos.Observed]) {
			starts, last := 0, 0
			for range 4000 {
				time.Sleep(5 * time.Millisecond)
				if pid := started(m); pid != 0 && pid != last {
					starts, last = starts+1, pid
				}
			}
			assert.Equal(t, 5, starts, "in twenty seconds: after 0, 1, 3, 7 and 15")
			s, _ := manager.Instance("a")
			assert.Equal(t, benthos.StateDegraded, s.State)
			assert.Equal(t, "its input came to its end", s.Reason.Summary)
			assert.Contains(t, s.Reason.Evidence, "exited with 0 at ")
			assert.Contains(t, s.Reason.Evidence, "5 times in a row; it runs again at "+s.Observed.Ended.Again.Format(time.RFC3339))
			require.NoError(t, manager.Restart(t.Context(), "a"))
			require.NoError(t, manager.Wait(t.Context(), "a", fsm.PhaseRunning))
			time.Sleep(time.Hour)
			s, _ = manager.Instance("a")
			assert.LessOrEqual(t, time.Until(s.Observed.Ended.Again), 5*time.Minute, "it is capped")
		})
	})
	t.Run("a long run is no part of a row", func(t *testing.T) {
		withProgram(t, s6test.Program{RunFor: 6 * time.Minute, Prints: []string{finished}}, func(t *testing.T, m *memory, manager *fsm.Manager[*benthos.Config, benthos.Observed]) {
			ends := make(map[time.Time]bool)
			for range 12000 {
				time.Sleep(100 * time.Millisecond)
				s, _ := manager.Instance("a")
				if e := s.Observed.Ended; e != (benthos.Ended{}) {
					ends[e.At] = true
					require.Equal(t, 1, e.Times)
				}
			}
			assert.Len(t, ends, 3)
		})
	})
	t.Run("what somebody else told to end has no end of its input", func(t *testing.T) {
		withProgram(t, s6test.Program{RunFor: 200 * time.Millisecond, Prints: []string{`level=info msg="Received SIGTERM, the service is closing" @service=bento`}}, func(t *testing.T, m *memory, manager *fsm.Manager[*benthos.Config, benthos.Observed]) {
			time.Sleep(900 * time.Millisecond)
			s, _ := manager.Instance("a")
			assert.Equal(t, "something else told its process to end", s.Reason.Summary)
		})
	})
	t.Run("an error is no end", func(t *testing.T) {
		withProgram(t, s6test.Program{RunFor: 200 * time.Millisecond, ExitCode: 1}, func(t *testing.T, m *memory, manager *fsm.Manager[*benthos.Config, benthos.Observed]) {
			for range 100 {
				time.Sleep(50 * time.Millisecond)
				s, _ := manager.Instance("a")
				require.Zero(t, s.Observed.Ended)
			}
		})
	})
	t.Run("what ended before a change does not count after it", func(t *testing.T) {
		withProgram(t, s6test.Program{RunFor: 200 * time.Millisecond, Prints: []string{finished}}, func(t *testing.T, m *memory, manager *fsm.Manager[*benthos.Config, benthos.Observed]) {
			time.Sleep(5 * time.Second)
			m.tree.Install("/usr/bin/benthos", s6test.Program{ReadyAfter: s6test.Never})
			require.NoError(t, manager.Apply(t.Context(), active(map[string]*benthos.Config{"a": stream("2s")})))
			require.NoError(t, manager.Wait(t.Context(), "a", fsm.PhaseRunning))
			pid := started(m)
			time.Sleep(time.Minute)
			assert.Equal(t, pid, started(m))
		})
	})
}
