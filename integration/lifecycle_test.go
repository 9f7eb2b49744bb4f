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
			assert.Equal(t, first, w.snapshot("a").Observed.PID())
			link, err := os.Readlink(filepath.Join(w.config.ScanDir, "a"))
			require.NoError(t, err)
			assert.Equal(t, w.service("a"), link)

			w.declare(desired{"a": {State: s6.Stopped, Spec: spec}})
			w.await(fsm.PhaseStopped, "a")
			gone(t, first)
			assert.FileExists(t, filepath.Join(w.service("a"), "down"))
			assert.NotZero(t, w.supervisor(w.service("a")), "a stopped service stays supervised")

			w.run(map[string]*s6.Spec{"a": spec})
			second := w.pid("a")
			assert.NotEqual(t, first, second)
			assert.NoFileExists(t, filepath.Join(w.service("a"), "down"))
			assert.Equal(t, []int{first, second}, w.starts("a"))
			w.single("a")

			service, log := w.service("a"), w.tree.Layout().Log("a")
			w.declare(nil)
			w.await(fsm.PhaseRemoved, "a")
			gone(t, second)
			assert.False(t, exists(t, service))
			assert.False(t, exists(t, filepath.Join(w.config.ScanDir, "a")))
			assert.Empty(t, w.leftovers())
			eventually(t, patience, "s6-svscan alone is left", func() bool {
				left := processesOf(w.root)
				return len(left) == 1 && left[0].Is("s6-svscan")
			})
			if logsGo {
				assert.False(t, exists(t, log))
				return
			}
			data, err := os.ReadFile(filepath.Join(log, "current"))
			require.NoError(t, err)
			assert.Regexp(t, `^\S+ \S+  hello\n\S+ \S+  hello\n$`, string(data))
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
	w.declare(half)
	for n := range 8 {
		name := fmt.Sprintf("service-%d", n)
		switch n % 4 {
		case 0:
			w.await(fsm.PhaseStopped, name)
			gone(t, pids[name])
		case 1:
			w.await(fsm.PhaseRemoved, name)
			gone(t, pids[name])
		default:
			w.await(fsm.PhaseRunning, name)
			assert.Equal(t, pids[name], w.pid(name), name)
		}
	}
	w.declare(nil)
	for name := range specs {
		w.await(fsm.PhaseRemoved, name)
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
		w.declare(nil)
		eventually(t, patience, "its removal is under way", func() bool {
			s, there := w.services.Instance("a")
			return !there || s.Phase != fsm.PhaseRunning
		})
		w.run(map[string]*s6.Spec{"a": spec})
		assert.NotEqual(t, old, w.pid("a"))
		w.single("a")
	}
	// Later: what supervised it is ending while it is declared again.
	w.declare(nil)
	eventually(t, patience, "its directory is being removed", func() bool {
		s, ok := w.services.Instance("a")
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
	err := w.services.Apply(context.Background(), running(map[string]*s6.Spec{
		"a": bad, "b": version(specs["b"], "2"), "../c": specs["a"],
	}))
	require.ErrorIs(t, err, s6.ErrSpec)
	require.ErrorIs(t, err, fsm.ErrName)
	assert.ErrorContains(t, err, "stopSignal")
	w.await(fsm.PhaseRunning, "a", "b")
	assert.Equal(t, a, w.pid("a"))
	assert.NotEqual(t, b, w.pid("b"), "the others are applied")
	assert.False(t, exists(t, filepath.Join(w.root, "c")))
}

func TestForeignServicesAreLeftAlone(t *testing.T) {
	t.Parallel()
	w := start(t)
	other := filepath.Join(w.root, "other")
	require.NoError(t, os.MkdirAll(other, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(other, "run"), []byte("#!/bin/sh\nexec sleep 1000000\n"), 0o755))
	require.NoError(t, os.Symlink(other, filepath.Join(w.config.ScanDir, "other")))
	require.NoError(t, w.tree.Rescan())
	w.run(map[string]*s6.Spec{"a": w.probe("a")})
	eventually(t, patience, "the foreign service runs", func() bool {
		s, err := w.tree.Status(other)
		return err == nil && s.Up()
	})

	ctx, cancel := w.context()
	defer cancel()
	taken := running(map[string]*s6.Spec{"other": w.probe("other"), "a": w.probe("a")})
	require.NoError(t, w.services.Apply(ctx, taken))
	eventually(t, patience, "the clash is told", func() bool {
		s := w.snapshot("other")
		return s.Err != nil && assert.ErrorContains(t, s.Err, "another service has the name")
	})
	w.declare(nil)
	w.await(fsm.PhaseRemoved, "a")
	s, err := w.tree.Status(other)
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
		w.declare(running(map[string]*s6.Spec{"a": spec}))
		link := filepath.Join(w.config.ScanDir, "a")
		eventually(t, patience, "it is linked", func() bool { return exists(t, link) })
		for began := time.Now(); time.Since(began) < time.Duration(n)*100*time.Microsecond; {
			_, _ = os.Lstat(link)
		}
		w.declare(nil)
		w.await(fsm.PhaseRemoved, "a")
		eventually(t, patience, "nothing of it runs", func() bool { return len(processesOf(w.root)) == 1 })
		assert.Empty(t, w.leftovers())
	}
	assert.NoFileExists(t, filepath.Join(w.root, "probes", "a", "doubles"))
}
