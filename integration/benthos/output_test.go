//go:build integration

package benthos

import (
	"io"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/evenkeel/evenkeel/integration/harness"
)

// pipe returns a pipe with the smallest buffer there is.
func pipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	require.NoError(t, err)
	t.Cleanup(func() { r.Close(); w.Close() })
	_, err = unix.FcntlInt(w.Fd(), unix.F_SETPIPE_SZ, os.Getpagesize())
	require.NoError(t, err)
	return r, w
}

// The end in order depends neither on being able to print, nor on one signal
// being one. Ctrl-C in "fivebenthos | tee log" ends the reader first; timeout(1)
// sends its signal to the program and to the program's process group.
func TestEndInOrderThoughNobodyReads(t *testing.T) {
	for name, c := range map[string]struct {
		gone bool
		args []string
	}{
		"the reader has gone":         {true, nil},
		"the reader of JSON has gone": {true, []string{"-json"}},
		// It prints more than the pipe takes.
		"the reader reads nothing more": {false, []string{"-json", "-verbosity", "3"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHome(t, bento(t))
			r, w := pipe(t)
			cmd := h.command(c.args...)
			cmd.Stdout, cmd.Stderr = w, w
			p := h.run(cmd)
			w.Close()
			_, err := io.ReadFull(r, make([]byte, 100))
			require.NoError(t, err, "it has begun to print")
			h.serving()
			if c.gone {
				r.Close()
			}
			p.Signal(syscall.SIGINT)
			_ = p.Cmd.Process.Signal(syscall.SIGINT) // it may have ended
			assert.Zero(t, p.End())
			harness.NoneLeft(t, h.root)
		})
	}
}

// What keeps instances goes on keeping them when nobody reads what it prints.
func TestInstancesAreKeptThoughNobodyReads(t *testing.T) {
	t.Parallel()
	h := newHome(t, bento(t))
	r, w := pipe(t)
	cmd := h.command()
	cmd.Stdout, cmd.Stderr = w, w
	p := h.run(cmd)
	before := h.serving()
	r.Close()
	w.Close()
	require.NoError(t, syscall.Kill(before[2], syscall.SIGKILL))
	harness.Eventually(t, "it is back", func() bool {
		pid := h.pids()[2]
		return pid != 0 && pid != before[2] && h.post(2, `{"test":"back"}`, 0) == nil
	})
	p.Signal(syscall.SIGTERM)
	assert.Zero(t, p.End())
	harness.NoneLeft(t, h.root)
}

// A second signal, when the first is old, ends the program at once. What runs
// goes on and is adopted.
func TestSecondSignalEndsAtOnce(t *testing.T) {
	t.Parallel()
	h := newHome(t, bento(t))
	p := h.start()
	before := h.serving()
	held := make(chan error)
	at := h.received(3)
	go func() { held <- h.post(3, `{"test":"long"}`, harness.Patience) }()
	harness.Eventually(t, "the stream has taken the message", func() bool { return h.received(3) > at })
	p.Signal(syscall.SIGINT)
	harness.Pause(t, 1200*time.Millisecond, "a signal within a second is the same one")
	p.Signal(syscall.SIGINT)
	assert.Equal(t, -1, p.End(), "ended by a signal")
	assert.Contains(t, p.Stderr.String(), "a second signal (interrupt) ends it at once")
	assert.Equal(t, before[3], h.pids()[3])
	<-held

	again := h.start()
	h.serving()
	again.interrupt(syscall.SIGTERM)
}
