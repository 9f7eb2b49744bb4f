package proc_test

import (
	"os"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/evenkeel/evenkeel/internal/proc"
)

func TestPIDFD(t *testing.T) {
	fd, err := proc.PIDFD(os.Getpid())
	require.NoError(t, err)
	assert.NoError(t, unix.PidfdSendSignal(fd, 0, nil, 0))
	require.NoError(t, unix.Close(fd))

	_, err = proc.PIDFD(1 << 30)
	assert.ErrorIs(t, err, unix.ESRCH)
	_, err = proc.PIDFD(-1)
	assert.ErrorIs(t, err, unix.EINVAL)
}

// A thread has an id of the same kind.
func TestPIDFDOfAThread(t *testing.T) {
	ids, end := make(chan int), make(chan struct{})
	for range 2 { // one of them may be the first thread, whose id is the process's
		go func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			ids <- unix.Gettid()
			<-end
		}()
	}
	thread := <-ids
	if other := <-ids; thread == os.Getpid() {
		thread = other
	}
	_, err := proc.PIDFD(thread)
	assert.ErrorIs(t, err, unix.ESRCH)
	close(end)
}
