package supervise_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/evenkeel/evenkeel/s6/supervise"
)

// notify writes events into a directory as s6-supervise does
// (ftrigw_notifyb_nosig in libs6) and returns how many got them.
func notify(t *testing.T, dir, events string) int {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	told := 0
	for _, entry := range entries {
		name := entry.Name()
		if !strings.HasPrefix(name, "ftrig1:@") || len(name) != 39 {
			continue
		}
		fd, err := unix.Open(filepath.Join(dir, name), unix.O_WRONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
		if errors.Is(err, unix.ENXIO) {
			require.NoError(t, os.Remove(filepath.Join(dir, name)))
			continue
		}
		require.NoError(t, err)
		n, err := unix.Write(fd, []byte(events))
		require.NoError(t, err)
		require.Len(t, events, n)
		require.NoError(t, unix.Close(fd))
		told++
	}
	return told
}

func subscribe(t *testing.T, dir string) (*supervise.Subscription, <-chan supervise.Event) {
	t.Helper()
	events := make(chan supervise.Event, 100)
	sub, err := supervise.Subscribe(dir, func(e supervise.Event) { events <- e })
	require.NoError(t, err)
	t.Cleanup(func() { sub.Close() })
	return sub, events
}

func TestSubscribe(t *testing.T) {
	dir := t.TempDir()
	sub, events := subscribe(t, dir)
	require.Equal(t, 1, notify(t, dir, "s"))
	assert.Equal(t, supervise.EventSupervisorStarted, <-events)
	require.Equal(t, 1, notify(t, dir, "uU"))
	assert.Equal(t, supervise.EventUp, <-events)
	assert.Equal(t, supervise.EventReady, <-events)
	require.Equal(t, 1, notify(t, dir, "d"))
	require.Equal(t, 1, notify(t, dir, "OD"))
	require.Equal(t, 1, notify(t, dir, "x"))
	assert.Equal(t, supervise.EventDied, <-events)
	assert.Equal(t, supervise.EventFailed, <-events)
	assert.Equal(t, supervise.EventFinished, <-events)
	assert.Equal(t, supervise.EventSupervisorExited, <-events)

	require.NoError(t, sub.Close())
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Empty(t, entries)
	assert.Empty(t, events)
}

func TestSubscribeKeepsOrder(t *testing.T) {
	dir := t.TempDir()
	_, events := subscribe(t, dir)
	for i := range 2000 {
		want := byte(i)
		require.Equal(t, 1, notify(t, dir, string([]byte{want})))
		require.Equal(t, supervise.Event(want), <-events)
	}
}

func TestSubscribeMakesFIFOForOthers(t *testing.T) {
	dir := t.TempDir()
	old := unix.Umask(0o077)
	defer unix.Umask(old)
	subscribe(t, dir)
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 1)
	assert.Regexp(t, regexp.MustCompile(`^ftrig1:@4[0-9a-f]{23}:[A-Za-z0-9]{6}$`), entries[0].Name())
	info, err := entries[0].Info()
	require.NoError(t, err)
	assert.Equal(t, fs.ModeNamedPipe|0o622, info.Mode())
}

func TestSubscriptionsAreApart(t *testing.T) {
	dir := t.TempDir()
	one, first := subscribe(t, dir)
	_, second := subscribe(t, dir)
	require.Equal(t, 2, notify(t, dir, "u"))
	assert.Equal(t, supervise.EventUp, <-first)
	assert.Equal(t, supervise.EventUp, <-second)
	require.NoError(t, one.Close())
	require.Equal(t, 1, notify(t, dir, "d"))
	assert.Equal(t, supervise.EventDied, <-second)
	assert.Empty(t, first)
}

func TestSubscriptionOutlivesDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "event")
	require.NoError(t, os.Mkdir(dir, 0o755))
	sub, _ := subscribe(t, dir)
	assert.True(t, sub.Linked())
	require.NoError(t, os.RemoveAll(dir))
	assert.False(t, sub.Linked())
	require.NoError(t, os.Mkdir(dir, 0o755))
	assert.False(t, sub.Linked())
	require.NoError(t, sub.Close())
}

func TestSubscribeWithoutDirectory(t *testing.T) {
	sub, err := supervise.Subscribe(filepath.Join(t.TempDir(), "event"), func(supervise.Event) {})
	require.ErrorIs(t, err, fs.ErrNotExist)
	assert.Nil(t, sub)
}

func TestSubscriptionCloseByMany(t *testing.T) {
	sub, _ := subscribe(t, t.TempDir())
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() { assert.NoError(t, sub.Close()) })
	}
	group.Wait()
}

func TestEventString(t *testing.T) {
	words := map[string]bool{}
	for _, e := range "suUdDOx" {
		words[supervise.Event(e).String()] = true
	}
	assert.Len(t, words, 7)
	assert.True(t, words["ready"])
	assert.Equal(t, "event 'z'", supervise.Event('z').String())
}
