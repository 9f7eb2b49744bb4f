//go:build integration

package integration

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
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

func TestCommandThatIsMissingIsNamedAndStartsOnceItIsThere(t *testing.T) {
	t.Parallel()
	w := start(t)
	program := filepath.Join(w.Root, "later")
	spec := &s6.Spec{Command: []string{program}}
	w.Declare(running(map[string]*s6.Spec{"a": spec, "b": w.probe("b")}))
	w.Await(fsm.PhaseRunning, "b")
	w.Await(fsm.PhaseDegraded, "a")
	s := w.Snapshot("a")
	assert.Equal(t, "its command cannot be started", s.Reason.Summary)
	assert.Equal(t, program+" does not exist", s.Reason.Evidence)
	b := w.pid("b")

	require.NoError(t, os.WriteFile(program, []byte("#!/bin/sh\nexec sleep 1000000\n"), 0o644))
	harness.Eventually(t, "the reason changes", func() bool {
		return w.Snapshot("a").Reason.Evidence == program+" is not executable"
	})
	require.NoError(t, os.Chmod(program, 0o755))
	w.Await(fsm.PhaseRunning, "a")
	w.pid("a")
	assert.Equal(t, b, w.pid("b"))
}

func TestCommandThatGoesMissing(t *testing.T) {
	t.Parallel()
	w := start(t)
	program := filepath.Join(w.Root, "program")
	require.NoError(t, os.WriteFile(program, []byte("#!/bin/sh\nexec sleep 1000000\n"), 0o755))
	w.run(map[string]*s6.Spec{"a": {Command: []string{program}}})
	pid := w.pid("a")
	harness.Eventually(t, "the command has begun", func() bool {
		p, err := proc.System.Read(pid)
		return err == nil && p.Is("sleep")
	})
	require.NoError(t, os.Rename(program, program+".away"))
	harness.Slay(t, pid)
	harness.Eventually(t, "the reason names the command", func() bool {
		s := w.Snapshot("a")
		return s.Phase == fsm.PhaseDegraded && s.Reason.Evidence == program+" does not exist"
	})
	require.NoError(t, os.Rename(program+".away", program))
	w.Await(fsm.PhaseRunning, "a")
	w.pid("a")
}

func TestDeafProcessIsKilled(t *testing.T) {
	t.Parallel()
	for name, act := range map[string]func(w *world, spec *s6.Spec){
		"stop": func(w *world, spec *s6.Spec) {
			w.Declare(desired{"a": {State: s6.Stopped, Spec: spec}})
			w.Await(fsm.PhaseStopped, "a")
		},
		"remove":  func(w *world, _ *s6.Spec) { w.Declare(nil); w.Await(fsm.PhaseRemoved, "a") },
		"restart": func(w *world, spec *s6.Spec) { w.run(map[string]*s6.Spec{"a": version(spec, "2")}) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := start(t)
			spec := w.probeAs("a", `trap 'echo TERM >>"$PROBE/signals"' TERM`, runsUntilTrapped)
			spec.StopTimeout = 3 * time.Second
			w.run(map[string]*s6.Spec{"a": spec})
			pid := w.pid("a")
			act(w, spec)
			harness.Gone(t, pid)
			signals, err := os.ReadFile(filepath.Join(w.Root, "probes", "a", "signals"))
			require.NoError(t, err, "it was told to end, and given its time")
			assert.Equal(t, "TERM\n", string(signals))
			if name == "restart" {
				w.single("a")
			}
		})
	}
}

func TestStopSignal(t *testing.T) {
	t.Parallel()
	w := start(t)
	spec := w.probeAs("a", `for s in TERM INT HUP USR1; do trap "echo $s >>$PROBE/signals; exit 0" $s; done`, runsUntilTrapped)
	spec.StopSignal = "SIGINT"
	w.run(map[string]*s6.Spec{"a": spec})
	w.Declare(desired{"a": {State: s6.Stopped, Spec: spec}})
	w.Await(fsm.PhaseStopped, "a")
	spec = with(spec, func(s *s6.Spec) { s.StopSignal = "USR1" })
	w.run(map[string]*s6.Spec{"a": spec})
	w.Declare(desired{"a": {State: s6.Stopped, Spec: spec}})
	w.Await(fsm.PhaseStopped, "a")
	signals, err := os.ReadFile(filepath.Join(w.Root, "probes", "a", "signals"))
	require.NoError(t, err)
	assert.Equal(t, "INT\nUSR1\n", string(signals))
}

func TestCrashLoopIsDegradedWithTheExitCodeAndRecovers(t *testing.T) {
	t.Parallel()
	w := start(t)
	flag := filepath.Join(w.Root, "healed")
	spec := w.probeAs("a", "test -e "+flag+" || exit 7", "exec sleep 1000000")
	w.Declare(running(map[string]*s6.Spec{"a": spec, "b": w.probe("b")}))
	w.Await(fsm.PhaseRunning, "b")
	b := w.pid("b")
	w.Await(fsm.PhaseDegraded, "a")
	harness.Eventually(t, "it has died often enough", func() bool { return w.Snapshot("a").Observed.Restarts >= s6.CrashLimit })
	s := w.Snapshot("a")
	failed := s.History[slices.IndexFunc(s.History, func(move fsm.Transition) bool { return move.To == s6.StateDegraded })]
	assert.Regexp(t, `^its process ended \d times in 30s$`, failed.Reason.Summary)
	assert.Contains(t, failed.Reason.Evidence, "exited with 7 at ")
	assert.Contains(t, s.Reason.Evidence, "exited with 7 at ")

	require.NoError(t, os.WriteFile(flag, nil, 0o644))
	harness.Eventually(t, "it runs", func() bool { return len(w.starts("a")) > 0 })
	w.single("a")
	assert.Equal(t, fsm.PhaseDegraded, w.Snapshot("a").Phase, "it is believed when the deaths are past")
	harness.EventuallyWithin(t, harness.Patience+s6.CrashWindow, "it is believed", func() bool { return w.Snapshot("a").Phase == fsm.PhaseRunning })
	assert.Len(t, w.starts("a"), 1)
	assert.Equal(t, b, w.pid("b"))
}

func TestFinishThatGivesUpIsTold(t *testing.T) {
	t.Parallel()
	w := start(t)
	flag := filepath.Join(w.Root, "healed")
	spec := w.probeAs("a", "test -e "+flag+" || exit 3", "exec sleep 1000000")
	spec.Finish = []string{"sh", "-c", `echo "$@" >"` + w.Root + `/finished"; test "$1" != 3 || exit 125`, "finish"}
	w.Declare(running(map[string]*s6.Spec{"a": spec}))
	w.Await(fsm.PhaseFailed, "a")
	s := w.Snapshot("a")
	assert.Equal(t, "its finish command said not to start it again", s.Reason.Summary)
	assert.Contains(t, s.Reason.Evidence, "exited with 3 at ")
	args, err := os.ReadFile(filepath.Join(w.Root, "finished"))
	require.NoError(t, err)
	assert.Equal(t, "3 0 a", strings.TrimSpace(string(args)))
	// A service that gave up before it was seen is asked once more.
	restarts := s.Observed.Restarts
	harness.Lasts(t, 1500*time.Millisecond, "it is left alone", func() bool {
		before := restarts
		restarts = w.Snapshot("a").Observed.Restarts
		return restarts == before
	})
	assert.LessOrEqual(t, restarts, 2)

	// What is asked for again is tried again.
	require.NoError(t, os.WriteFile(flag, nil, 0o644))
	w.run(map[string]*s6.Spec{"a": version(spec, "2")})
	w.single("a")
}

func TestProcessThatIsNotReadyInTime(t *testing.T) {
	t.Parallel()
	w := start(t)
	flag := filepath.Join(w.Root, "ready")
	spec := &s6.Spec{
		Command:      []string{"sleep", "1000000"},
		Ready:        s6.Readiness{Check: []string{"test", "-e", flag}},
		StartTimeout: 300 * time.Millisecond,
	}
	w.Declare(running(map[string]*s6.Spec{"a": spec}))
	w.Await(fsm.PhaseDegraded, "a")
	w.Became("a", s6.StateDegraded, "it did not become ready in time")
	harness.Eventually(t, "it runs", func() bool { return w.Snapshot("a").Observed.PID() != 0 })
	pid := w.pid("a")
	require.NoError(t, os.WriteFile(flag, nil, 0o644))
	w.Await(fsm.PhaseRunning, "a")
	assert.Equal(t, pid, w.pid("a"), "it is not killed for being late")
}

func TestPausedProcessIsTold(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.run(map[string]*s6.Spec{"a": w.probe("a")})
	require.NoError(t, w.Tree.Control(w.Service("a"), supervise.CommandStop))
	harness.Eventually(t, "it is degraded", func() bool {
		s := w.Snapshot("a")
		return s.Phase == fsm.PhaseDegraded && s.Reason.Summary == "its process is paused"
	})
	require.NoError(t, w.Tree.Control(w.Service("a"), supervise.CommandCont))
	w.Await(fsm.PhaseRunning, "a")
}

func TestServiceThatSomebodyTookDownIsBroughtUp(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.run(map[string]*s6.Spec{"a": w.probe("a")})
	first := w.pid("a")
	require.NoError(t, w.Tree.Control(w.Service("a"), supervise.CommandDown))
	harness.Eventually(t, "it is up again", func() bool { return len(w.starts("a")) == 2 })
	w.Await(fsm.PhaseRunning, "a")
	assert.NotEqual(t, first, w.pid("a"))
	w.single("a")
}
