//go:build integration

package integration

import (
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

// TestRestartByHand restarts a service that something has just happened to: one
// other process runs then, and the supervisor of the logger is the one it was.
func TestRestartByHand(t *testing.T) {
	t.Parallel()
	for what, happens := range map[string]func(t *testing.T, w *world){
		"nothing": func(*testing.T, *world) {},
		"it is paused": func(t *testing.T, w *world) {
			require.NoError(t, w.Tree.Control(w.Service("a"), supervise.CommandStop))
		},
		"it is killed": func(t *testing.T, w *world) { require.NoError(t, syscall.Kill(w.pid("a"), syscall.SIGKILL)) },
		"its supervisor is killed": func(t *testing.T, w *world) {
			require.NoError(t, syscall.Kill(w.supervisor(w.Service("a")), syscall.SIGKILL))
		},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			w := start(t)
			w.run(map[string]*s6.Spec{"a": w.probe("a"), "b": w.probe("b")})
			before, b, logger := w.pid("a"), w.pid("b"), w.supervisor(w.Service("a")+"/log")
			w.Forget()
			happens(t, w)
			ctx, cancel := w.Context()
			defer cancel()
			require.NoError(t, w.Manager.Restart(ctx, "a"))
			w.Await(fsm.PhaseRunning, "a")
			assert.NotEqual(t, before, w.pid("a"))
			w.single("a")
			assert.Equal(t, b, w.pid("b"))
			assert.Equal(t, logger, w.supervisor(w.Service("a")+"/log"))
			if what == "nothing" {
				assert.NotContains(t, w.Passed("a"), s6.StateDegraded)
				assert.Zero(t, w.Snapshot("a").Observed.Deaths)
				assert.Len(t, w.starts("a"), 2)
			}
		})
	}
}
