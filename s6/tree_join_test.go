package s6

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/evenkeel/evenkeel/s6/supervise"
)

// newScanned returns a tree with so many links, and what has been written since
// for its s6-svscan, of which there is none, but for its end of the FIFO.
func newScanned(t *testing.T, links int) (tree *SystemTree, told func() string) {
	t.Helper()
	dir := t.TempDir()
	tree = &SystemTree{layout: Layout{ScanDir: dir, ServicesDir: filepath.Join(dir, ".services")}}
	require.NoError(t, os.Mkdir(filepath.Dir(tree.layout.scanControl()), 0o700))
	require.NoError(t, unix.Mkfifo(tree.layout.scanControl(), 0o600))
	fd, err := unix.Open(tree.layout.scanControl(), unix.O_RDONLY|unix.O_NONBLOCK, 0)
	require.NoError(t, err)
	t.Cleanup(func() { unix.Close(fd) })
	for n := range links {
		name := fmt.Sprint("s", n)
		require.NoError(t, os.Symlink(tree.layout.Service(name), tree.layout.Link(name)))
	}
	return tree, func() string {
		var commands [64]byte
		n, err := unix.Read(fd, commands[:])
		if err == unix.EAGAIN {
			return ""
		}
		require.NoError(t, err)
		return string(commands[:max(n, 0)])
	}
}

func TestScansAreJoined(t *testing.T) {
	tree, told := newScanned(t, 1000)
	synctest.Test(t, func(t *testing.T) {
		for range 50 {
			require.NoError(t, tree.Rescan())
		}
		assert.Equal(t, "a", told(), "the first is asked for at once")
		require.NoError(t, tree.Prune())
		require.NoError(t, tree.Rescan())
		time.Sleep(longestScanPause)
		synctest.Wait()
		assert.Equal(t, "an", told(), "the others are one")
		require.NoError(t, tree.Rescan())
		time.Sleep(longestScanPause)
		synctest.Wait()
		assert.Equal(t, "a", told(), "what has been pruned is not pruned again")
		time.Sleep(time.Hour)
		assert.Empty(t, told())
		require.NoError(t, tree.Prune())
		assert.Equal(t, "an", told(), "one alone waits for nothing")
	})
}

func TestScanThatWaitsIsNotLost(t *testing.T) {
	tree, told := newScanned(t, 1000)
	synctest.Test(t, func(t *testing.T) {
		require.NoError(t, tree.Rescan())
		require.NoError(t, tree.Prune())
		assert.Equal(t, "a", told())
		tree.scanNext() // as Close does
		assert.Equal(t, "an", told())
		time.Sleep(time.Hour)
		assert.Empty(t, told(), "it is asked for once")
	})
}

func TestNoScanFollowsOnTheEnd(t *testing.T) {
	tree, told := newScanned(t, 1000)
	synctest.Test(t, func(t *testing.T) {
		require.NoError(t, tree.Rescan())
		require.NoError(t, tree.Prune())
		asked := time.Now()
		require.NoError(t, tree.calm(t.Context()))
		assert.Equal(t, scanTime, time.Since(asked))
		time.Sleep(time.Hour)
		assert.Equal(t, "a", told())
	})
}

func TestScanThatWaitsNeedsSomebodyWhoServes(t *testing.T) {
	tree, _ := newScanned(t, 1000)
	require.NoError(t, tree.Rescan())
	require.NoError(t, os.Remove(tree.layout.scanControl()))
	require.ErrorIs(t, tree.Rescan(), supervise.ErrNotSupervised)
	tree.forgetScan()
}
