//go:build integration

package integration

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/integration/harness"
	"github.com/evenkeel/evenkeel/s6"
)

// task is a probe that ends by itself: with exit code 0 if that is well.
func (w *world) task(name, end string, change func(*s6.Spec)) map[string]*s6.Spec {
	spec := w.probeAs(name, "", end)
	change(spec)
	return map[string]*s6.Spec{name: spec}
}

func touch(t *testing.T, file string) {
	t.Helper()
	require.NoError(t, os.WriteFile(file, nil, 0o644))
}

// another has another program take the world over, and lets it look for a while.
func (w *world) another(all map[string]*s6.Spec) {
	w.T.Helper()
	w.Unmanage()
	w.manage()
	w.Declare(running(all))
}

// TestJob: what ended well is done, also for the next program, until it is asked
// for again.
func TestJob(t *testing.T) {
	t.Parallel()
	for _, restart := range []s6.Restart{s6.RestartOnFailure, s6.RestartNever} {
		t.Run(string(restart), func(t *testing.T) {
			t.Parallel()
			w := start(t)
			job := w.task("a", "exit 0", func(s *s6.Spec) { s.Restart = restart })
			w.Declare(running(job))
			w.Await(fsm.PhaseDone, "a")
			assert.NotContains(t, w.Passed("a"), s6.StateDegraded)
			w.another(job)
			w.Await(fsm.PhaseDone, "a")
			harness.Pause(t, 1500*time.Millisecond, "s6 would have started another process by then")
			w.Says("a", s6.StateDone, "its process has ended well: exited with 0")
			require.Len(t, w.starts("a"), 1)

			ctx, cancel := w.Context()
			defer cancel()
			err := w.Manager.Wait(ctx, "a", fsm.PhaseRunning)
			require.ErrorIs(t, err, fsm.ErrOver)
			w.Declare(desired{"a": {State: s6.Stopped, Spec: job["a"]}})
			w.Await(fsm.PhaseStopped, "a")
			w.Declare(running(job))
			w.Await(fsm.PhaseDone, "a")
			require.Len(t, w.starts("a"), 2)
			require.NoError(t, w.Manager.Restart(ctx, "a"))
			harness.Eventually(t, "it has run again", func() bool { return len(w.starts("a")) == 3 })
			w.Await(fsm.PhaseDone, "a")
			other := map[string]*s6.Spec{"a": version(job["a"], "2")}
			w.Declare(running(other))
			harness.Eventually(t, "the other one has run", func() bool { return len(w.starts("a")) == 4 })
			w.Await(fsm.PhaseDone, "a")
			w.Declare(nil)
			w.Await(fsm.PhaseRemoved, "a")
		})
	}
}

// TestGivenUp: a failure is counted, and the last one the last, though no program
// runs meanwhile.
func TestGivenUp(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*s6.Spec){
		"after three": func(s *s6.Spec) {
			s.Backoff, s.GiveUpAfter = s6.Backoff{From: 50 * time.Millisecond, To: 100 * time.Millisecond}, 3
		},
		"on failure, after three": func(s *s6.Spec) { s.Restart, s.GiveUpAfter = s6.RestartOnFailure, 3 },
		"by its finish command":   func(s *s6.Spec) { s.Finish = []string{"sh", "-c", `[ "$(wc -l <"$PROBE/starts")" != 3 ] || exit 125`} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := start(t)
			task := w.task("a", `until [ -e "$PROBE/go" ]; do sleep 0.01 9>&-; done; exit 7`, change)
			if len(task["a"].Finish) > 0 {
				// It does not have the environment of the process.
				task["a"].Finish[2] = `PROBE=` + task["a"].Env["PROBE"] + "; " + task["a"].Finish[2]
			}
			w.run(task)
			w.Unmanage()
			touch(t, task["a"].Env["PROBE"]+"/go")
			harness.Eventually(t, "it is given up", func() bool {
				status, err := w.Tree.Status(w.Service("a"))
				return err == nil && status.PID == 0 && !status.WantUp
			})
			require.Len(t, w.starts("a"), 3)
			w.manage()
			w.Declare(running(task))
			w.Await(fsm.PhaseFailed, "a")
			harness.Pause(t, 1500*time.Millisecond, "s6 would have started another process by then")
			require.Len(t, w.starts("a"), 3)
		})
	}
}

// TestNeverAgain: what is killed is not started again, unless that was to have
// another one in its place.
func TestNeverAgain(t *testing.T) {
	t.Parallel()
	w := start(t)
	task := map[string]*s6.Spec{"a": with(w.probe("a"), func(s *s6.Spec) { s.Restart = s6.RestartNever })}
	w.run(task)
	changed := map[string]*s6.Spec{"a": version(task["a"], "2")}
	w.Declare(running(changed))
	w.Await(fsm.PhaseRunning, "a")
	w.runsAs("a", "2")
	ctx, cancel := w.Context()
	defer cancel()
	require.NoError(t, w.Manager.Restart(ctx, "a"))
	harness.Eventually(t, "a third process runs", func() bool { return len(w.starts("a")) == 3 })
	w.Await(fsm.PhaseRunning, "a")
	harness.Slay(t, w.pid("a"))
	w.Await(fsm.PhaseFailed, "a")
	w.Says("a", s6.StateFailed, "its process failed, and is not to run again: ended by signal 9")
	harness.Pause(t, 1500*time.Millisecond, "s6 would have started another process by then")
	require.Len(t, w.starts("a"), 3)
}

// TestPauseThatIsForgotten: a process that has looked whether it has to wait just
// before its pause was forgotten does not sleep through it.
func TestPauseThatIsForgotten(t *testing.T) {
	t.Parallel()
	w := start(t)
	task := w.task("a", `[ -e "$PROBE/mended" ] || exit 7; exec sleep 1000000`, func(s *s6.Spec) { s.Backoff = s6.Backoff{From: time.Hour} })
	w.Declare(running(task))
	w.Says("a", s6.StateBackingOff, "its process ended: the next one begins at ", "exited with 7")
	harness.Eventually(t, "its process waits", func() bool {
		said, err := os.ReadFile(filepath.Join(w.Service("a"), "data", "pauses"))
		return err == nil && strings.TrimSpace(string(said)) == strconv.Itoa(w.pid("a"))
	})
	touch(t, task["a"].Env["PROBE"]+"/mended")
	require.NoError(t, os.WriteFile(filepath.Join(w.Service("a"), "data", "course"), []byte("none 0 0 0 -\n"), 0o644))
	// It sleeps by now, and another one takes its place, or it looks once more.
	harness.Eventually(t, "the task runs", func() bool { return len(w.starts("a")) == 2 })
	w.Await(fsm.PhaseRunning, "a")
	w.single("a")
}

// TestPause: what waits for its next try is told to stop, changed and restarted at
// once, and keeps no tree from ending.
func TestPause(t *testing.T) {
	t.Parallel()
	w := start(t)
	fails := func(name string) *s6.Spec {
		return w.task(name, `[ -e "$PROBE/mended" ] || exit 7; exec sleep 1000000`, func(s *s6.Spec) { s.Backoff = s6.Backoff{From: time.Hour} })[name]
	}
	names := []string{"changed", "ended", "mended", "restarted", "stopped"}
	all := make(map[string]*s6.Spec)
	for _, name := range names {
		all[name] = fails(name)
	}
	w.Declare(running(all))
	pauses := func(name string) {
		t.Helper()
		w.Says(name, s6.StateBackingOff, "its process ended: the next one begins at ", "exited with 7")
		require.Len(t, w.starts(name), 1)
	}
	for _, name := range names {
		pauses(name)
	}
	w.another(all)
	for _, name := range names {
		pauses(name)
		touch(t, all[name].Env["PROBE"]+"/mended")
	}
	ctx, cancel := w.Context()
	defer cancel()
	require.NoError(t, w.Manager.Restart(ctx, "restarted"))
	w.Await(fsm.PhaseRunning, "restarted")
	all["changed"] = version(all["changed"], "2")
	d := running(all)
	d["stopped"] = fsm.Desired[*s6.Spec]{State: s6.Stopped, Spec: all["stopped"]}
	w.Declare(d)
	w.Await(fsm.PhaseRunning, "changed")
	w.Await(fsm.PhaseStopped, "stopped")
	w.Declare(running(all))
	w.Await(fsm.PhaseRunning, "stopped")
	for _, name := range []string{"changed", "restarted", "stopped"} {
		require.Len(t, w.starts(name), 2, name)
	}
	pauses("ended")
	pauses("mended")
}
