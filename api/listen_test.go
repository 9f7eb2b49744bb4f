package api

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
)

// serve serves on the socket in a directory, until stop is called.
func serve(t testing.TB, dir string, s *Server) (stop func()) {
	t.Helper()
	l, err := ListenUnix(dir)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error)
	go func() { served <- Serve(ctx, l, s.Handler(Access{Local: true})) }()
	return func() {
		cancel()
		assert.NoError(t, <-served)
	}
}

func TestTheSocketIsTheOwnersAlone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), strings.Repeat("deep/", 40))
	require.NoError(t, os.MkdirAll(dir, 0o755))
	l, err := ListenUnix(dir)
	require.NoError(t, err)
	path := filepath.Join(dir, SocketName)
	info, err := os.Lstat(path)
	require.NoError(t, err)
	assert.Equal(t, fs.ModeSocket|0o600, info.Mode())
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, entries, 1, "nothing else is left")

	next, err := ListenUnix(dir)
	require.NoError(t, err, "that of a program that was killed is replaced")
	require.NoError(t, l.Close())
	assert.FileExists(t, path, "it is another one's by now")
	require.NoError(t, next.Close())
	assert.NoFileExists(t, path)

	_, err = ListenUnix(filepath.Join(dir, "nowhere"))
	require.ErrorIs(t, err, fs.ErrNotExist)
	assert.ErrorContains(t, err, "cannot listen on "+filepath.Join(dir, "nowhere"))
}

func TestAClientAsksOverTheSocket(t *testing.T) {
	did := &hands{}
	s, _, _ := shown(t, did)
	s.Log = func(_ context.Context, name string, lines LogLines, to io.Writer) error {
		_, err := io.WriteString(to, name+" says something\n")
		return errors.Join(err, errors.New("no more"))
	}
	dir := t.TempDir()
	c := NewClient(dir)
	defer c.Close()
	_, err := c.List(t.Context())
	require.ErrorIs(t, err, ErrNotThere)
	stop := serve(t, dir, s)
	all, err := c.List(t.Context())
	require.NoError(t, err)
	assert.Len(t, all.Instances, 3)
	north, err := c.Instance(t.Context(), "north")
	require.NoError(t, err)
	assert.Equal(t, all.Instances[0], north.Summary)
	why, err := c.Why(t.Context(), "south")
	require.NoError(t, err)
	assert.Equal(t, "south", why.Name)
	require.NoError(t, c.Ask(t.Context(), "north", "stop"))
	me, err := user.Current()
	require.NoError(t, err)
	assert.Equal(t, []string{"stop gate north by " + me.Username}, did.asked)

	_, err = c.Instance(t.Context(), "east/../north")
	refused := new(StatusError)
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, http.StatusNotFound, refused.Status)

	response, err := c.do(t.Context(), http.MethodGet, "/api/instances/north/log")
	require.NoError(t, err)
	text, err := io.ReadAll(response.Body)
	require.NoError(t, errors.Join(err, response.Body.Close()))
	assert.Equal(t, "north says something\ncannot read on: no more\n", string(text))

	stop()
	c.Close()
	_, err = c.List(t.Context())
	require.ErrorIs(t, err, ErrNotThere)
}

func TestAClientWatches(t *testing.T) {
	s, m, y := shown(t, nil)
	dir := t.TempDir()
	stop := serve(t, dir, s)
	c := NewClient(dir)
	defer c.Close()
	y.mu.Lock()
	clear(y.broken)
	y.mu.Unlock()
	var seen []Event
	err := c.Events(t.Context(), -1, func() {
		require.NoError(t, m.Retry("south"))
		passes(t, m)
	}, func(e Event) error {
		seen = append(seen, e)
		if e.Type == Moved && e.Name == "south" {
			return errEnough
		}
		return nil
	})
	require.ErrorIs(t, err, errEnough)
	last := seen[len(seen)-1]
	assert.Equal(t, fsm.State("open"), last.To)
	assert.WithinDuration(t, time.Now(), last.At, time.Minute)

	var again []Event
	err = c.Events(t.Context(), seen[0].ID-1, nil, func(e Event) error {
		again = append(again, e)
		if len(again) == len(seen) {
			return errEnough
		}
		return nil
	})
	require.ErrorIs(t, err, errEnough)
	assert.Equal(t, seen, again)

	ended := make(chan error)
	begun := make(chan struct{})
	go func() {
		ended <- c.Events(context.Background(), -1, func() { close(begun) }, func(Event) error { return nil })
	}()
	<-begun
	stop()
	assert.ErrorContains(t, <-ended, "the program has ended")
}
