//go:build integration

package integration

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/s6"
)

func TestShutdownEndsEverythingAndKeepsTheLogs(t *testing.T) {
	t.Parallel()
	w := start(t)
	specs := map[string]*s6.Spec{"deaf": w.deafProbe("deaf"), "slow": w.slowProbe("slow"), "counting": w.counting("counting")}
	specs["deaf"].StopTimeout = 400 * time.Millisecond
	last := w.probeAs("last", "trap 'echo the last words; exit 0' TERM", runsUntilTrapped)
	specs["last"] = last
	w.run(specs)
	pid := w.pid("counting")
	w.unmanage()
	ctx, cancel := w.context()
	defer cancel()
	began := time.Now()
	require.NoError(t, w.tree.Shutdown(ctx))
	t.Log("shutdown took", time.Since(began))
	noneLeft(t, w.root)
	assert.Equal(t, []string{"the last words"}, w.texts("last"), "loggers read to the end")
	assert.Positive(t, w.complete("counting", w.texts("counting")))

	// What was up is up again with the tree, before anybody manages it.
	require.NoError(t, w.tree.Close())
	w.open()
	eventually(t, patience, "it runs again", func() bool {
		status, err := w.tree.Status(w.service("counting"))
		return err == nil && status.Ready && status.Up() && len(w.starts("counting")) == 2
	})
	assert.NotEqual(t, pid, w.pid("counting"))
	w.manage()
	w.run(specs)
	for name := range specs {
		w.single(name)
		assert.Len(t, w.starts(name), 2, name)
	}
}

func TestShutdownThatIsGivenTooLittleTimeSaysWhatRuns(t *testing.T) {
	t.Parallel()
	w := start(t)
	spec := w.deafProbe("deaf")
	spec.StopTimeout = 8 * time.Second
	w.run(map[string]*s6.Spec{"deaf": spec, "a": w.probe("a")})
	w.unmanage()
	short, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	err := w.tree.Shutdown(short)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	assert.ErrorContains(t, err, fmt.Sprintf("the supervisor of %s (pid %d)", filepath.Join(w.config.ScanDir, "deaf"), w.supervisor(w.service("deaf"))))
	assert.NotContains(t, err.Error(), filepath.Join(w.config.ScanDir, "a"))
	ctx, cancel := w.context()
	defer cancel()
	require.NoError(t, w.tree.Shutdown(ctx), "it may be called again")
	noneLeft(t, w.root)
}

// To be told again would give a deaf process as much time once more.
func TestShutdownKillsWhatIsDeafInItsTime(t *testing.T) {
	t.Parallel()
	w := start(t)
	spec := w.deafProbe("deaf")
	spec.StopTimeout = 5 * time.Second
	w.run(map[string]*s6.Spec{"deaf": spec})
	w.unmanage()
	ctx, cancel := w.context()
	defer cancel()
	require.NoError(t, w.tree.Shutdown(ctx))
	noneLeft(t, w.root)
}
