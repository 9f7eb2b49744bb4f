//go:build integration

package integration

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/internal/proc"
	"github.com/evenkeel/evenkeel/s6"
)

// recovery kills a service that has run for more than a second and returns how
// long it takes until its program runs again.
func (w *world) recovery(name string) time.Duration {
	w.t.Helper()
	starts, pid := len(w.starts(name)), w.pid(name)
	began := time.Now()
	kill(w.t, pid, 9)
	eventually(w.t, patience, name+" runs again", func() bool { return len(w.starts(name)) > starts })
	return time.Since(began)
}

// With readiness a service that had been ready for a second is started anew at
// once; without, s6 waits for a second.
func TestRecoveryIsFastWithReadiness(t *testing.T) {
	w := start(t)
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

	w.declare(running(map[string]*s6.Spec{
		"plain": plain("plain"), "fd": w.probe("fd"), "check": check, "announced": announced,
	}))
	w.await(fsm.PhaseRunning, "plain", "fd", "check")
	eventually(t, patience, "it starts", func() bool { return len(w.starts("announced")) == 1 })
	assert.Equal(t, fsm.PhaseStarting, w.snapshot("announced").Phase, "nobody has said that it is ready")
	w.announce("announced")
	w.await(fsm.PhaseRunning, "announced")

	took := make(map[string][]time.Duration)
	names := []string{"plain", "fd", "check", "announced"}
	for range 3 {
		for _, name := range names {
			eventually(t, patience, name+" has been ready for a while", func() bool {
				s, err := w.tree.Status(w.service(name))
				require.NoError(t, err)
				return s.Up() && (name == "plain" || s.Ready && time.Since(s.ReadyStamp) > 1100*time.Millisecond)
			})
			took[name] = append(took[name], w.recovery(name))
			if name == "announced" {
				w.announce(name)
			}
		}
	}
	for _, name := range names {
		t.Logf("%-10s back after %v", name, took[name])
	}
	for _, name := range names[1:] {
		assert.Less(t, slices.Min(took[name]), slices.Min(took["plain"])/2, name)
	}
}

// announce says that a service's process is ready, as a program would that has
// seen it work.
func (w *world) announce(name string) {
	w.t.Helper()
	eventually(w.t, patience, name+" is ready", func() bool {
		status, err := w.tree.Status(w.service(name))
		if err != nil || !status.Up() {
			return false
		}
		// Until it has become the command, the process may lack the descriptor.
		return status.Ready || w.tree.AnnounceReady(w.service(name), status.PID) == nil
	})
}

func TestAnnounceReadyIsRefusedForAnotherProcess(t *testing.T) {
	t.Parallel()
	w := start(t)
	spec := w.probe("a")
	spec.Ready = s6.Readiness{Announced: true}
	spec.Command = []string{"sleep", "1000000"}
	closed := with(spec, func(s *s6.Spec) { s.Command = []string{"sh", "-c", "exec 3>/dev/null; exec sleep 1000000"} })
	w.declare(running(map[string]*s6.Spec{"a": spec, "other": spec, "closed": closed}))
	w.await(fsm.PhaseStarting, "a", "other", "closed")
	eventually(t, patience, "all are up", func() bool {
		for _, name := range []string{"a", "other", "closed"} {
			s, err := w.tree.Status(w.service(name))
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
	assert.ErrorContains(t, w.tree.AnnounceReady(w.service("a"), other), "the service's process is")
	assert.Error(t, w.tree.AnnounceReady(w.service("a"), 1<<22-1))
	assert.ErrorContains(t, w.tree.AnnounceReady(w.service("closed"), closedPID), "which its supervisor does not read")
	for _, name := range []string{"a", "other", "closed"} {
		s, err := w.tree.Status(w.service(name))
		require.NoError(t, err)
		assert.False(t, s.Ready, name)
	}
	require.NoError(t, w.tree.AnnounceReady(w.service("a"), a))
	w.await(fsm.PhaseRunning, "a")
	require.NoError(t, w.tree.AnnounceReady(w.service("a"), a), "twice is no harm")
	slay(t, a)
	eventually(t, patience, "it is refused for one that is gone", func() bool { return w.tree.AnnounceReady(w.service("a"), a) != nil })
}
