package s6_test

import (
	"path"
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

// controlled is a tree that remembers the commands to services.
type controlled struct {
	*s6test.Tree
	commands string
}

func (c *controlled) Control(service string, commands ...supervise.Command) error {
	for _, one := range commands {
		c.commands += string(rune(one))
	}
	return c.Tree.Control(service, commands...)
}

// TestProcessIsToldToEndOnce though its supervisor is late to say that it has
// read that, or somebody wants it up meanwhile: it would be signalled once more,
// and be given as much time again.
func TestProcessIsToldToEndOnce(t *testing.T) {
	for name, test := range map[string]struct {
		latency time.Duration
		meddle  supervise.Command
	}{
		"a late supervisor": {latency: 2500 * time.Millisecond},
		"wanted up again":   {meddle: supervise.CommandUp},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, s6test.Config{Latency: test.latency}, func(t *testing.T, tree *s6test.Tree) {
				tree.SetProgram("a", s6test.Program{StopAfter: 8 * time.Second})
				all := running("a")
				settle(t, tree, all)
				seen := &controlled{Tree: tree}
				p := start(t, seen)
				p.wants(all)
				seen.commands = ""
				require.NoError(t, p.Apply(t.Context(), stopped(all)))
				pass(4 * time.Second)
				if test.meddle != 0 {
					require.NoError(t, tree.Control(tree.Layout().Service("a"), test.meddle))
				}
				p.wants(stopped(all))
				assert.Regexp(t, "^dO+$", seen.commands)
				pass(time.Minute)
				assert.Zero(t, pidOf(tree, "a"))
			})
		})
	}
}

// TestStopJustAfterAStart: what its supervisor is about to start is not called
// stopped, and is told to end once.
func TestStopJustAfterAStart(t *testing.T) {
	inBubble(t, s6test.Config{Latency: 300 * time.Millisecond}, func(t *testing.T, tree *s6test.Tree) {
		all := running("a")
		settle(t, tree, stopped(all))
		seen := &controlled{Tree: tree}
		p := start(t, seen)
		p.wants(stopped(all))
		seen.commands = ""
		require.NoError(t, p.Apply(t.Context(), all))
		for pass(time.Millisecond); seen.commands == ""; pass(time.Millisecond) {
		}
		require.Equal(t, "u", seen.commands)
		require.NoError(t, p.Apply(t.Context(), stopped(all)))
		pass(time.Millisecond)
		s, _ := p.Instance("a")
		require.Equal(t, fsm.PhaseStopping, s.Phase)
		require.NoError(t, p.Wait(t.Context(), "a", fsm.PhaseStopped))
		assert.Zero(t, pidOf(tree, "a"))
		deaths, err := supervise.ReadTally(tree.FS(), tree.Layout().Service("a"))
		require.NoError(t, err)
		assert.Len(t, deaths, 1, "it had begun")
		assert.Equal(t, "ud", seen.commands)
		pass(time.Minute)
		assert.Zero(t, pidOf(tree, "a"))
	})
}

// TestStopBetweenTwoSupervisors: what the next one would start does not begin.
func TestStopBetweenTwoSupervisors(t *testing.T) {
	starts := 0
	config := s6test.Config{Latency: 20 * time.Millisecond, OnProcess: func(h s6test.Happening) {
		if h.Service == "a" && !h.Finish && h.Change == s6test.Started {
			starts++
		}
	}}
	inBubble(t, config, func(t *testing.T, tree *s6test.Tree) {
		p := start(t, tree)
		all := running("a")
		p.wants(all)
		pass(10 * time.Second)
		require.NoError(t, tree.Kill("a", syscall.SIGKILL))
		pass(50 * time.Millisecond)
		require.NoError(t, tree.KillSupervisor("a"))
		require.NoError(t, p.Apply(t.Context(), stopped(all)))
		require.NoError(t, p.Wait(t.Context(), "a", fsm.PhaseStopped))
		pass(time.Minute)
		assert.Equal(t, 1, starts)
	})
}

// TestDeafProcessIsKilledWithoutItsSupervisor's doing, which goes by a file that
// is gone. One that was restarted by its program before is killed, too.
func TestDeafProcessIsKilledWithoutItsSupervisor(t *testing.T) {
	inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
		tree.SetProgram("a", s6test.Program{Deaf: true})
		all := running("a")
		all["a"].Spec.StopTimeout = 20 * time.Second
		seen := &controlled{Tree: tree}
		p := start(t, seen)
		p.wants(all)
		pid := pidOf(tree, "a")
		seen.commands = ""
		require.NoError(t, tree.FS().Remove(path.Join(tree.Layout().Service("a"), "timeout-kill")))
		require.NoError(t, p.Apply(t.Context(), stopped(all)))
		pass(19 * time.Second)
		require.Equal(t, pid, pidOf(tree, "a"), "it has its time")
		pass(5 * time.Second)
		require.Zero(t, pidOf(tree, "a"))
		require.NoError(t, p.Wait(t.Context(), "a", fsm.PhaseStopped))
		assert.Equal(t, "dOk", seen.commands)
		s, _ := p.Instance("a")
		assert.Zero(t, s.Observed.Deaths)
	})
}

var _ s6.Tree = (*controlled)(nil)
