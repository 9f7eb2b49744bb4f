//go:build integration

package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/integration/harness"
	"github.com/evenkeel/evenkeel/s6"
)

func TestChange(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		change   func(*s6.Spec)
		restarts bool
		plan     fsm.ChangeKind
	}{
		{"nothing", func(*s6.Spec) {}, false, fsm.ChangeNone},
		{"log size", func(s *s6.Spec) { s.Log.FileSize = 8192 }, false, fsm.ChangeLive},
		{"log stamps", func(s *s6.Spec) { s.Log.TAI64N = true }, false, fsm.ChangeLive},
		{"note", func(s *s6.Spec) { s.Note = "another" }, false, fsm.ChangeLive},
		{"environment", func(s *s6.Spec) { s.Env["VERSION"] = "2" }, true, fsm.ChangeRestart},
		{"configuration file", func(s *s6.Spec) { s.ConfigFiles = map[string]string{"x": "2"} }, true, fsm.ChangeRestart},
		{"command", func(s *s6.Spec) { s.Command = append(s.Command, "more") }, true, fsm.ChangeRestart},
		{"limits", func(s *s6.Spec) { s.Limits.OpenFiles = 100 }, true, fsm.ChangeRestart},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := start(t)
			spec := w.slowProbe("a")
			w.run(map[string]*s6.Spec{"a": spec, "b": w.probe("b")})
			before, b, supervisor := w.pid("a"), w.pid("b"), w.supervisor(w.Service("a"))

			next := running(map[string]*s6.Spec{"a": with(spec, test.change), "b": w.probe("b")})
			ctx, cancel := w.Context()
			defer cancel()
			plan, err := w.Manager.Plan(ctx, next)
			require.NoError(t, err)
			require.Len(t, plan, 2)
			assert.Equal(t, test.plan, plan[0].Kind)
			w.Declare(next)
			w.Await(fsm.PhaseRunning, "a", "b")

			if test.restarts {
				assert.NotEqual(t, before, w.pid("a"))
				assert.Equal(t, []int{before, w.pid("a")}, w.starts("a"), "exactly one new process")
			} else {
				assert.Equal(t, before, w.pid("a"))
			}
			w.single("a")
			assert.Equal(t, supervisor, w.supervisor(w.Service("a")), "a change needs no new supervisor")
			assert.Equal(t, b, w.pid("b"))
			assert.NotContains(t, w.Passed("a"), s6.StateDegraded)
			assert.Equal(t, next["a"].Spec.Hash(), w.Snapshot("a").Observed.Hash)
		})
	}
}

func TestRevertedChangeEndsWithWhatWasAskedLast(t *testing.T) {
	t.Parallel()
	w := start(t)
	one := version(w.slowProbe("a"), "1")
	two := version(one, "2")
	w.run(map[string]*s6.Spec{"a": one})
	for round := range 5 {
		old, passed := w.pid("a"), len(w.Passed("a"))
		w.Declare(running(map[string]*s6.Spec{"a": two}))
		switch round {
		case 1, 2:
			harness.Eventually(t, "the change is under way", func() bool { return len(w.Passed("a")) > passed })
		case 3:
			harness.Eventually(t, "the process has ended", func() bool { return !harness.Alive(old) })
		case 4:
			w.Await(fsm.PhaseRunning, "a")
		}
		w.run(map[string]*s6.Spec{"a": one})
		w.runsAs("a", "1")
		w.single("a")
	}
}

func TestManyChangesAreAppliedOnce(t *testing.T) {
	t.Parallel()
	w := start(t)
	spec := w.slowProbe("a")
	w.run(map[string]*s6.Spec{"a": version(spec, "0")})
	for n := range 20 {
		w.Declare(running(map[string]*s6.Spec{"a": version(spec, fmt.Sprint(n))}))
	}
	w.Await(fsm.PhaseRunning, "a")
	w.runsAs("a", "19")
	w.single("a")
}

func TestSpoiltServiceDirectoryIsMended(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(t *testing.T, dir string){
		"run lost":  func(t *testing.T, dir string) { require.NoError(t, os.Remove(filepath.Join(dir, "run"))) },
		"hash lost": func(t *testing.T, dir string) { require.NoError(t, os.Remove(filepath.Join(dir, "data/hash"))) },
		"env changed": func(t *testing.T, dir string) {
			require.NoError(t, os.WriteFile(filepath.Join(dir, "env/PROBE"), nil, 0o600))
		},
		"timeout lost":    func(t *testing.T, dir string) { require.NoError(t, os.Remove(filepath.Join(dir, "timeout-kill"))) },
		"log script lost": func(t *testing.T, dir string) { require.NoError(t, os.Remove(filepath.Join(dir, "log/run"))) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := start(t)
			spec := w.probe("a")
			w.run(map[string]*s6.Spec{"a": spec})
			pid, dir := w.pid("a"), w.Service("a")
			w.Leave()
			spoil(t, dir)
			w.Open()
			w.manage()
			w.run(map[string]*s6.Spec{"a": spec})
			assert.Equal(t, pid, w.pid("a"), "the process has no part in it")
			harness.Slay(t, pid)
			harness.Eventually(t, "it is back", func() bool { return len(w.starts("a")) == 2 })
			w.Await(fsm.PhaseRunning, "a")
			w.single("a")
		})
	}
}
