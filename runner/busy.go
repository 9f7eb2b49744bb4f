package runner

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// busy reports whether somebody has a file open for writing, as far as the kernel
// tells: it grants a read lease (fcntl(2)) only where nobody has. Files of other
// users, and those on filesystems without leases, count as not busy.
func busy(file string) bool {
	f, err := os.OpenFile(file, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return false
	}
	defer f.Close()
	_, err = unix.FcntlInt(f.Fd(), unix.F_SETLEASE, unix.F_RDLCK)
	if err == nil {
		_, _ = unix.FcntlInt(f.Fd(), unix.F_SETLEASE, unix.F_UNLCK)
	}
	return errors.Is(err, unix.EAGAIN)
}
