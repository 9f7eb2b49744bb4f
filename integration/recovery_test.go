//go:build integration

package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/integration/harness"
	"github.com/evenkeel/evenkeel/internal/proc"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

// returning are the ways in which a service can become ready; "plain" has none.
var returning = []string{"plain", "fd", "check", "announced"}

// startReturning runs a service of each, in a version for which no process has ended
// yet, and waits until they are ready.
func (w *world) startReturning(v string) {
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
	all := map[string]*s6.Spec{"plain": plain("plain"), "fd": w.probe("fd"), "check": check, "announced": announced}
	for name, spec := range all {
		all[name] = version(spec, v)
	}
	before := len(w.starts("announced"))
	w.Declare(running(all))
	w.Await(fsm.PhaseRunning, "plain", "fd", "check")
	harness.Eventually(w.T, "it starts", func() bool { return len(w.starts("announced")) > before })
	w.Await(fsm.PhaseStarting, "announced") // nobody has said that it is ready
	w.announce("announced")
	w.Await(fsm.PhaseRunning, "announced")
}

// recovery kills a service that has run for more than a second and returns how long
// it takes until there is another process, by what s6-supervise has written.
func (w *world) recovery(name string) time.Duration {
	w.T.Helper()
	up := func() *supervise.Status {
		s, err := w.Tree.Status(w.Service(name))
		require.NoError(w.T, err)
		if !s.Up() {
			return nil
		}
		return &s
	}
	harness.Lasts(w.T, 1100*time.Millisecond, name+" is ready", func() bool {
		s := up()
		return s != nil && (s.Ready || name == "plain" || name == bare)
	})
	pid, began := w.pid(name), time.Now()
	harness.Kill(w.T, pid, syscall.SIGKILL)
	var next *supervise.Status
	harness.Eventually(w.T, name+" runs again", func() bool {
		next = up()
		return next != nil && next.PID != pid
	})
	if name == "announced" {
		w.announce(name)
	}
	return next.Stamp.Sub(began)
}

// bare is a service that is s6's alone.
const bare = "bare"

func (w *world) startBare() {
	w.T.Helper()
	require.NoError(w.T, os.Mkdir(w.Service(bare), 0o755))
	require.NoError(w.T, os.WriteFile(filepath.Join(w.Service(bare), "run"), []byte("#!/bin/sh\nexec sleep 1000000\n"), 0o755))
	require.NoError(w.T, os.Symlink(w.Service(bare), w.Tree.Layout().Link(bare)))
	require.NoError(w.T, w.Tree.Rescan())
	harness.Eventually(w.T, "it is supervised", func() bool { return w.supervisor(w.Service(bare)) != 0 })
	w.pid(bare)
}

// A first crash has no pause, whatever s6 would do; a second one has that of s6, and
// so has the first where no program runs.
func TestRecovery(t *testing.T) {
	t.Parallel()
	w := start(t)
	tries := 0
	harness.Eventually(t, "no service pauses", func() error {
		tries++
		w.startReturning(fmt.Sprint(tries))
		for _, name := range returning {
			took := w.recovery(name)
			w.Await(fsm.PhaseRunning, name)
			w.single(name)
			if took >= time.Second {
				return fmt.Errorf("%s took %v", name, took)
			}
		}
		return nil
	})
	w.Became("plain", s6.StateDegraded, "ended by signal 9 (killed)")
	require.GreaterOrEqual(t, w.recovery("plain"), time.Second)
	w.Await(fsm.PhaseRunning, "plain")
	w.single("plain")
	w.startReturning("last")
	w.Unmanage()
	require.GreaterOrEqual(t, w.recovery("plain"), time.Second)
}

// What ends again and again is started once a second, but for the first time.
func TestCrashLoop(t *testing.T) {
	t.Parallel()
	w := start(t)
	spec := w.probeAs("a", "exec 3>/dev/null", `[ ! -e "$PROBE/broken" ] || exit 1; exec sleep 1000000`)
	spec.Ready = s6.Readiness{}
	w.run(map[string]*s6.Spec{"a": spec})
	touch(t, filepath.Join(w.Root, "probes", "a", "broken"))
	began, before := time.Now(), len(w.starts("a"))
	harness.Kill(t, w.pid("a"), syscall.SIGKILL)
	harness.Eventually(t, "it has ended often", func() bool { return w.Snapshot("a").Observed.Deaths > 5 })
	starts := len(w.starts("a")) - before
	assert.LessOrEqual(t, starts, 2+int(time.Since(began)/time.Second))
	assert.GreaterOrEqual(t, starts, 5)
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
