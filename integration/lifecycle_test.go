//go:build integration

package integration

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/integration/harness"
	"github.com/evenkeel/evenkeel/s6"
)

func TestServiceIsCreatedStoppedStartedAndRemoved(t *testing.T) {
	t.Parallel()
	for _, logsGo := range []bool{false, true} {
		t.Run(fmt.Sprintf("RemoveWithService=%v", logsGo), func(t *testing.T) {
			t.Parallel()
			w := start(t)
			spec := w.probeAs("a", "echo hello", "exec sleep 1000000")
			spec.Log.RemoveWithService = logsGo

			w.run(map[string]*s6.Spec{"a": spec})
			first := w.pid("a")
			assert.Equal(t, first, w.Snapshot("a").Observed.PID())
			link, err := os.Readlink(filepath.Join(w.Config.ScanDir, "a"))
			require.NoError(t, err)
			assert.Equal(t, w.Service("a"), link)

			w.Declare(desired{"a": {State: s6.Stopped, Spec: spec}})
			w.Await(fsm.PhaseStopped, "a")
			harness.Gone(t, first)
			assert.FileExists(t, filepath.Join(w.Service("a"), "down"))
			assert.NotZero(t, w.supervisor(w.Service("a")), "a stopped service stays supervised")

			w.run(map[string]*s6.Spec{"a": spec})
			second := w.pid("a")
			assert.NotEqual(t, first, second)
			assert.NoFileExists(t, filepath.Join(w.Service("a"), "down"))
			assert.Equal(t, []int{first, second}, w.starts("a"))
			w.single("a")

			service, log := w.Service("a"), w.Tree.Layout().Log("a")
			w.Declare(nil)
			w.Await(fsm.PhaseRemoved, "a")
			harness.Gone(t, second)
			assert.False(t, harness.Exists(t, service))
			assert.False(t, harness.Exists(t, filepath.Join(w.Config.ScanDir, "a")))
			assert.Empty(t, w.leftovers())
			harness.Eventually(t, "s6-svscan alone is left", func() bool {
				left := harness.ProcessesOf(w.Root)
				return len(left) == 1 && left[0].Is("s6-svscan")
			})
			if logsGo {
				assert.False(t, harness.Exists(t, log))
				return
			}
			data, err := os.ReadFile(filepath.Join(log, "current"))
			require.NoError(t, err)
			assert.Regexp(t, `^@\S+ \S+ \S+  hello\n@\S+ \S+ \S+  hello\n$`, string(data))
		})
	}
}

func TestSeveralServicesAtOnce(t *testing.T) {
	t.Parallel()
	w := start(t)
	specs := make(map[string]*s6.Spec)
	for n := range 8 {
		name := fmt.Sprintf("service-%d", n)
		specs[name] = w.probe(name)
	}
	w.run(specs)
	pids := make(map[string]int)
	for name := range specs {
		w.single(name)
		pids[name] = w.pid(name)
	}

	half := running(specs)
	for n := range 8 {
		name := fmt.Sprintf("service-%d", n)
		switch n % 4 {
		case 0:
			half[name] = fsm.Desired[*s6.Spec]{State: s6.Stopped, Spec: specs[name]}
		case 1:
			delete(half, name)
		}
	}
	w.Declare(half)
	for n := range 8 {
		name := fmt.Sprintf("service-%d", n)
		switch n % 4 {
		case 0:
			w.Await(fsm.PhaseStopped, name)
			harness.Gone(t, pids[name])
		case 1:
			w.Await(fsm.PhaseRemoved, name)
			harness.Gone(t, pids[name])
		default:
			w.Await(fsm.PhaseRunning, name)
			assert.Equal(t, pids[name], w.pid(name), name)
		}
	}
	w.Declare(nil)
	for name := range specs {
		w.Await(fsm.PhaseRemoved, name)
	}
	assert.Empty(t, w.leftovers())
}

func TestDeclaredAgainDuringRemoval(t *testing.T) {
	t.Parallel()
	w := start(t)
	spec := w.slowProbe("a")
	for range 3 {
		w.run(map[string]*s6.Spec{"a": spec})
		old := w.pid("a")
		w.Declare(nil)
		harness.Eventually(t, "its removal is under way", func() bool {
			s, there := w.Manager.Instance("a")
			return !there || s.Phase != fsm.PhaseRunning
		})
		w.run(map[string]*s6.Spec{"a": spec})
		assert.NotEqual(t, old, w.pid("a"))
		w.single("a")
	}
	// Later: what supervised it is ending while it is declared again.
	w.Declare(nil)
	harness.Eventually(t, "its directory is being removed", func() bool {
		s, ok := w.Manager.Instance("a")
		return !ok || s.Phase == fsm.PhaseRemoving || s.Phase == fsm.PhaseRemoved
	})
	w.run(map[string]*s6.Spec{"a": spec})
	w.single("a")
	assert.Empty(t, w.leftovers())
}

func TestBadSpecIsRefusedAndTheOldGoesOn(t *testing.T) {
	t.Parallel()
	w := start(t)
	specs := map[string]*s6.Spec{"a": w.probe("a"), "b": w.probe("b")}
	w.run(specs)
	a, b := w.pid("a"), w.pid("b")

	bad := with(specs["a"], func(s *s6.Spec) { s.StopSignal = "WHATEVER" })
	err := w.Manager.Apply(context.Background(), running(map[string]*s6.Spec{
		"a": bad, "b": version(specs["b"], "2"), "../c": specs["a"],
	}))
	require.ErrorIs(t, err, s6.ErrSpec)
	require.ErrorIs(t, err, fsm.ErrName)
	assert.ErrorContains(t, err, "stopSignal")
	w.Await(fsm.PhaseRunning, "a", "b")
	assert.Equal(t, a, w.pid("a"))
	assert.NotEqual(t, b, w.pid("b"), "the others are applied")
	assert.False(t, harness.Exists(t, filepath.Join(w.Root, "c")))
}

func TestForeignServicesAreLeftAlone(t *testing.T) {
	t.Parallel()
	w := start(t)
	other := filepath.Join(w.Root, "other")
	require.NoError(t, os.MkdirAll(other, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(other, "run"), []byte("#!/bin/sh\nexec sleep 1000000\n"), 0o755))
	require.NoError(t, os.Symlink(other, filepath.Join(w.Config.ScanDir, "other")))
	require.NoError(t, w.Tree.Rescan())
	w.run(map[string]*s6.Spec{"a": w.probe("a")})
	harness.Eventually(t, "the foreign service runs", func() bool {
		s, err := w.Tree.Status(other)
		return err == nil && s.Up()
	})

	ctx, cancel := w.Context()
	defer cancel()
	taken := running(map[string]*s6.Spec{"other": w.probe("other"), "a": w.probe("a")})
	require.NoError(t, w.Manager.Apply(ctx, taken))
	harness.Eventually(t, "the clash is told", func() bool {
		s := w.Snapshot("other")
		return s.Err != nil && assert.ErrorContains(t, s.Err, "another service has the name")
	})
	w.Declare(nil)
	w.Await(fsm.PhaseRemoved, "a")
	s, err := w.Tree.Status(other)
	require.NoError(t, err)
	assert.True(t, s.Up())
	assert.Empty(t, w.starts("other"))
}

// What s6-svscan is about to start when a service is removed does not stay.
func TestRemovalRightAfterCreation(t *testing.T) {
	t.Parallel()
	w := start(t)
	spec := w.probe("a")
	for n := range 40 {
		w.Declare(running(map[string]*s6.Spec{"a": spec}))
		link := filepath.Join(w.Config.ScanDir, "a")
		harness.Eventually(t, "it is linked", func() bool { return harness.Exists(t, link) })
		harness.Pause(t, time.Duration(n)*100*time.Microsecond, "s6-svscan is at work")
		w.Declare(nil)
		w.Await(fsm.PhaseRemoved, "a")
		harness.Eventually(t, "nothing of it runs", func() bool { return len(harness.ProcessesOf(w.Root)) == 1 })
		assert.Empty(t, w.leftovers())
	}
	assert.NoFileExists(t, filepath.Join(w.Root, "probes", "a", "doubles"))
}
