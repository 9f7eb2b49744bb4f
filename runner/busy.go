package runner

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// beingWritten reports whether somebody has a file open for writing, and whether
// the kernel tells that: it grants a read lease (fcntl(2)) only where nobody has,
// and only to the owner of the file and to root, on filesystems with leases.
func beingWritten(file string) (writing, known bool) {
	f, err := os.OpenFile(file, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return false, false
	}
	defer f.Close()
	_, err = unix.FcntlInt(f.Fd(), unix.F_SETLEASE, unix.F_RDLCK)
	if err == nil {
		_, _ = unix.FcntlInt(f.Fd(), unix.F_SETLEASE, unix.F_UNLCK)
	}
	writing = errors.Is(err, unix.EAGAIN)
	return writing, writing || err == nil
}
