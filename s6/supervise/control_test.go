package supervise_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/evenkeel/evenkeel/s6/supervise"
)

// controlFIFO makes a FIFO and, like s6-supervise, reads it without blocking.
func controlFIFO(t *testing.T) (path string, reader int) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "control")
	require.NoError(t, unix.Mkfifo(path, 0o600))
	reader, err := unix.Open(path, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	require.NoError(t, err)
	t.Cleanup(func() { unix.Close(reader) })
	return path, reader
}

func readAvailable(t *testing.T, fd int) string {
	t.Helper()
	buf := make([]byte, 1<<17)
	n, err := unix.Read(fd, buf)
	require.NoError(t, err)
	return string(buf[:n])
}

func TestWriteControl(t *testing.T) {
	path, reader := controlFIFO(t)
	require.NoError(t, supervise.WriteControl(path, supervise.CommandDown, supervise.CommandExit))
	assert.Equal(t, "dx", readAvailable(t, reader))
	require.NoError(t, supervise.WriteControl(path, supervise.ScanCommandScan, supervise.ScanCommandPrune))
	assert.Equal(t, "an", readAvailable(t, reader))
	require.NoError(t, supervise.WriteControl[supervise.Command](path))
	assert.Empty(t, readAvailable(t, reader))
}

func TestWriteControlNotSupervised(t *testing.T) {
	dir := t.TempDir()
	unread := filepath.Join(dir, "control")
	require.NoError(t, unix.Mkfifo(unread, 0o600))

	err := supervise.WriteControl(unread, supervise.CommandUp)
	require.ErrorIs(t, err, supervise.ErrNotSupervised)
	require.NotErrorIs(t, err, fs.ErrNotExist)
	require.ErrorContains(t, err, `cannot send "u" to `+unread+": nobody supervises it")
	require.ErrorIs(t, supervise.WriteControl[supervise.Command](unread), supervise.ErrNotSupervised)

	err = supervise.WriteControl(filepath.Join(dir, "missing", "control"), supervise.CommandUp)
	require.ErrorIs(t, err, supervise.ErrNotSupervised)
	require.ErrorIs(t, err, fs.ErrNotExist)
}

func TestWriteControlFull(t *testing.T) {
	path, reader := controlFIFO(t)
	_, err := unix.FcntlInt(uintptr(reader), unix.F_SETPIPE_SZ, os.Getpagesize())
	require.NoError(t, err)
	written := 0
	for err = supervise.WriteControl(path, supervise.CommandCont); err == nil; err = supervise.WriteControl(path, supervise.CommandCont) {
		written++
		require.LessOrEqual(t, written, 1<<17)
	}
	require.ErrorIs(t, err, supervise.ErrControlFull)
	require.NotErrorIs(t, err, supervise.ErrNotSupervised)

	assert.Len(t, readAvailable(t, reader), written)
	require.NoError(t, supervise.WriteControl(path, supervise.CommandCont))
	assert.Equal(t, "c", readAvailable(t, reader))
}

func TestWriteControlRefuses(t *testing.T) {
	file := filepath.Join(t.TempDir(), "control")
	require.NoError(t, os.WriteFile(file, []byte("content"), 0o600))
	err := supervise.WriteControl(file, supervise.CommandUp)
	require.ErrorContains(t, err, "it is no FIFO")
	require.NotErrorIs(t, err, supervise.ErrNotSupervised)
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, "content", string(content))

	path, reader := controlFIFO(t)
	require.ErrorContains(t, supervise.WriteControl(path, make([]supervise.Command, 4097)...), "4097 commands")
	assert.Empty(t, readAvailable(t, reader))
}
