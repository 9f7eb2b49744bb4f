package s6_test

import (
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/s6test"
)

// TestBegun: what runs has been started, whoever supervises it, and so has what has
// come to its end with the same spec.
func TestBegun(t *testing.T) {
	inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
		is := func(want bool, name string, spec *s6.Spec) {
			t.Helper()
			begun, err := s6.Begun(tree, name, spec)
			require.NoError(t, err)
			assert.Equal(t, want, begun)
		}
		job := &s6.Spec{Command: []string{"sleep", "1"}, Policy: s6.Policy{Restart: s6.RestartOnFailure}}
		tree.SetProgram("job", s6test.Program{RunFor: time.Second})
		is(false, "a", nil)
		p := start(t, tree)
		all := running("a")
		all["job"] = desired{State: s6.Running, Spec: job}
		require.NoError(t, p.Apply(t.Context(), all))
		pass(500 * time.Millisecond)
		is(true, "a", nil)
		require.NoError(t, tree.Kill("a", syscall.SIGKILL))
		is(true, "a", nil)
		pass(5 * time.Second)
		s, _ := p.Instance("job")
		require.Equal(t, fsm.PhaseDone, s.Phase)
		is(true, "job", job)
		is(false, "job", &s6.Spec{Command: []string{"sleep", "2"}, Policy: job.Policy})
		is(false, "job", nil)

		require.NoError(t, tree.KillSupervisor("a"))
		is(true, "a", nil)
		pass(5 * time.Second)
		require.NoError(t, p.Set(t.Context(), "a", desired{State: s6.Stopped, Spec: all["a"].Spec}))
		pass(time.Minute)
		is(false, "a", nil)

		all["a"], all["b"] = desired{State: s6.Stopped, Spec: all["a"].Spec}, running("b")["b"]
		require.NoError(t, p.Apply(t.Context(), all))
		pass(time.Minute)
		p.stop()
		tree.KillSvscan()
		for _, name := range []string{"a", "b"} {
			require.NoError(t, tree.KillSupervisor(name))
			require.NoError(t, tree.KillSupervisor(name+"/log"))
		}
		require.NoError(t, tree.Kill("b", syscall.SIGKILL))
		pass(time.Minute)
		require.Zero(t, pidOf(tree, "b"))
		is(false, "a", nil)
		is(true, "b", nil)
		require.NoError(t, tree.FS().Remove(tree.Layout().Link("b")))
		is(false, "b", nil)
	})
}
