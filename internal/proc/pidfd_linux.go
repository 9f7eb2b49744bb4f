package proc

import (
	"errors"

	"golang.org/x/sys/unix"
)

// PIDFD opens a process by its id, for unix.PidfdSendSignal: from then on the
// descriptor means that process, whoever has its id later. The error is
// unix.ESRCH where there is no such process, which is also so where a thread has
// the id: kernels call that EINVAL, and ENOENT from 6.14 on. The caller closes
// the descriptor.
func PIDFD(pid int) (fd int, err error) {
	fd, err = unix.PidfdOpen(pid, 0)
	if pid > 0 && (errors.Is(err, unix.ENOENT) || errors.Is(err, unix.EINVAL)) {
		err = unix.ESRCH
	}
	return fd, err
}
