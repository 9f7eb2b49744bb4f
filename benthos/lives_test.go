package benthos_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/benthos/benthostest"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/ports"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/s6test"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

// What is seen belongs to one process and one configuration, and says nothing of
// the next.

// The output was wrong, and was put right.
func TestErrorsOfTheConfigurationBeforeAreOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		m.prober.Set(endpoint, benthostest.Endpoint{})
		manager := m.manage(t)
		require.NoError(t, manager.Apply(t.Context(), active(map[string]*benthos.Config{"a": stream("1s")})))
		require.NoError(t, manager.Wait(t.Context(), "a", fsm.PhaseRunning))
		m.prober.Set(endpoint, benthostest.Endpoint{Metrics: benthos.Metrics{InputReceived: 100, OutputError: 100}})
		require.NoError(t, manager.Wait(t.Context(), "a", fsm.PhaseDegraded))

		m.prober.Set(endpoint, benthostest.Endpoint{}) // as a new process counts
		require.NoError(t, manager.Apply(t.Context(), active(map[string]*benthos.Config{"a": stream("2s")})))
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		require.NoError(t, manager.Wait(ctx, "a", fsm.PhaseRunning))
		s, _ := manager.Instance("a")
		assert.Equal(t, benthos.StateIdle, s.State, "no message has come in since")
	})
}

// One instance goes to another's port. While its old process ends, the
// other one answers there.
func TestProcessBeforeIsNotAskedAtTheAddressToCome(t *testing.T) {
	for name, notReady := range map[string]string{"ready before": "", "not ready before": "output not connected"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMemory(t)
				all := newEngines(t, m)
				for _, name := range []string{"a", "b"} {
					m.tree.SetProgram(name, s6test.Program{ReadyAfter: s6test.Never, StopAfter: 3 * time.Second})
				}
				all.metrics["b"] = benthos.Metrics{InputReceived: 5000, OutputError: 1000}
				all.notReady["a"] = notReady
				one := active(map[string]*benthos.Config{"a": on(9080, "1s"), "b": on(9081, "1s")})
				manager, leave := m.start(t)
				require.NoError(t, manager.Apply(t.Context(), one))
				time.Sleep(2 * time.Minute) // the errors are long over
				leave()
				manager = m.manage(t)
				require.NoError(t, manager.Apply(t.Context(), one))
				require.NoError(t, manager.Wait(t.Context(), "b", fsm.PhaseRunning))
				time.Sleep(20 * time.Second)
				before := all.pid("a")
				require.NoError(t, manager.Apply(t.Context(), active(map[string]*benthos.Config{"a": on(9081, "1s"), "b": on(9082, "1s")})))
				for range 2000 {
					time.Sleep(5 * time.Millisecond)
					s, _ := manager.Instance("a")
					require.NotContains(t, s.Reason.String(), "is taken")
					if all.pid("a") != before {
						require.NotContains(t, s.Reason.String(), "its output failed")
						require.NotEqual(t, benthos.StateActive, s.State)
					}
				}
			})
		})
	}
}

// s6-supervise is killed. Its successor starts a second process, which waits for
// the first one to end; that one is the instance's own, and has its port.
func TestOwnStrayIsNoStrangerWithItsPort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		all := newEngines(t, m)
		m.tree.SetProgram("a", s6test.Program{ReadyAfter: s6test.Never, StopAfter: 100 * time.Millisecond})
		manager := m.manage(t)
		require.NoError(t, manager.Apply(t.Context(), active(map[string]*benthos.Config{"a": stream("1s")})))
		require.NoError(t, manager.Wait(t.Context(), "a", fsm.PhaseRunning))
		time.Sleep(20 * time.Second)
		require.NoError(t, m.tree.KillSupervisor("a"))
		var down time.Duration
		for range 2000 {
			time.Sleep(5 * time.Millisecond)
			s, _ := manager.Instance("a")
			require.NotContains(t, s.Reason.String(), "is taken")
			require.Equal(t, s6.Running, s.Observed.Asked)
			if all.pid("a") == 0 {
				down += 5 * time.Millisecond
			}
		}
		assert.Less(t, down, 500*time.Millisecond, "for so long nothing of it ran")
	})
}

// dying says of a process that ends what the kernel says of one of several
// threads: its socket is there until the last one has gone, and nobody's.
type dying struct{ *engines }

func (d dying) Holder(addr string) (ports.Holder, bool, error) {
	h, found, err := d.engines.Holder(addr)
	for _, p := range d.tree.Processes() {
		if found && p.PID == h.PID && !p.Supervised {
			return ports.Holder{}, true, nil
		}
	}
	return h, found, err
}

func TestOwnProcessThatEndsIsNoStranger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		m.options.Prober = dying{newEngines(t, m)}
		m.tree.SetProgram("a", s6test.Program{ReadyAfter: s6test.Never, StopAfter: 200 * time.Millisecond})
		manager := m.manage(t)
		require.NoError(t, manager.Apply(t.Context(), active(map[string]*benthos.Config{"a": stream("1s")})))
		require.NoError(t, manager.Wait(t.Context(), "a", fsm.PhaseRunning))
		time.Sleep(20 * time.Second)
		require.NoError(t, m.tree.KillSupervisor("a"))
		for range 1000 {
			time.Sleep(5 * time.Millisecond)
			s, _ := manager.Instance("a")
			require.NotContains(t, s.Reason.String(), "it cannot listen")
			require.Equal(t, s6.Running, s.Observed.Asked)
		}
	})
}

// blind is a tree whose statuses cannot be read for a while.
type blind struct {
	*s6test.Tree
	on atomic.Bool
}

func (b *blind) Status(service string) (supervise.Status, error) {
	if b.on.Load() {
		return supervise.Status{}, syscall.EIO
	}
	return b.Tree.Status(service)
}

// What was seen of a service is no evidence that it does what it was asked
// since.
func TestServiceThatCannotBeSeenIsNoEvidence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		m.prober.Set(endpoint, benthostest.Endpoint{})
		b := &blind{Tree: m.tree}
		manager := m.manageOn(t, b)
		require.NoError(t, manager.Apply(t.Context(), active(map[string]*benthos.Config{"a": stream("1s")})))
		require.NoError(t, manager.Wait(t.Context(), "a", fsm.PhaseRunning))
		time.Sleep(5123 * time.Millisecond) // not in the moment of a pass
		before := m.tree.Processes()

		b.on.Store(true)
		require.NoError(t, manager.Apply(t.Context(), active(map[string]*benthos.Config{"a": stream("2s")})))
		short, enough := context.WithTimeout(t.Context(), 20*time.Second)
		defer enough()
		require.ErrorIs(t, manager.Wait(short, "a", fsm.PhaseRunning), context.DeadlineExceeded)
		assert.Equal(t, before, m.tree.Processes(), "nothing was done yet")
		b.on.Store(false)
		require.NoError(t, manager.Wait(t.Context(), "a", fsm.PhaseRunning))
		assert.NotEqual(t, before, m.tree.Processes())
	})
}

// What cannot be looked at for a while goes on, and says so.
func TestStreamWhoseServiceCannotBeSeenSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		m.prober.Set(endpoint, benthostest.Endpoint{})
		b := &blind{Tree: m.tree}
		manager := m.manageOn(t, b)
		require.NoError(t, manager.Apply(t.Context(), active(map[string]*benthos.Config{"a": stream("1s")})))
		require.NoError(t, manager.Wait(t.Context(), "a", fsm.PhaseRunning))
		for _, on := range []bool{true, false} {
			b.on.Store(on)
			time.Sleep(time.Minute)
			s, _ := manager.Instance("a")
			assert.Equal(t, benthos.StateIdle, s.State)
			assert.Equal(t, on, strings.HasPrefix(s.Reason.String(), "passes over its service fail: cannot observe: "), s.Reason)
			assert.Equal(t, on, s.Reason.Summary != "")
		}
	})
}

// A program starts with a configuration that is refused: what was found goes on,
// whatever is in it.
func TestAdoptedAndRefusedGoesOnWithAnyValue(t *testing.T) {
	for name, change := range map[string]func(t *testing.T, c *benthos.Config){
		"json.Number": func(t *testing.T, c *benthos.Config) {
			d := json.NewDecoder(strings.NewReader(`{"generate": {"count": 5, "mapping": "root = 1"}}`))
			d.UseNumber()
			require.NoError(t, d.Decode(&c.Input))
		},
		"a text that begins with a tab": func(_ *testing.T, c *benthos.Config) {
			c.Input = map[string]any{"generate": map[string]any{"mapping": "\troot.a = 1\n\troot.b = 2\n"}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMemory(t)
				all := newEngines(t, m)
				first, leave := m.start(t)
				good := stream("1s")
				change(t, good)
				require.NoError(t, first.Apply(t.Context(), active(map[string]*benthos.Config{"a": good})))
				require.NoError(t, first.Wait(t.Context(), "a", fsm.PhaseRunning))
				leave()
				before := all.pid("a")
				m.options.Linter = picky(map[string]error{"a": errors.New("no")})
				manager := m.manage(t)
				require.Error(t, manager.Apply(t.Context(), active(map[string]*benthos.Config{"a": stream("5s")})))
				time.Sleep(30 * time.Second)
				s, _ := manager.Instance("a")
				assert.Equal(t, fsm.PhaseRunning, s.Phase, s.Reason)
				assert.Equal(t, before, all.pid("a"))
				// Nobody is moved to the port of what was refused.
				require.Error(t, manager.Apply(t.Context(), active(map[string]*benthos.Config{"a": on(9081, "5s"), "b": stream("1s")})))
				assert.ErrorContains(t, manager.Refused()["b"], `port 9080 is that of "a"`)
			})
		})
	}
}

// A service that is on disk as this package has always made it goes on, also
// where the configuration comes to have a note.
func TestServiceThatWasMadeEarlierKeepsItsProcess(t *testing.T) {
	for _, note := range []string{"", "of a parent"} {
		t.Run(note, func(t *testing.T) { madeEarlier(t, note) })
	}
}

func madeEarlier(t *testing.T, note string) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		for _, addr := range []string{"[::1]:9080", "[::]:9080", "127.0.0.1:8080"} {
			m.prober.Set(addr, benthostest.Endpoint{})
		}
		var c benthos.Config
		text, err := os.ReadFile("testdata/config.yaml")
		require.NoError(t, err)
		require.NoError(t, yaml.Unmarshal(text, &c))
		c.Note = note
		var service *s6.Spec
		text, err = os.ReadFile("testdata/service.json")
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(text, &service))

		kind, err := s6.NewKind(m.tree, benthos.KindName)
		require.NoError(t, err)
		services, err := fsm.NewManager(kind, fsm.Config{})
		require.NoError(t, err)
		go services.Run(context.Background())
		require.NoError(t, services.Apply(t.Context(), map[string]fsm.Desired[*s6.Spec]{"a": {State: s6.Running, Spec: service}}))
		time.Sleep(5 * time.Second)
		require.NoError(t, services.Close(context.Background()))
		before := m.tree.Processes()
		require.Len(t, before, 2, "the engine and its logger")

		m.options.Env, m.options.Limits, m.options.User = service.Env, service.Limits, service.User
		manager := m.manage(t)
		require.NoError(t, manager.Apply(t.Context(), active(map[string]*benthos.Config{"a": &c})))
		require.NoError(t, manager.Wait(t.Context(), "a", fsm.PhaseRunning))
		time.Sleep(time.Minute)
		assert.Equal(t, before, m.tree.Processes())
	})
}
