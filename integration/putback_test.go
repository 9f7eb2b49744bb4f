//go:build integration

package integration

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/integration/harness"
	"github.com/evenkeel/evenkeel/s6"
)

// TestWhatWasLookedAtOnceIsLookedAtAgain: what is missing is put back, without
// the process.
func TestWhatWasLookedAtOnceIsLookedAtAgain(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(t *testing.T, w *world){
		"rm run": func(t *testing.T, w *world) {
			require.NoError(t, os.Remove(filepath.Join(w.Service("a"), "run")))
		},
		"chmod -x run": func(t *testing.T, w *world) {
			require.NoError(t, os.Chmod(filepath.Join(w.Service("a"), "run"), 0o600))
		},
		"rm -rf log": func(t *testing.T, w *world) { removeAll(t, filepath.Join(w.Service("a"), "log")) },
		"mv log": func(t *testing.T, w *world) {
			require.NoError(t, os.Rename(filepath.Join(w.Service("a"), "log"), filepath.Join(w.Root, "moved")))
		},
		"rm log's lock":   func(t *testing.T, w *world) { removeAll(t, filepath.Join(w.Service("a"), "log", "supervise")) },
		"rm -rf logs/a":   func(t *testing.T, w *world) { removeAll(t, w.Log("a")) },
		"rm -rf all logs": func(t *testing.T, w *world) { removeAll(t, w.Config.LogsDir) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := start(t)
			specs := map[string]*s6.Spec{"a": w.probeAs("a", "", "while :; do echo tick; sleep 0.05 9>&-; done")}
			w.run(specs)
			before := w.pid("a")
			harness.Eventually(t, "its log", func() bool { return harness.Exists(t, filepath.Join(w.Log("a"), "current")) })
			supervisor := w.supervisor(filepath.Join(w.Service("a"), "log"))
			damage(t, w)
			harness.Eventually(t, "all is put back", func() bool {
				info, err := os.Stat(filepath.Join(w.Service("a"), "run"))
				_, logErr := os.Stat(filepath.Join(w.Service("a"), "log", "run"))
				status, statusErr := w.Tree.Status(filepath.Join(w.Service("a"), "log"))
				holder, holderErr := w.Tree.Logger("a")
				return err == nil && info.Mode().Perm() == 0o700 && logErr == nil && statusErr == nil && holderErr == nil &&
					status.Ready && holder.PID == status.PID && harness.Exists(t, filepath.Join(w.Log("a"), "current"))
			})
			if strings.HasSuffix(name, "log") || strings.HasSuffix(name, "log's lock") {
				harness.Gone(t, supervisor)
			}
			w.Await(fsm.PhaseRunning, "a")
			assert.Equal(t, before, w.pid("a"), "the process is spared")
			w.single("a")
			info, err := os.Stat(filepath.Join(w.Log("a"), "current"))
			require.NoError(t, err)
			harness.Eventually(t, "lines arrive", func() bool {
				now, err := os.Stat(filepath.Join(w.Log("a"), "current"))
				return err == nil && (now.Size() > info.Size() || !os.SameFile(now, info))
			})
		})
	}
}

// TestDeletedSuperviseDirectory: the supervisor cannot be asked anything any
// more, and cannot be replaced while its process runs.
func TestDeletedSuperviseDirectory(t *testing.T) {
	t.Parallel()
	for name, adopted := range map[string]bool{"while a program runs": false, "before it is adopted": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := start(t)
			specs := map[string]*s6.Spec{"a": w.probeAs("a", "trap 'sleep 2 9>&-; exit 0' TERM", runsUntilTrapped)}
			w.run(specs)
			before := w.pid("a")
			if adopted {
				w.Unmanage()
			}
			removeAll(t, filepath.Join(w.Service("a"), "supervise"))
			if adopted {
				w.manage()
				w.Declare(running(specs))
			}
			harness.Gone(t, before)
			harness.Eventually(t, "another supervisor serves it", func() bool {
				status, err := w.Tree.Status(w.Service("a"))
				return err == nil && status.Up() && w.supervisor(w.Service("a")) != 0
			})
			w.Await(fsm.PhaseRunning, "a")
			w.single("a")
			assert.Len(t, w.starts("a"), 2, "one other process")
		})
	}
}
