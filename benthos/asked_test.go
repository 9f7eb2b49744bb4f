package benthos_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/benthos/benthostest"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/s6test"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

// What counts is what was asked, not how far it has come.

// slow is a linter that takes its time, as an engine does.
func slow(takes time.Duration, l benthostest.Linter) benthostest.Linter {
	return func(name string, doc []byte) error {
		time.Sleep(takes)
		return l(name, doc)
	}
}

// An instance is removed, and listed again with a configuration that is refused
// while it goes. Nobody asks for what it was before.
func TestRemovedInstanceDoesNotComeBackByARefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		m.prober.Set(endpoint, benthostest.Endpoint{})
		refuse := make(map[string]error)
		m.options.Linter = slow(2*time.Second, picky(refuse))
		manager := m.manage(t)
		require.NoError(t, manager.Apply(t.Context(), active(map[string]*benthos.Config{"a": stream("1s")})))
		require.NoError(t, manager.Wait(t.Context(), "a", fsm.PhaseRunning))

		require.NoError(t, manager.Apply(t.Context(), nil))
		refuse["a"] = errors.New("line 3: bad")
		require.ErrorIs(t, manager.Apply(t.Context(), active(map[string]*benthos.Config{"a": stream("5s")})), benthos.ErrConfig)
		time.Sleep(20 * time.Second)
		_, held := manager.Instance("a")
		assert.False(t, held)
		assert.Empty(t, m.tree.Processes())
	})
}

// Two declarations follow each other before the first has reached the disk: the
// port that an instance was just given is its own.
func TestPortThatWasJustGivenIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		all := newEngines(t, m)
		refuse := make(map[string]error)
		m.options.Linter = picky(refuse)
		manager := m.manage(t)
		require.NoError(t, manager.Apply(t.Context(), active(map[string]*benthos.Config{"a": on(9080, "1s"), "b": on(9081, "1s")})))
		require.NoError(t, manager.Wait(t.Context(), "a", fsm.PhaseRunning))
		require.NoError(t, manager.Wait(t.Context(), "b", fsm.PhaseRunning))
		before := all.pid("b")

		require.NoError(t, manager.Apply(t.Context(), active(map[string]*benthos.Config{"a": on(9082, "1s"), "b": on(9081, "1s")})))
		refuse["a"] = errors.New("line 3: bad")
		require.Error(t, manager.Apply(t.Context(), active(map[string]*benthos.Config{"a": on(9083, "2s"), "b": on(9082, "2s")})))
		assert.ErrorContains(t, manager.Refused()["b"], `port 9082 is that of "a"`)
		time.Sleep(time.Minute)
		for _, name := range []string{"a", "b"} {
			s, _ := manager.Instance(name)
			assert.Equal(t, fsm.PhaseRunning, s.Phase, "%s: %s", name, s.Reason)
		}
		assert.Equal(t, before, all.pid("b"))
	})
}

// lockless is a tree that cannot tell who holds an instance lock, for a while.
type lockless struct {
	*s6test.Tree
	on atomic.Bool
}

func (l *lockless) Process(service string) (supervise.LockState, error) {
	if l.on.Load() {
		return supervise.LockState{}, syscall.ENOSPC
	}
	return l.Tree.Process(service)
}

// A change that is taken back at once: its own process has the port.
func TestPortIsNotCalledTakenWhereItIsNotKnownByWhom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		newEngines(t, m)
		tree := &lockless{Tree: m.tree}
		manager := m.manageOn(t, tree)
		require.NoError(t, manager.Apply(t.Context(), active(map[string]*benthos.Config{"a": on(9080, "1s")})))
		require.NoError(t, manager.Wait(t.Context(), "a", fsm.PhaseRunning))
		tree.on.Store(true)
		require.NoError(t, manager.Apply(t.Context(), active(map[string]*benthos.Config{"a": on(9081, "1s")})))
		err := manager.Apply(t.Context(), active(map[string]*benthos.Config{"a": on(9080, "1s")}))
		require.ErrorIs(t, err, syscall.ENOSPC, "what runs stays")
		require.NotErrorIs(t, err, benthos.ErrConfig)
		tree.on.Store(false)
		require.NoError(t, manager.Apply(t.Context(), active(map[string]*benthos.Config{"a": on(9080, "1s")})))
		require.NoError(t, manager.Wait(t.Context(), "a", fsm.PhaseRunning))
	})
}

// A change whose port a process has that a deleted service directory has left.
func TestPortThatIsOfItsOwnRemains(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		newEngines(t, m)
		manager := m.manage(t)
		require.NoError(t, manager.Apply(t.Context(), active(map[string]*benthos.Config{"a": on(9080, "1s")})))
		require.NoError(t, manager.Wait(t.Context(), "a", fsm.PhaseRunning))
		require.NoError(t, manager.Apply(t.Context(), active(map[string]*benthos.Config{"a": on(9081, "1s")})))
		m.deletes = true
		require.NoError(t, m.tree.FS().RemoveAll(m.tree.Layout().Service("a")))
		require.NoError(t, manager.Apply(t.Context(), active(map[string]*benthos.Config{"a": on(9080, "1s")})))
		require.NoError(t, manager.Wait(t.Context(), "a", fsm.PhaseRunning))
	})
}

// Two managers on one tree keep to what their owners have.
func TestOwnersKeepToTheirOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		m.prober.Set(endpoint, benthostest.Endpoint{})
		manager := m.manage(t)
		require.NoError(t, manager.Apply(t.Context(), active(map[string]*benthos.Config{"a": stream("1s")})))
		require.NoError(t, manager.Wait(t.Context(), "a", fsm.PhaseRunning))
		before := m.tree.Processes()

		_, err := benthos.NewManager(m.tree, m.options, fsm.Config{})
		assert.ErrorIs(t, err, s6.ErrClaimed)
		m.options.Owner = "bridge"
		other := m.manage(t)
		require.NoError(t, other.Apply(t.Context(), nil), "what it does not list is another's")
		assert.ErrorIs(t, other.Apply(t.Context(), active(map[string]*benthos.Config{"a": stream("1s")})), s6.ErrOwned)
		time.Sleep(time.Minute)
		assert.Equal(t, before, m.tree.Processes())
	})
}

// A restart by hand is another process, and no trouble.
func TestRestartByHand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		m.prober.Set(endpoint, benthostest.Endpoint{})
		manager := m.manage(t)
		require.NoError(t, manager.Apply(t.Context(), active(map[string]*benthos.Config{"a": stream("1s")})))
		require.NoError(t, manager.Wait(t.Context(), "a", fsm.PhaseRunning))
		time.Sleep(time.Minute)
		before, _ := manager.Instance("a")
		for range 4 { // more than makes crashes of it
			require.NoError(t, manager.Restart(t.Context(), "a"))
			require.NoError(t, manager.Wait(t.Context(), "a", fsm.PhaseRunning))
			time.Sleep(2 * time.Second)
		}
		after, _ := manager.Instance("a")
		assert.NotEqual(t, before.Observed.Service.Observed.PID(), after.Observed.Service.Observed.PID())
		assert.Zero(t, after.Observed.Service.Observed.Deaths)
		for _, move := range after.History[len(before.History):] {
			assert.NotEqual(t, benthos.StateDegraded, move.To, move.Reason)
		}
		require.NoError(t, manager.Set(t.Context(), "a", fsm.Desired[*benthos.Config]{State: benthos.Stopped, Spec: stream("1s")}))
		assert.ErrorIs(t, manager.Restart(t.Context(), "a"), fsm.ErrNoRestart)
	})
}

// What an earlier version took, and this one finds not valid, can be removed.
func TestRemovalOfWhatIsNotValidAnyMore(t *testing.T) {
	for how, remove := range map[string]func(*fsm.Manager[*benthos.Config, benthos.Observed]) error{
		"not listed": func(m *fsm.Manager[*benthos.Config, benthos.Observed]) error {
			return m.Apply(context.Background(), nil)
		},
		"removed": func(m *fsm.Manager[*benthos.Config, benthos.Observed]) error {
			return m.Remove(context.Background(), "a")
		},
	} {
		t.Run(how, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMemory(t)
				m.prober.Set(endpoint, benthostest.Endpoint{})
				manager, leave := m.start(t)
				require.NoError(t, manager.Apply(t.Context(), active(map[string]*benthos.Config{"a": stream("1s")})))
				require.NoError(t, manager.Wait(t.Context(), "a", fsm.PhaseRunning))
				leave()
				file := m.tree.Layout().Service("a") + "/data/manifest.json"
				data, err := m.tree.FS().ReadFile(file)
				require.NoError(t, err)
				noted := strings.Replace(string(data), `"note": "`, `"note": "log_level: LOUD\n`, 1)
				require.NoError(t, m.tree.FS().ReplaceFile(file, []byte(noted), 0o600))

				manager = m.manage(t)
				require.NoError(t, remove(manager))
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				require.NoError(t, manager.Wait(ctx, "a", fsm.PhaseRemoved))
				assert.Empty(t, m.tree.Processes())
			})
		})
	}
}

// A note is what a parent keeps: it is there in a later run, and a change of it
// is none for the engine.
func TestNoteIsKeptAndRestartsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		newEngines(t, m)
		asked := 0
		m.options.Linter = benthostest.Linter(func(string, []byte) error { asked++; return nil })
		noted := func(note string) map[string]fsm.Desired[*benthos.Config] {
			c := stream("1s")
			c.Note = note
			return active(map[string]*benthos.Config{"a": c})
		}
		manager, leave := m.start(t)
		require.NoError(t, manager.Apply(t.Context(), noted("first")))
		require.NoError(t, manager.Wait(t.Context(), "a", fsm.PhaseRunning))
		moves := func() int {
			s, _ := manager.Instance("a")
			return len(s.History)
		}
		before, processes := moves(), m.tree.Processes()

		changes, err := manager.Plan(t.Context(), noted("second"))
		require.NoError(t, err)
		assert.Equal(t, fsm.ChangeLive, changes[0].Kind)
		require.NoError(t, manager.Apply(t.Context(), noted("second")))
		time.Sleep(time.Minute)
		assert.Equal(t, before, moves())
		assert.Equal(t, processes, m.tree.Processes())
		assert.Equal(t, 1, asked)
		s, _ := manager.Instance("a")
		assert.True(t, s.Observed.Current)
		document, err := m.tree.FS().ReadFile(m.tree.Layout().Service("a") + "/config/benthos.yaml")
		require.NoError(t, err)
		assert.NotContains(t, string(document), "second")
		leave()

		kind, err := benthos.NewKind(m.tree, m.options)
		require.NoError(t, err)
		found, _, err := kind.Discover(t.Context())
		require.NoError(t, err)
		assert.Equal(t, "second", found["a"].Spec.Note)
		bad := noted("\xff")
		refused, err := kind.Validate(t.Context(), bad, nil)
		require.NoError(t, err)
		assert.ErrorContains(t, refused["a"], "note is not UTF-8")
	})
}

// What an earlier run has left is found with all of its configuration: it is what
// an instance has whose new one is refused.
func TestAllOfAConfigurationIsKnownAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		newEngines(t, m)
		c := stream("1s")
		c.Policy = s6.Policy{Restart: s6.RestartOnFailure, Backoff: s6.Backoff{From: time.Second}, GiveUpAfter: 3}
		c.ExpectTraffic, c.Note = time.Hour, "kept"
		all := active(map[string]*benthos.Config{"a": c})
		manager, leave := m.start(t)
		require.NoError(t, manager.Apply(t.Context(), all))
		require.NoError(t, manager.Wait(t.Context(), "a", fsm.PhaseRunning))
		leave()

		kind, err := benthos.NewKind(m.tree, m.options)
		require.NoError(t, err)
		found, _, err := kind.Discover(t.Context())
		require.NoError(t, err)
		is := found["a"].Spec
		assert.Equal(t, c.Policy, is.Policy)
		assert.Equal(t, c.ExpectTraffic, is.ExpectTraffic)
		assert.Equal(t, c.Note, is.Note)
		manager, leave = m.start(t)
		defer leave()
		plan, err := manager.Plan(t.Context(), active(map[string]*benthos.Config{"a": is}))
		require.NoError(t, err)
		require.Len(t, plan, 1)
		assert.Equal(t, fsm.ChangeNone, plan[0].Kind, "%+v", plan[0])
	})
}

// What the engine only warns of is taken, and told once.
func TestWarningOfTheLinterIsToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		m.prober.Set(endpoint, benthostest.Endpoint{})
		deprecated := &benthos.LintError{Warning: true, Line: 10, Column: 1, Message: "field fields is deprecated"}
		m.options.Linter = picky(map[string]error{"a": fsm.Warning(deprecated)})
		manager := m.manage(t)
		var told []error
		manager.Listen(func(n fsm.Notice) {
			if w, ok := n.(fsm.Warned); ok {
				told = append(told, w.Err)
			}
		})
		all := active(map[string]*benthos.Config{"a": stream("1s")})
		plan, err := manager.Plan(t.Context(), all)
		require.NoError(t, err)
		require.Len(t, plan, 1)
		assert.Equal(t, fsm.ChangeCreate, plan[0].Kind)
		assert.Equal(t, deprecated.Error(), plan[0].Warning)
		assert.Empty(t, told, "a plan tells nobody")

		require.NoError(t, manager.Apply(t.Context(), all))
		require.NoError(t, manager.Wait(t.Context(), "a", fsm.PhaseRunning))
		assert.Empty(t, manager.Refused())
		require.NoError(t, manager.Apply(t.Context(), active(map[string]*benthos.Config{"a": stream("1s")})))
		require.NoError(t, manager.Set(t.Context(), "a", all["a"]))
		require.Len(t, told, 1)
		assert.ErrorIs(t, told[0], deprecated)
		require.NoError(t, manager.Apply(t.Context(), active(map[string]*benthos.Config{"a": stream("2s")})))
		assert.Len(t, told, 2, "another configuration is news")
	})
}
