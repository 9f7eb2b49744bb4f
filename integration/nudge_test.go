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
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/integration/harness"
	"github.com/evenkeel/evenkeel/internal/proc"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

// nudged lists what is in the scan directory apart from s6's own files and
// links to services.
func (w *world) nudged() (names []string) {
	w.T.Helper()
	entries, err := os.ReadDir(w.Config.ScanDir)
	require.NoError(w.T, err)
	for _, e := range entries {
		if e.IsDir() && e.Name() != ".s6-svscan" {
			names = append(names, e.Name())
		}
	}
	return names
}

// supervisors lists the s6-supervise processes of the world.
func (w *world) supervisors() []proc.Process { return harness.Running(w.Root, "s6-supervise") }

func TestNudgeTouchesNothing(t *testing.T) {
	t.Parallel()
	w := start(t)
	specs := map[string]*s6.Spec{"a": w.probe("a"), "b": w.slowProbe("b")}
	w.run(specs)
	a, b := w.pid("a"), w.pid("b")
	scanner := w.svscan()
	for range 3 {
		harness.Stop(t, scanner)
		// While a nudge is under way, the last one included, there is no other.
		harness.Eventually(t, "it is shown", func() bool {
			require.NoError(t, w.Tree.Nudge())
			names := w.nudged()
			return len(names) == 1 && strings.HasPrefix(names[0], "evenkeel-nudge-")
		})
		harness.Kill(t, scanner, syscall.SIGCONT)
		harness.Eventually(t, "it is over", func() bool { return len(w.nudged()) == 0 && len(w.supervisors()) == 4 })
	}
	assert.Equal(t, a, w.pid("a"))
	assert.Equal(t, b, w.pid("b"))

	require.NoError(t, w.Tree.Nudge())
	w.Leave()
	// A nudge that takes longer than a leaving program waits is ended by the
	// next program.
	w.Open()
	harness.Eventually(t, "it is over", func() bool { return len(w.nudged()) == 0 && len(w.supervisors()) == 4 })
}

func TestNudgeOfAProgramThatWasKilled(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Open()
	own := fmt.Sprintf("evenkeel-nudge-%08x-", crc32.ChecksumIEEE([]byte(w.Config.ServicesDir)))
	const anothers = "evenkeel-nudge-01234567-1"
	for _, name := range []string{own + "1", own + "2", "." + own + "3", anothers} {
		dir := filepath.Join(w.Config.ScanDir, name)
		require.NoError(t, os.Mkdir(dir, 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(dir, "down"), nil, 0o644))
	}
	require.NoError(t, w.Tree.Rescan())
	harness.Eventually(t, "they are supervised", func() bool { return len(w.supervisors()) == 3 })
	w.Leave()
	w.Open()
	harness.Eventually(t, "what was left is cleared away", func() bool {
		return slices.Equal(w.nudged(), []string{anothers}) && len(w.supervisors()) == 1
	})
}

// A tree is closed while s6-svscan reacts to nothing.
func TestNudgeHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Open()
	scanner := w.svscan()
	harness.Stop(t, scanner)
	require.NoError(t, w.Tree.Nudge())
	w.Leave()
	assert.Empty(t, w.nudged())
	harness.Kill(t, scanner, syscall.SIGCONT)
	w.Open()
	harness.Holds(t, 500*time.Millisecond, "nothing is supervised", func() bool { return len(w.supervisors()) == 0 })
}

func TestNudgeNeedsSomebodyWhoServes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Open()
	ctx, cancel := w.Context()
	defer cancel()
	require.NoError(t, w.Tree.Shutdown(ctx))
	assert.ErrorIs(t, w.Tree.Nudge(), supervise.ErrNotSupervised)
	assert.Empty(t, w.nudged())
}

// A link that leads nowhere keeps some versions from starting anything. In a
// tree that is not private, whoever made the link has to remove it.
func TestLinkOfAnotherThatLeadsNowhereIsNamed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Open()
	require.NoError(t, w.Tree.Close())
	var err error
	w.Tree, err = s6.Attach(w.Config)
	require.NoError(t, err)
	own, other := filepath.Join(w.Config.ScanDir, "own"), filepath.Join(w.Config.ScanDir, "other")
	require.NoError(t, os.Symlink(w.Service("own"), own))
	require.NoError(t, w.Tree.Nudge())
	assert.False(t, harness.Exists(t, own))
	harness.Eventually(t, "it is over", func() bool { return len(w.nudged()) == 0 })
	require.NoError(t, os.Symlink(filepath.Join(w.Root, "nowhere"), other))
	harness.Eventually(t, "it is told, when the last one is quite over", func() bool {
		err = w.Tree.Nudge()
		return err != nil
	})
	require.ErrorContains(t, err, other+" leads nowhere")
	assert.True(t, strings.HasSuffix(err.Error(), "remove it"))
	assert.True(t, harness.Exists(t, other))
	require.NoError(t, os.Remove(other))
}
