package s6_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/evenkeel/evenkeel/s6"
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
	require.NoError(t, s6.WriteControl(path, s6.CommandDown, s6.CommandExit))
	assert.Equal(t, "dx", readAvailable(t, reader))
	require.NoError(t, s6.WriteControl(path, s6.ScanCommandScan, s6.ScanCommandPrune))
	assert.Equal(t, "an", readAvailable(t, reader))
	require.NoError(t, s6.WriteControl[s6.Command](path))
	assert.Empty(t, readAvailable(t, reader))
}

func TestWriteControlNotSupervised(t *testing.T) {
	dir := t.TempDir()
	unread := filepath.Join(dir, "control")
	require.NoError(t, unix.Mkfifo(unread, 0o600))

	err := s6.WriteControl(unread, s6.CommandUp)
	require.ErrorIs(t, err, s6.ErrNotSupervised)
	require.NotErrorIs(t, err, fs.ErrNotExist)
	require.ErrorContains(t, err, `cannot send "u" to `+unread+": nobody supervises it")
	require.ErrorIs(t, s6.WriteControl[s6.Command](unread), s6.ErrNotSupervised)

	err = s6.WriteControl(filepath.Join(dir, "missing", "control"), s6.CommandUp)
	require.ErrorIs(t, err, s6.ErrNotSupervised)
	require.ErrorIs(t, err, fs.ErrNotExist)
}

func TestWriteControlFull(t *testing.T) {
	path, reader := controlFIFO(t)
	_, err := unix.FcntlInt(uintptr(reader), unix.F_SETPIPE_SZ, os.Getpagesize())
	require.NoError(t, err)
	written := 0
	for err = s6.WriteControl(path, s6.CommandCont); err == nil; err = s6.WriteControl(path, s6.CommandCont) {
		written++
		require.LessOrEqual(t, written, 1<<17)
	}
	require.ErrorIs(t, err, s6.ErrControlFull)
	require.NotErrorIs(t, err, s6.ErrNotSupervised)

	assert.Len(t, readAvailable(t, reader), written)
	require.NoError(t, s6.WriteControl(path, s6.CommandCont))
	assert.Equal(t, "c", readAvailable(t, reader))
}

func TestWriteControlRefuses(t *testing.T) {
	file := filepath.Join(t.TempDir(), "control")
	require.NoError(t, os.WriteFile(file, []byte("content"), 0o600))
	err := s6.WriteControl(file, s6.CommandUp)
	require.ErrorContains(t, err, "it is no FIFO")
	require.NotErrorIs(t, err, s6.ErrNotSupervised)
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, "content", string(content))

	path, reader := controlFIFO(t)
	require.ErrorContains(t, s6.WriteControl(path, make([]s6.Command, 4097)...), "4097 commands")
	assert.Empty(t, readAvailable(t, reader))
}
