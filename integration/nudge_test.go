//go:build integration

package integration

import (
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/internal/proc"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

// nudged lists what the scan directory holds besides s6's own and links to
// services.
func (w *world) nudged() (names []string) {
	w.t.Helper()
	entries, err := os.ReadDir(w.config.ScanDir)
	require.NoError(w.t, err)
	for _, e := range entries {
		if e.IsDir() && e.Name() != ".s6-svscan" {
			names = append(names, e.Name())
		}
	}
	return names
}

// supervisorsOf lists the s6-supervise processes in a directory.
func supervisorsOf(root string) (found []proc.Process) {
	for _, p := range processesOf(root) {
		if p.Is("s6-supervise") {
			found = append(found, p)
		}
	}
	return found
}

func TestNudgeTouchesNothing(t *testing.T) {
	t.Parallel()
	w := start(t)
	specs := map[string]*s6.Spec{"a": w.probe("a"), "b": w.slowProbe("b")}
	w.run(specs)
	a, b := w.pid("a"), w.pid("b")
	scanner := w.svscan()
	for range 3 {
		kill(t, scanner, syscall.SIGSTOP)
		// While one is under way, the last one too, there is no other.
		eventually(t, patience, "it is shown", func() bool {
			require.NoError(t, w.tree.Nudge())
			names := w.nudged()
			return len(names) == 1 && strings.HasPrefix(names[0], "evenkeel-nudge-")
		})
		kill(t, scanner, syscall.SIGCONT)
		eventually(t, patience, "it is over", func() bool { return len(w.nudged()) == 0 && len(supervisorsOf(w.root)) == 4 })
	}
	assert.Equal(t, a, w.pid("a"))
	assert.Equal(t, b, w.pid("b"))

	require.NoError(t, w.tree.Nudge())
	w.leave()
	// Where it takes longer than a program that leaves waits, the next one ends it.
	w.open()
	eventually(t, patience, "it is over", func() bool { return len(w.nudged()) == 0 && len(supervisorsOf(w.root)) == 4 })
}

func TestNudgeOfAProgramThatWasKilled(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.open()
	own := fmt.Sprintf("evenkeel-nudge-%08x-", crc32.ChecksumIEEE([]byte(w.config.ServicesDir)))
	const anothers = "evenkeel-nudge-01234567-1"
	for _, name := range []string{own + "1", own + "2", "." + own + "3", anothers} {
		dir := filepath.Join(w.config.ScanDir, name)
		require.NoError(t, os.Mkdir(dir, 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(dir, "down"), nil, 0o644))
	}
	require.NoError(t, w.tree.Rescan())
	eventually(t, patience, "they are supervised", func() bool { return len(supervisorsOf(w.root)) == 3 })
	w.leave()
	w.open()
	eventually(t, patience, "what was left is cleared away", func() bool {
		return slices.Equal(w.nudged(), []string{anothers}) && len(supervisorsOf(w.root)) == 1
	})
}

// A tree is closed while s6-svscan takes no notice of anything.
func TestNudgeHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.open()
	scanner := w.svscan()
	kill(t, scanner, syscall.SIGSTOP)
	require.NoError(t, w.tree.Nudge())
	w.leave()
	assert.Empty(t, w.nudged())
	kill(t, scanner, syscall.SIGCONT)
	w.open()
	assert.Empty(t, supervisorsOf(w.root))
}

func TestNudgeNeedsSomebodyWhoServes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.open()
	ctx, cancel := w.context()
	defer cancel()
	require.NoError(t, w.tree.Shutdown(ctx))
	assert.ErrorIs(t, w.tree.Nudge(), supervise.ErrNotSupervised)
	assert.Empty(t, w.nudged())
}

// A link that leads nowhere keeps some versions from starting anything. In a
// tree that is not private it is for whoever made it to remove.
func TestLinkOfAnotherThatLeadsNowhereIsNamed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.open()
	require.NoError(t, w.tree.Close())
	var err error
	w.tree, err = s6.Attach(w.config)
	require.NoError(t, err)
	own, other := filepath.Join(w.config.ScanDir, "own"), filepath.Join(w.config.ScanDir, "other")
	require.NoError(t, os.Symlink(w.service("own"), own))
	require.NoError(t, w.tree.Nudge())
	assert.False(t, exists(t, own))
	eventually(t, patience, "it is over", func() bool { return len(w.nudged()) == 0 })
	require.NoError(t, os.Symlink(filepath.Join(w.root, "nowhere"), other))
	eventually(t, patience, "it is told, when the last one is quite over", func() bool {
		err = w.tree.Nudge()
		return err != nil
	})
	require.ErrorContains(t, err, other+" leads nowhere")
	assert.True(t, strings.HasSuffix(err.Error(), "remove it"))
	assert.True(t, exists(t, other))
	require.NoError(t, os.Remove(other))
}
