package s6_test

import (
	"fmt"
	"path"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/s6test"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

// hears is a tree that hears of files as well.
var hears = s6test.Config{Hears: true}

// sleepers returns a manager of services that sleep, and have settled, with a count of
// its passes.
func sleepers(t *testing.T, tree s6.Tree, services int) (*fsm.Manager[*s6.Spec, s6.Observed], *atomic.Int64) {
	t.Helper()
	var names []string
	for n := range services {
		names = append(names, fmt.Sprint("sleeper-", n))
	}
	names[0] = "a"
	var passes atomic.Int64
	m, err := s6.NewManager(tree, fsm.Config{OnPass: func(fsm.Reconciled) { passes.Add(1) }})
	require.NoError(t, err)
	go m.Run(t.Context())
	t.Cleanup(func() { assert.NoError(t, m.Close(t.Context())) })
	require.NoError(t, m.Apply(t.Context(), running(names...)))
	for _, name := range names {
		require.NoError(t, m.Wait(t.Context(), name, fsm.PhaseRunning))
	}
	pass(time.Minute)
	passes.Store(0)
	return m, &passes
}

// TestWhatIsHeardRests: where all that happens to services is heard, they are looked
// at once in five minutes, and not all at once; where it is not, every five seconds.
func TestWhatIsHeardRests(t *testing.T) {
	for hears, every := range map[bool]time.Duration{true: fsm.DefaultRest, false: fsm.DefaultResync} {
		t.Run(fmt.Sprint(hears), func(t *testing.T) {
			inBubble(t, s6test.Config{Hears: hears}, func(t *testing.T, tree *s6test.Tree) {
				_, passes := sleepers(t, tree, 60)
				most := int64(0)
				for range 10 {
					before := passes.Load()
					pass(every / 10)
					most = max(most, passes.Load()-before)
				}
				assert.InDelta(t, 60, passes.Load(), 6, "one each")
				assert.Less(t, most, int64(20), "they are spread")
			})
		})
	}
}

// TestHeardAtOnce: what s6-supervise does not say is seen at once all the same, where
// it is heard.
func TestHeardAtOnce(t *testing.T) {
	status := func(tree *s6test.Tree) supervise.Status {
		s, _ := tree.Status(tree.Layout().Service("a"))
		return s
	}
	file := func(tree *s6test.Tree, name string) string { return path.Join(tree.Layout().Service("a"), name) }
	for name, test := range map[string]struct {
		happens func(tree *s6test.Tree) error
		seen    func(tree *s6test.Tree, o *s6.Observed) bool
	}{
		"the process is paused": {
			func(tree *s6test.Tree) error {
				return tree.Control(tree.Layout().Service("a"), supervise.CommandStop)
			},
			func(_ *s6test.Tree, o *s6.Observed) bool { return o.Status.Paused },
		},
		"a file is missing": {
			func(tree *s6test.Tree) error {
				return tree.FS().Remove(file(tree, "run"))
			},
			func(tree *s6test.Tree, _ *s6.Observed) bool {
				_, err := tree.FS().Stat(file(tree, "run"))
				return err == nil
			},
		},
		"the supervisor is killed with its process": {
			func(tree *s6test.Tree) error {
				if err := tree.KillSupervisor("a"); err != nil {
					return err
				}
				return tree.Kill("a", syscall.SIGKILL)
			},
			func(tree *s6test.Tree, o *s6.Observed) bool { return o.Up() && status(tree).Up() },
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, hears, func(t *testing.T, tree *s6test.Tree) {
				m, _ := sleepers(t, tree, 1)
				for range 2 { // once more within the time in which files are not looked at again
					require.NoError(t, test.happens(tree))
					pass(1500 * time.Millisecond) // one start of a supervisor
					s, _ := m.Instance("a")
					assert.True(t, test.seen(tree, &s.Observed), "%s: %+v", s.Reason, s.Observed)
				}
			})
		})
	}
}

// TestWhatIsNotHeardIsFoundAllTheSame, within the time that is documented.
func TestWhatIsNotHeardIsFoundAllTheSame(t *testing.T) {
	for hears, within := range map[bool]time.Duration{true: fsm.DefaultRest, false: fsm.DefaultResync} {
		t.Run(fmt.Sprint(hears), func(t *testing.T) {
			inBubble(t, s6test.Config{Hears: hears}, func(t *testing.T, tree *s6test.Tree) {
				sleepers(t, tree, 1)
				run := path.Join(tree.Layout().Service("a"), "run")
				require.NoError(t, tree.FS().Remove(run))
				pass(within + time.Second)
				_, err := tree.FS().Stat(run)
				assert.NoError(t, err, "it is put back")
			})
		})
	}
}

// TestWhatTimeChangesDoesNotRest: what is counted in time is looked at as often as
// ever, though all that happens is heard.
func TestWhatTimeChangesDoesNotRest(t *testing.T) {
	inBubble(t, hears, func(t *testing.T, tree *s6test.Tree) {
		m, _ := sleepers(t, tree, 1)
		require.NoError(t, tree.Kill("a", syscall.SIGKILL))
		pass(5 * time.Second)
		s, _ := m.Instance("a")
		require.Equal(t, 1, s.Observed.Deaths)
		pass(s6.CrashWindow + fsm.DefaultResync)
		s, _ = m.Instance("a")
		assert.Zero(t, s.Observed.Deaths)
	})
}

// TestWhatHasJustBegunDoesNotRest: a process that has just begun may not have made its
// lock yet. One whose lock was deleted then is judged when it is older.
func TestWhatHasJustBegunDoesNotRest(t *testing.T) {
	inBubble(t, hears, func(t *testing.T, tree *s6test.Tree) {
		m, err := s6.NewManager(tree, fsm.Config{})
		require.NoError(t, err)
		go m.Run(t.Context())
		t.Cleanup(func() { assert.NoError(t, m.Close(t.Context())) })
		wanted := running("a")
		wanted["a"].Spec.Ready = s6.Readiness{FD: 3}
		require.NoError(t, m.Apply(t.Context(), wanted))
		require.NoError(t, m.Wait(t.Context(), "a", fsm.PhaseRunning))
		pass(100 * time.Millisecond)
		service := tree.Layout().Service("a")
		require.NoError(t, tree.FS().Remove(path.Join(service, "data", "lock")))
		pass(2 * fsm.DefaultResync)
		process, err := tree.Process(service)
		require.NoError(t, err)
		assert.True(t, process.Held, "another one holds the lock")
	})
}
