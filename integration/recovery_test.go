//go:build integration

package integration

import (
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/integration/harness"
	"github.com/evenkeel/evenkeel/internal/proc"
	"github.com/evenkeel/evenkeel/s6"
)

// returning are the ways in which a service can become ready; "plain" has none.
var returning = []string{"plain", "fd", "check", "announced"}

// startReturning runs a service of each, and waits until they are ready.
func (w *world) startReturning() {
	w.T.Helper()
	plain := func(name string) *s6.Spec {
		spec := w.probeAs(name, "exec 3>/dev/null", "exec sleep 1000000")
		spec.Ready = s6.Readiness{}
		return spec
	}
	check := plain("check")
	check.Ready = s6.Readiness{Check: []string{"true"}}
	announced := w.probe("announced")
	announced.Ready = s6.Readiness{Announced: true}
	announced.Command = []string{"sh", "-c", `exec 9>>"$PROBE/lock"; flock -n 9 || echo $$ >>"$PROBE/doubles"; echo $$ >>"$PROBE/starts"; exec sleep 1000000`}
	w.Declare(running(map[string]*s6.Spec{
		"plain": plain("plain"), "fd": w.probe("fd"), "check": check, "announced": announced,
	}))
	w.Await(fsm.PhaseRunning, "plain", "fd", "check")
	harness.Eventually(w.T, "it starts", func() bool { return len(w.starts("announced")) == 1 })
	w.Await(fsm.PhaseStarting, "announced") // nobody has said that it is ready
	w.announce("announced")
	w.Await(fsm.PhaseRunning, "announced")
}

// recovery kills a service that has run for more than a second and returns how
// long it takes until its program runs again.
func (w *world) recovery(name string) time.Duration {
	w.T.Helper()
	harness.Lasts(w.T, 1100*time.Millisecond, name+" is ready", func() bool {
		s, err := w.Tree.Status(w.Service(name))
		require.NoError(w.T, err)
		return s.Up() && (name == "plain" || s.Ready)
	})
	starts, pid := len(w.starts(name)), w.pid(name)
	began := time.Now()
	harness.Kill(w.T, pid, syscall.SIGKILL)
	harness.Eventually(w.T, name+" runs again", func() bool { return len(w.starts(name)) > starts })
	took := time.Since(began)
	if name == "announced" {
		w.announce(name)
	}
	return took
}

// Without readiness s6 waits for a second before it restarts a service.
// BenchmarkRecovery measures how fast it is with readiness.
func TestRecovery(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.startReturning()
	for range 2 {
		for _, name := range returning {
			took := w.recovery(name)
			if name == "plain" {
				assert.GreaterOrEqual(t, took, time.Second)
			}
			w.Await(fsm.PhaseRunning, name)
			w.single(name)
		}
	}
}

// announce says that a service's process is ready, as a program would that has
// seen it work.
func (w *world) announce(name string) {
	w.T.Helper()
	harness.Eventually(w.T, name+" is ready", func() bool {
		status, err := w.Tree.Status(w.Service(name))
		if err != nil || !status.Up() {
			return false
		}
		// The process may lack the descriptor until it has become the command.
		return status.Ready || w.Tree.AnnounceReady(w.Service(name), status.PID) == nil
	})
}

func TestAnnounceReadyIsRefusedForAnotherProcess(t *testing.T) {
	t.Parallel()
	w := start(t)
	spec := w.probe("a")
	spec.Ready = s6.Readiness{Announced: true}
	spec.Command = []string{"sleep", "1000000"}
	closed := with(spec, func(s *s6.Spec) { s.Command = []string{"sh", "-c", "exec 3>/dev/null; exec sleep 1000000"} })
	w.Declare(running(map[string]*s6.Spec{"a": spec, "other": spec, "closed": closed}))
	w.Await(fsm.PhaseStarting, "a", "other", "closed")
	harness.Eventually(t, "all are up", func() bool {
		for _, name := range []string{"a", "other", "closed"} {
			s, err := w.Tree.Status(w.Service(name))
			if err != nil || !s.Up() {
				return false
			}
			if p, err := proc.System.Read(s.PID); err != nil || !p.Is("sleep") {
				return false
			}
		}
		return true
	})
	a, other, closedPID := w.pid("a"), w.pid("other"), w.pid("closed")
	assert.ErrorContains(t, w.Tree.AnnounceReady(w.Service("a"), other), "the service's process is")
	assert.Error(t, w.Tree.AnnounceReady(w.Service("a"), 1<<22-1))
	assert.ErrorContains(t, w.Tree.AnnounceReady(w.Service("closed"), closedPID), "which its supervisor does not read")
	for _, name := range []string{"a", "other", "closed"} {
		s, err := w.Tree.Status(w.Service(name))
		require.NoError(t, err)
		assert.False(t, s.Ready, name)
	}
	require.NoError(t, w.Tree.AnnounceReady(w.Service("a"), a))
	w.Await(fsm.PhaseRunning, "a")
	require.NoError(t, w.Tree.AnnounceReady(w.Service("a"), a), "twice is no harm")
	harness.Slay(t, a)
	harness.Eventually(t, "it is refused for one that is gone", func() bool { return w.Tree.AnnounceReady(w.Service("a"), a) != nil })
}
