package s6test_test

import (
	"path"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/s6/s6test"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

func TestScan(t *testing.T) {
	for _, version := range []s6test.Version{s6test.V211, s6test.V213, s6test.V215} {
		inWorld(t, s6test.Config{Version: version}, func(w *world) {
			hidden := w.serve(".hidden", nil)
			assert.False(t, w.supervised(hidden))
			require.NoError(t, w.FS().Symlink("/nowhere", w.Layout().Link("b")))
			dir := w.serve("a", map[string]string{"log/run": "#!/bin/sh\nexec 2>&1\nexec s6-log /data/logs/a\n"})
			assert.Equal(t, version == s6test.V211, w.supervised(dir), "a dangling link aborts scans, but not in 2.11")
			require.NoError(t, w.FS().Remove(w.Layout().Link("b")))
			pass(5 * time.Second)
			assert.Equal(t, version == s6test.V211, w.supervised(dir), "what an aborted scan came upon is not new to the next")
			require.NoError(t, w.Nudge())
			pass(time.Second)
			assert.True(t, w.supervised(dir))
			assert.True(t, w.supervised(path.Join(dir, "log")))

			require.NoError(t, w.FS().Remove(w.Layout().Link("a")))
			require.NoError(t, w.Rescan())
			pass(time.Second)
			assert.True(t, w.supervised(dir), "a scan ends nothing")
			require.NoError(t, w.Prune())
			pass(100 * time.Millisecond)
			assert.False(t, w.supervised(dir))
			assert.False(t, w.supervised(path.Join(dir, "log")))
			assert.Empty(t, w.Processes())
		})
	}
}

func TestTerminate(t *testing.T) {
	for _, version := range []s6test.Version{s6test.V211, s6test.V213} {
		inWorld(t, s6test.Config{Version: version}, func(w *world) {
			dir := w.serve("a", map[string]string{"log/run": "#!/bin/sh\nexec 2>&1\nexec s6-log /data/logs/a\n"})
			require.NoError(t, w.Rescan())
			require.NoError(t, w.Terminate())
			pass(time.Minute)
			ends := version == s6test.V211
			assert.Equal(t, ends, !w.supervised(dir), "a scan before it hangs s6-svscan, but not in 2.11")
			if ends {
				assert.ErrorIs(t, w.Served(), supervise.ErrNotSupervised)
				assert.ErrorIs(t, w.Terminate(), supervise.ErrNotSupervised)
				assert.Empty(t, w.Processes())
			}
		})
	}
	inWorld(t, s6test.Config{}, func(w *world) {
		dir := w.serve("a", nil)
		pass(time.Second)
		require.NoError(t, w.Terminate())
		pass(time.Second)
		assert.False(t, w.supervised(dir))
		assert.ErrorIs(t, w.Served(), supervise.ErrNotSupervised)
	})
}

// Two supervisors are killed and restarted twice within a second, which is
// when s6-svscan has to wait before it starts one once more.
func TestSupervisorThatIsForgotten(t *testing.T) {
	for _, version := range []s6test.Version{s6test.V211, s6test.V213, s6test.V215} {
		inWorld(t, s6test.Config{Version: version}, func(w *world) {
			a := w.serve("a", nil)
			pass(500 * time.Millisecond)
			b := w.serve("b", nil)
			require.NoError(t, w.KillSupervisor("a"))
			require.NoError(t, w.KillSupervisor("b"))
			pass(time.Minute)
			assert.True(t, w.supervised(a))
			assert.Equal(t, version == s6test.V211, w.supervised(b), "it is forgotten, but not by 2.11")
			require.NoError(t, w.Nudge())
			pass(time.Second)
			assert.True(t, w.supervised(b))
		})
	}
}

func TestKilledSvscan(t *testing.T) {
	inWorld(t, s6test.Config{}, func(w *world) {
		dir := w.serve("a", nil)
		before := w.Processes()
		w.KillSvscan()
		assert.ErrorIs(t, w.Served(), supervise.ErrNotSupervised)
		assert.ErrorIs(t, w.Rescan(), supervise.ErrNotSupervised)
		pass(time.Minute)
		assert.True(t, w.supervised(dir))
		w.StartSvscan()
		pass(time.Minute)
		assert.NoError(t, w.Served())
		assert.Equal(t, before, w.Processes())
		w.tell(dir, 'd', 'x')
		pass(time.Second)
		assert.True(t, w.supervised(dir), "by one of the new s6-svscan")
		assert.NotEqual(t, before, w.Processes())
	})
}
