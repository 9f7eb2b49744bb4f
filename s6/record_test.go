package s6_test

import (
	"fmt"
	"path"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/s6/s6test"
)

// recordOf is where the start of a service's process writes down which it is.
func recordOf(tree *s6test.Tree) string { return path.Join(tree.Layout().Service("a"), "data/started") }

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
