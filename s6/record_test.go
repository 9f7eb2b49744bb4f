package s6_test

import (
	"fmt"
	"path"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/s6test"
)

// recordOf is where the start of a service's process writes down which it is.
func recordOf(tree *s6test.Tree) string { return path.Join(tree.Layout().Service("a"), "data/started") }

func recorded(t *testing.T, tree *s6test.Tree) []string {
	t.Helper()
	text, err := tree.FS().ReadFile(recordOf(tree))
	require.NoError(t, err)
	return strings.Fields(string(text))
}

// lose makes away with that: how says in which way.
func lose(t *testing.T, tree *s6test.Tree, how string) {
	t.Helper()
	text, err := tree.FS().ReadFile(recordOf(tree))
	require.NoError(t, err)
	switch how {
	case "deleted":
		require.NoError(t, tree.FS().Remove(recordOf(tree)))
	case "truncated":
		require.NoError(t, tree.FS().WriteFile(recordOf(tree), nil, 0o644))
	case "torn":
		require.NoError(t, tree.FS().WriteFile(recordOf(tree), text[:len(text)/2], 0o644))
	case "without its supervisor":
		require.NoError(t, tree.FS().WriteFile(recordOf(tree), text[:70], 0o644))
	}
}

var losses = []string{"deleted", "truncated", "torn", "without its supervisor"}

// endsWhole kills the process and sees to it that nothing of it is left beside the next:
// the tree says so.
func endsWhole(t *testing.T, tree *s6test.Tree, program s6test.Program) {
	t.Helper()
	before := children(tree)
	require.Len(t, before, len(program.Children))
	require.NoError(t, tree.Kill("a", syscall.SIGKILL))
	pass(10 * time.Second)
	require.Len(t, children(tree), len(program.Children))
	require.NotSubset(t, children(tree), before)
}

// What a process has started ends with it though it was lost which process that is,
// on every s6 where a program has seen it, and from 2.13 on without one.
func TestWhatRunsIsWrittenDownAgain(t *testing.T) {
	for _, how := range losses {
		for _, version := range []s6test.Version{s6test.V211, s6test.V213, s6test.V215} {
			t.Run(fmt.Sprint(how, " ", version), func(t *testing.T) {
				inBubble(t, s6test.Config{Version: version}, func(t *testing.T, tree *s6test.Tree) {
					tree.SetProgram("a", parent)
					p := start(t, tree)
					p.wants(running("a"))
					pid := pidOf(tree, "a")
					pass(time.Minute)
					before := recorded(t, tree)
					lose(t, tree, how)
					pass(time.Minute)
					after := recorded(t, tree)
					require.Len(t, after, 4)
					assert.Equal(t, before, after[:3], "all of it was known")
					s, _ := p.Instance("a")
					assert.Equal(t, s6.StateRunning, s.State)
					assert.True(t, s.Settled)
					assert.False(t, s.Observed.Unrecorded)
					assert.Equal(t, pid, s.Observed.PID(), "nothing restarts")
					p.stop()
					endsWhole(t, tree, parent)
				})
			})
		}
	}
}

// From 2.13 on s6 tells the finish script which process has ended.
func TestNoProgramIsNeededWhereS6TellsWhatEnded(t *testing.T) {
	for _, how := range losses {
		for _, version := range []s6test.Version{s6test.V213, s6test.V215} {
			t.Run(fmt.Sprint(how, " ", version), func(t *testing.T) {
				inBubble(t, s6test.Config{Version: version}, func(t *testing.T, tree *s6test.Tree) {
					tree.SetProgram("a", deafParent)
					settle(t, tree, running("a"))
					lose(t, tree, how)
					endsWhole(t, tree, deafParent)
				})
			})
		}
	}
}

// A program that did not know the process does not say what it was started from,
// and restarts it for nothing but a change.
func TestWhatRunsIsWrittenDownByAnotherProgram(t *testing.T) {
	inBubble(t, s6test.Config{Version: s6test.V211}, func(t *testing.T, tree *s6test.Tree) {
		tree.SetProgram("a", parent)
		settle(t, tree, running("a"))
		pid, before := pidOf(tree, "a"), recorded(t, tree)
		lose(t, tree, "deleted")
		p := start(t, tree)
		p.wants(running("a"))
		pass(time.Minute)
		after := recorded(t, tree)
		require.Len(t, after, 4)
		assert.Equal(t, []string{"-", before[1], before[2]}, after[:3])
		s, _ := p.Instance("a")
		assert.Empty(t, s.Observed.Started)
		assert.Equal(t, pid, s.Observed.PID())
		endsWhole(t, tree, parent)
		assert.Len(t, recorded(t, tree), 3, "the next one has said so itself")

		lose(t, tree, "deleted")
		p.stop()
		p = start(t, tree)
		p.wants(running("a"))
		pid = pidOf(tree, "a")
		pass(time.Minute)
		p.wants(map[string]desired{"a": {State: s6.Running, Spec: &s6.Spec{Command: []string{"sleep", "b"}}}})
		assert.NotEqual(t, pid, pidOf(tree, "a"), "another may have been started from anything")
	})
}

// What a program has written down too late is put right.
func TestRecordOfAnotherProcessIsPutRight(t *testing.T) {
	inBubble(t, s6test.Config{Version: s6test.V211}, func(t *testing.T, tree *s6test.Tree) {
		tree.SetProgram("a", parent)
		p := start(t, tree)
		p.wants(running("a"))
		pass(time.Minute)
		before := recorded(t, tree)
		late := fmt.Sprintf("%s 99 %s 1\n", before[0], before[2])
		require.NoError(t, tree.FS().WriteFile(recordOf(tree), []byte(late), 0o644))
		pass(time.Minute)
		assert.Equal(t, before, recorded(t, tree)[:3])
		endsWhole(t, tree, parent)
	})
}

// Where it cannot be written down, that is told, and keeps nothing waiting.
func TestRecordThatCannotBeWritten(t *testing.T) {
	inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
		full, disk := onDisk(tree, func(name, _ string) bool { return strings.HasPrefix(name, recordOf(tree)) })
		p := start(t, full)
		p.wants(running("a"))
		pid := pidOf(tree, "a")
		pass(time.Minute)
		disk.full.Store(true)
		lose(t, tree, "deleted")
		pass(time.Minute)
		s, _ := p.Instance("a")
		assert.ErrorIs(t, s.Err, syscall.ENOSPC)
		assert.Equal(t, s6.StateRunning, s.State)
		assert.Equal(t, pid, s.Observed.PID())
		require.NoError(t, p.Restart(t.Context(), "a"))
		pass(10 * time.Second)
		assert.NotEqual(t, pid, pidOf(tree, "a"))
		s, _ = p.Instance("a")
		assert.NoError(t, s.Err)
	})
}

// A program that did not know the process restarts it for nothing that does not
// reach it: other logs, what follows on its end,
// a file that was damaged. What does is a reason to.
func TestUnknownProcessIsKeptByWhatDoesNotReachIt(t *testing.T) {
	inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
		settle(t, tree, running("a"))
		pid := pidOf(tree, "a")
		lose(t, tree, "deleted")
		other := *running("a")["a"].Spec
		other.Log.Files, other.Restart = 7, s6.RestartOnFailure // which changes its run script
		another := other
		another.Env = map[string]string{"A": "b"}
		plan := func(p *program, spec *s6.Spec) fsm.ChangeKind {
			changes, err := p.Plan(t.Context(), map[string]desired{"a": {State: s6.Running, Spec: spec}})
			require.NoError(t, err)
			require.Len(t, changes, 1)
			return changes[0].Kind
		}
		p := start(t, tree)
		assert.Equal(t, fsm.ChangeLive, plan(p, &other))
		p.wants(map[string]desired{"a": {State: s6.Running, Spec: &other}})
		pass(10 * time.Second)
		s, _ := p.Instance("a")
		assert.Equal(t, other.Hash(), s.Observed.Hash)
		assert.Empty(t, s.Observed.Started)
		assert.Equal(t, pid, pidOf(tree, "a"))

		require.NoError(t, tree.FS().Remove(path.Join(tree.Layout().Service("a"), "log/run")))
		pass(time.Minute)
		s, _ = p.Instance("a")
		assert.True(t, s.Observed.Intact)
		assert.Equal(t, pid, pidOf(tree, "a"))

		assert.Equal(t, fsm.ChangeRestart, plan(p, &another))
		p.wants(map[string]desired{"a": {State: s6.Running, Spec: &another}})
		assert.NotEqual(t, pid, pidOf(tree, "a"))
	})
}
