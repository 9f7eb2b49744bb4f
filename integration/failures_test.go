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
	"github.com/evenkeel/evenkeel/internal/proc"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

func TestCommandThatIsMissingIsNamedAndStartsOnceItIsThere(t *testing.T) {
	t.Parallel()
	w := start(t)
	program := filepath.Join(w.root, "later")
	spec := &s6.Spec{Command: []string{program}}
	w.declare(running(map[string]*s6.Spec{"a": spec, "b": w.probe("b")}))
	w.await(fsm.PhaseRunning, "b")
	w.await(fsm.PhaseDegraded, "a")
	s := w.snapshot("a")
	assert.Equal(t, "its command cannot be started", s.Reason.Summary)
	assert.Equal(t, program+" does not exist", s.Reason.Evidence)
	b := w.pid("b")

	require.NoError(t, os.WriteFile(program, []byte("#!/bin/sh\nexec sleep 1000000\n"), 0o644))
	eventually(t, patience, "the reason changes", func() bool {
		return w.snapshot("a").Reason.Evidence == program+" is not executable"
	})
	require.NoError(t, os.Chmod(program, 0o755))
	w.await(fsm.PhaseRunning, "a")
	w.pid("a")
	assert.Equal(t, b, w.pid("b"))
}

func TestCommandThatGoesMissing(t *testing.T) {
	t.Parallel()
	w := start(t)
	program := filepath.Join(w.root, "program")
	require.NoError(t, os.WriteFile(program, []byte("#!/bin/sh\nexec sleep 1000000\n"), 0o755))
	w.run(map[string]*s6.Spec{"a": {Command: []string{program}}})
	pid := w.pid("a")
	eventually(t, patience, "the command has begun", func() bool {
		p, err := proc.System.Read(pid)
		return err == nil && p.Is("sleep")
	})
	require.NoError(t, os.Rename(program, program+".away"))
	slay(t, pid)
	eventually(t, patience, "the reason names the command", func() bool {
		s := w.snapshot("a")
		return s.Phase == fsm.PhaseDegraded && s.Reason.Evidence == program+" does not exist"
	})
	require.NoError(t, os.Rename(program+".away", program))
	w.await(fsm.PhaseRunning, "a")
	w.pid("a")
}

func TestDeafProcessIsKilled(t *testing.T) {
	t.Parallel()
	for name, act := range map[string]func(w *world, spec *s6.Spec){
		"stop": func(w *world, spec *s6.Spec) {
			w.declare(desired{"a": {State: s6.Stopped, Spec: spec}})
			w.await(fsm.PhaseStopped, "a")
		},
		"remove":  func(w *world, _ *s6.Spec) { w.declare(nil); w.await(fsm.PhaseRemoved, "a") },
		"restart": func(w *world, spec *s6.Spec) { w.run(map[string]*s6.Spec{"a": version(spec, "2")}) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := start(t)
			spec := w.deafProbe("a")
			spec.StopTimeout = 300 * time.Millisecond
			w.run(map[string]*s6.Spec{"a": spec})
			pid := w.pid("a")
			began := time.Now()
			act(w, spec)
			gone(t, pid)
			assert.GreaterOrEqual(t, time.Since(began), spec.StopTimeout, "it was given its time")
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
	w.declare(desired{"a": {State: s6.Stopped, Spec: spec}})
	w.await(fsm.PhaseStopped, "a")
	spec = with(spec, func(s *s6.Spec) { s.StopSignal = "USR1" })
	w.run(map[string]*s6.Spec{"a": spec})
	w.declare(desired{"a": {State: s6.Stopped, Spec: spec}})
	w.await(fsm.PhaseStopped, "a")
	signals, err := os.ReadFile(filepath.Join(w.root, "probes", "a", "signals"))
	require.NoError(t, err)
	assert.Equal(t, "INT\nUSR1\n", string(signals))
}

func TestCrashLoopIsDegradedWithTheExitCodeAndRecovers(t *testing.T) {
	t.Parallel()
	w := start(t)
	flag := filepath.Join(w.root, "healed")
	spec := w.probeAs("a", "test -e "+flag+" || exit 7", "exec sleep 1000000")
	w.declare(running(map[string]*s6.Spec{"a": spec, "b": w.probe("b")}))
	w.await(fsm.PhaseRunning, "b")
	b := w.pid("b")
	w.await(fsm.PhaseDegraded, "a")
	s := w.snapshot("a")
	failed := s.History[slices.IndexFunc(s.History, func(move fsm.Transition) bool { return move.To == s6.StateDegraded })]
	assert.Regexp(t, `^its process ended \d times in 30s$`, failed.Reason.Summary)
	assert.Contains(t, failed.Reason.Evidence, "exited with 7 at ")
	assert.Contains(t, s.Reason.Evidence, "exited with 7 at ")
	assert.GreaterOrEqual(t, s.Observed.Restarts, s6.CrashLimit)

	require.NoError(t, os.WriteFile(flag, nil, 0o644))
	eventually(t, patience, "it runs", func() bool { return len(w.starts("a")) > 0 })
	w.single("a")
	assert.Equal(t, fsm.PhaseDegraded, w.snapshot("a").Phase, "it is believed when the deaths are past")
	eventually(t, 2*s6.CrashWindow, "it is believed", func() bool { return w.snapshot("a").Phase == fsm.PhaseRunning })
	assert.Len(t, w.starts("a"), 1)
	assert.Equal(t, b, w.pid("b"))
}

func TestFinishThatGivesUpIsTold(t *testing.T) {
	t.Parallel()
	w := start(t)
	flag := filepath.Join(w.root, "healed")
	spec := w.probeAs("a", "test -e "+flag+" || exit 3", "exec sleep 1000000")
	spec.Finish = []string{"sh", "-c", `echo "$@" >"` + w.root + `/finished"; test "$1" != 3 || exit 125`, "finish"}
	w.declare(running(map[string]*s6.Spec{"a": spec}))
	w.await(fsm.PhaseDegraded, "a")
	s := w.snapshot("a")
	assert.Equal(t, "its finish command said not to start it again", s.Reason.Summary)
	assert.Contains(t, s.Reason.Evidence, "exited with 3 at ")
	args, err := os.ReadFile(filepath.Join(w.root, "finished"))
	require.NoError(t, err)
	assert.Equal(t, "3 0 a", strings.TrimSpace(string(args)))
	// One that has given up before it was seen to be there is asked once more.
	restarts := s.Observed.Restarts
	lasts(t, 1500*time.Millisecond, "it is left alone", func() bool {
		before := restarts
		restarts = w.snapshot("a").Observed.Restarts
		return restarts == before
	})
	assert.LessOrEqual(t, restarts, 2)

	// What was asked for anew is tried anew.
	require.NoError(t, os.WriteFile(flag, nil, 0o644))
	w.run(map[string]*s6.Spec{"a": version(spec, "2")})
	w.single("a")
}

func TestProcessThatIsNotReadyInTime(t *testing.T) {
	t.Parallel()
	w := start(t)
	flag := filepath.Join(w.root, "ready")
	spec := &s6.Spec{
		Command:      []string{"sleep", "1000000"},
		Ready:        s6.Readiness{Check: []string{"test", "-e", flag}},
		StartTimeout: 300 * time.Millisecond,
	}
	w.declare(running(map[string]*s6.Spec{"a": spec}))
	w.await(fsm.PhaseDegraded, "a")
	assert.Contains(t, []string{"it did not become ready in time", "its process is not ready"}, w.snapshot("a").Reason.Summary)
	eventually(t, patience, "it runs", func() bool { return w.snapshot("a").Observed.PID() != 0 })
	pid := w.pid("a")
	require.NoError(t, os.WriteFile(flag, nil, 0o644))
	w.await(fsm.PhaseRunning, "a")
	assert.Equal(t, pid, w.pid("a"), "it is not killed for being late")
}

func TestPausedProcessIsTold(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.run(map[string]*s6.Spec{"a": w.probe("a")})
	require.NoError(t, w.tree.Control(w.service("a"), supervise.CommandStop))
	eventually(t, patience, "it is degraded", func() bool {
		s := w.snapshot("a")
		return s.Phase == fsm.PhaseDegraded && s.Reason.Summary == "its process is paused"
	})
	require.NoError(t, w.tree.Control(w.service("a"), supervise.CommandCont))
	w.await(fsm.PhaseRunning, "a")
}

func TestServiceThatSomebodyTookDownIsBroughtUp(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.run(map[string]*s6.Spec{"a": w.probe("a")})
	first := w.pid("a")
	require.NoError(t, w.tree.Control(w.service("a"), supervise.CommandDown))
	eventually(t, patience, "it is up again", func() bool { return len(w.starts("a")) == 2 })
	w.await(fsm.PhaseRunning, "a")
	assert.NotEqual(t, first, w.pid("a"))
	w.single("a")
}
