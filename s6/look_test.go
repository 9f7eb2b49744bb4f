package s6_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/s6test"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

// TestTreeThatIsLookedAtDoesNothing: it shows what is there, beside the manager
// that has claimed it, and refuses every act.
func TestTreeThatIsLookedAtDoesNothing(t *testing.T) {
	inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
		settle(t, tree, map[string]desired{"a": {State: s6.Running, Spec: specA}})
		looked, a := s6.LookAt(tree), tree.Layout().Service("a")
		release, err := tree.Claim(s6.KindName)
		require.NoError(t, err)
		defer release()
		before, pid := list(t, tree.FS(), "/"), tree.Processes()
		require.NoError(t, looked.Served())
		want, err := tree.Status(a)
		require.NoError(t, err)
		got, err := looked.Status(a)
		require.NoError(t, err)
		assert.Equal(t, want, got)

		for what, err := range map[string]error{
			"control": looked.Control(a, supervise.CommandDown), "ready": looked.AnnounceReady(a, want.PID),
			"signal": looked.Signal(a, want.PID, syscall.SIGKILL), "group": looked.SignalGroup(a, want.PID, time.Time{}, syscall.SIGKILL),
			"remnant": looked.EndRemnant(a, s6.Sighting{}, want.PID, syscall.SIGKILL),
			"rescan":  looked.Rescan(), "prune": looked.Prune(), "nudge": looked.Nudge(),
		} {
			assert.ErrorIs(t, err, s6.ErrLook, what)
		}
		_, err = looked.Watch(a, nil)
		assert.ErrorIs(t, err, s6.ErrLook)
		fsys := looked.FS()
		for what, err := range map[string]error{
			"write": fsys.WriteFile(a+"/run", nil, 0o700), "replace": fsys.ReplaceFile(a+"/run", nil, 0o700),
			"mkdir": fsys.Mkdir(a+"/x", 0o700), "mkdirall": fsys.MkdirAll(a+"/x", 0o700), "symlink": fsys.Symlink(a, a+"/x"),
			"rename": fsys.Rename(a, a+"x"), "remove": fsys.Remove(a + "/run"), "removeall": fsys.RemoveAll(a),
		} {
			assert.ErrorIs(t, err, syscall.EROFS, what)
		}
		m, err := s6.NewManager(looked, fsm.Config{})
		require.NoError(t, err)
		require.NoError(t, m.Apply(t.Context(), nil))
		for range 20 {
			_ = m.Reconcile(t.Context()) // the snapshot tells
			pass(time.Second)
		}
		s, _ := m.Instance("a")
		assert.ErrorIs(t, s.Err, syscall.EROFS, "it is not removed")
		require.NoError(t, m.Close(t.Context()))
		pass(time.Minute)
		assert.Equal(t, before, list(t, tree.FS(), "/"))
		assert.Equal(t, pid, tree.Processes())
	})
}

// TestLook opens what is there, and makes nothing of what is not.
func TestLook(t *testing.T) {
	root, tools := t.TempDir(), t.TempDir()
	for _, tool := range []string{"svscan", "supervise", "log", "setlock", "envdir", "softlimit", "setuidgid", "notifyoncheck", "svstat", "svc"} {
		require.NoError(t, os.WriteFile(filepath.Join(tools, "s6-"+tool), []byte("#!/bin/sh\nexit 1\n"), 0o755))
	}
	config := s6.TreeConfig{
		ScanDir: root + "/scan", ServicesDir: root + "/services", LogsDir: root + "/logs", Tools: s6.Tools{Dir: tools},
	}
	tree, err := s6.Look(config)
	require.NoError(t, err)
	assert.ErrorIs(t, tree.Served(), supervise.ErrNotSupervised)
	m, err := s6.NewManager(tree, fsm.Config{})
	require.NoError(t, err)
	plan, err := m.Plan(t.Context(), map[string]desired{"a": {State: s6.Running, Spec: specA}})
	require.NoError(t, err)
	assert.Equal(t, []fsm.Change{{Name: "a", Kind: fsm.ChangeCreate, Why: "it is not there"}}, plan)
	require.NoError(t, m.Close(t.Context()))
	entries, err := os.ReadDir(root)
	require.NoError(t, err)
	assert.Empty(t, entries)

	require.NoError(t, os.Mkdir(root+"/services", 0o700))
	require.NoError(t, os.Chmod(root+"/services", 0o777))
	_, err = s6.Look(config)
	assert.ErrorContains(t, err, "others may write in "+root+"/services")
}

// TestLastRestart is told where it can be known.
func TestLastRestart(t *testing.T) {
	inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
		r, err := s6.LastRestart(tree, "a")
		require.NoError(t, err)
		assert.Zero(t, r, "it is not there")
		settle(t, tree, map[string]desired{"a": {State: s6.Running, Spec: specA}})
		pid := pidOf(tree, "a")
		r, err = s6.LastRestart(tree, "a")
		require.NoError(t, err)
		assert.Equal(t, s6.Restarted{PID: pid}, r, "it was not restarted")
		require.NoError(t, tree.Kill("a", syscall.SIGKILL))
		pass(time.Minute)
		r, err = s6.LastRestart(tree, "a")
		require.NoError(t, err)
		assert.Equal(t, pidOf(tree, "a"), r.PID)
		assert.Equal(t, 1, r.Restarts)
		assert.Greater(t, r.Took, time.Second)
		assert.Less(t, r.Took, 2*time.Second)

		settle(t, tree, map[string]desired{"a": {State: s6.Stopped, Spec: specA}})
		pass(time.Hour)
		r, err = s6.LastRestart(tree, "a")
		require.NoError(t, err)
		assert.Zero(t, r, "nothing runs")
		settle(t, tree, map[string]desired{"a": {State: s6.Running, Spec: specA}})
		r, err = s6.LastRestart(tree, "a")
		require.NoError(t, err)
		assert.Equal(t, s6.Restarted{PID: pidOf(tree, "a"), Restarts: 2}, r, "it had been stopped")
	})
}

// TestShow shows what is written for a service without secrets, and that one has
// become another.
func TestShow(t *testing.T) {
	inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
		spec := func(secret string) *s6.Spec {
			return &s6.Spec{
				Command: []string{"sleep", "--token", secret, "1"}, Env: map[string]string{"A": secret}, Note: secret,
				ConfigFiles: map[string]string{"c": secret, "d": secret}, Finish: []string{"sleep", "--token=" + secret},
			}
		}
		text := func(files []s6.ShownFile) string {
			var b strings.Builder
			for _, f := range files {
				b.WriteString("== " + f.Name + "\n" + f.Text)
			}
			return b.String()
		}
		was, is, err := s6.Show(tree, s6.KindName, "a", spec("geheim1"), nil)
		require.NoError(t, err)
		assert.Empty(t, was)
		assert.NotContains(t, text(is), "geheim")
		assert.NotContains(t, text(is), "(changed)")
		settle(t, tree, map[string]desired{"a": {State: s6.Running, Spec: spec("geheim1")}})
		was, same, err := s6.Show(tree, s6.KindName, "a", spec("geheim1"), nil)
		require.NoError(t, err)
		assert.Equal(t, is, was)
		assert.Equal(t, is, same)

		configs := func(s *s6.Spec, mask s6.MaskFunc) map[string]string {
			return map[string]string{"c": "known " + mask("x", s.ConfigFiles["c"], "***") + "\n", "other": "x"}
		}
		was, is, err = s6.Show(tree, s6.KindName, "a", spec("geheim2"), configs)
		require.NoError(t, err)
		assert.NotContains(t, text(was)+text(is), "geheim")
		assert.NotContains(t, text(was), "(changed)")
		for _, line := range []string{
			"== config/c\nknown *** (changed)\n", "== config/d\n*** (changed)\n", "== env/A\n*** (changed)\n",
			"--token '*** (changed)' 1", "'--token=*** (changed)'",
		} {
			assert.Contains(t, text(is), line)
		}
		_, is, err = s6.Show(tree, s6.KindName, "a", nil, nil)
		require.NoError(t, err)
		assert.Empty(t, is)
	})
}
