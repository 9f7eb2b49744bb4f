package inotify_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/evenkeel/evenkeel/internal/inotify"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// open returns a notifier, and a directory with a file.
func open(t *testing.T) (n *inotify.Notifier, dir string) {
	t.Helper()
	n, err := inotify.New()
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, n.Close()) })
	dir = t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "there"), nil, 0o600))
	return n, dir
}

// listen watches directories, and returns what is sent to for each call.
func listen(t *testing.T, n *inotify.Notifier, dirs ...inotify.Dir) (w *inotify.Watch, told chan struct{}) {
	t.Helper()
	told = make(chan struct{}, 100)
	w, err := n.Watch(dirs, func() { told <- struct{}{} })
	require.NoError(t, err)
	return w, told
}

// hears waits until something was told.
func hears(t *testing.T, told <-chan struct{}) {
	t.Helper()
	select {
	case <-told:
	case <-time.After(time.Minute):
		require.FailNow(t, "nothing was told")
	}
}

func TestWhatIsTold(t *testing.T) {
	write := func(name string) func(string) error {
		return func(dir string) error { return os.WriteFile(filepath.Join(dir, name), nil, 0o600) }
	}
	there := func(dir string) string { return filepath.Join(dir, "there") }
	for name, test := range map[string]struct {
		names  []string
		gone   bool
		quiet  func(dir string) error // is not told
		told   func(dir string) error
		broken bool // less is told from then on
	}{
		"a file is made":         {told: write("new")},
		"a file is written":      {told: write("there")},
		"a file is deleted":      {told: func(dir string) error { return os.Remove(there(dir)) }},
		"a mode is changed":      {told: func(dir string) error { return os.Chmod(there(dir), 0o400) }},
		"a file is moved":        {told: func(dir string) error { return os.Rename(there(dir), there(dir)+"2") }},
		"of one name":            {names: []string{"there"}, quiet: write("another"), told: write("there")},
		"of no name":             {names: []string{}, quiet: write("there"), told: os.RemoveAll, broken: true},
		"that it is gone":        {names: []string{"there"}, gone: true, quiet: write("there"), told: func(dir string) error { return os.Remove(there(dir)) }},
		"that it is moved":       {gone: true, quiet: write("there"), told: func(dir string) error { return os.Rename(there(dir), dir+"/2") }},
		"the directory is gone":  {told: os.RemoveAll, broken: true},
		"the directory is moved": {names: []string{}, told: func(dir string) error { return os.Rename(dir, dir+"2") }, broken: true},
	} {
		t.Run(name, func(t *testing.T) {
			n, dir := open(t)
			// Both are told in the order of what happens, by one goroutine.
			_, all := listen(t, n, inotify.Dir{Path: dir})
			w, told := listen(t, n, inotify.Dir{Path: dir, Names: test.names, Gone: test.gone})
			if test.quiet != nil {
				require.NoError(t, test.quiet(dir))
				hears(t, all)
			}
			assert.Empty(t, told)
			assert.True(t, w.Whole())
			require.NoError(t, test.told(dir))
			hears(t, told)
			if test.broken {
				assert.Eventually(t, func() bool { return !w.Whole() }, time.Minute, time.Millisecond)
			}
			w.Close()
			assert.False(t, w.Whole())
		})
	}
}

// TestWhatIsClosedIsTold: what a process had open to write to is closed when it ends.
func TestWhatIsClosedIsTold(t *testing.T) {
	n, dir := open(t)
	lock, err := os.OpenFile(filepath.Join(dir, "there"), os.O_WRONLY, 0)
	require.NoError(t, err)
	_, told := listen(t, n, inotify.Dir{Path: dir})
	require.NoError(t, lock.Close())
	hears(t, told)
}

func TestCloseEndsAWatch(t *testing.T) {
	n, dir := open(t)
	_, other := listen(t, n, inotify.Dir{Path: dir})
	w, told := listen(t, n, inotify.Dir{Path: dir}, inotify.Dir{Path: filepath.Dir(dir), Names: []string{filepath.Base(dir)}})
	w.Close()
	require.NoError(t, os.Remove(filepath.Join(dir, "there")))
	hears(t, other)
	assert.Empty(t, told)
	w.Close()
	require.NoError(t, n.Close())
	_, err := n.Watch([]inotify.Dir{{Path: dir}}, nil)
	require.ErrorIs(t, err, os.ErrClosed)
}

func TestWhatCannotBeWatched(t *testing.T) {
	n, dir := open(t)
	_, err := n.Watch([]inotify.Dir{{Path: dir}, {Path: filepath.Join(dir, "missing")}}, func() { assert.Fail(t, "nothing is watched") })
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = n.Watch([]inotify.Dir{{Path: filepath.Join(dir, "there")}}, nil)
	require.ErrorContains(t, err, "not a directory")
	_, told := listen(t, n, inotify.Dir{Path: dir})
	require.NoError(t, os.Remove(filepath.Join(dir, "there")))
	hears(t, told)
}

func TestLocal(t *testing.T) {
	local, err := inotify.Local("/proc")
	require.NoError(t, err)
	assert.False(t, local)
	_, err = inotify.Local(filepath.Join(t.TempDir(), "missing"))
	require.ErrorIs(t, err, os.ErrNotExist)
}
