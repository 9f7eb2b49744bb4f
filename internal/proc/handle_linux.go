package proc

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// Handle is one process. When that process has ended and its id is used again,
// all calls fail: a handle never becomes another process's.
type Handle struct {
	dir int // a descriptor of /proc/PID
}

// Open returns a handle of the process that has the id now. The caller closes
// it.
func (f FS) Open(pid int) (*Handle, error) {
	path := filepath.Join(string(f), strconv.Itoa(pid))
	dir, err := unix.Open(path, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return &Handle{dir: dir}, nil
}

// Close lets go of the process.
func (h *Handle) Close() error { return unix.Close(h.dir) }

// Exists reports whether the process is in the process table: it lives, or has
// not been reaped.
func (h *Handle) Exists() (bool, error) {
	fd, err := unix.Openat(h.dir, "stat", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err == nil {
		defer unix.Close(fd)
		_, err = unix.Read(fd, make([]byte, 1))
	}
	if errors.Is(err, unix.ESRCH) || errors.Is(err, unix.ENOENT) {
		return false, nil
	}
	return err == nil, os.NewSyscallError("read", err)
}

// Descriptor returns what descriptor n of the process leads to, in the words of
// [FS.Holds].
func (h *Handle) Descriptor(n int) (string, error) {
	var link [unix.PathMax]byte
	size, err := unix.Readlinkat(h.dir, descriptor(n), link[:])
	if err != nil {
		return "", os.NewSyscallError("readlinkat", err)
	}
	return string(link[:size]), nil
}

// OpenDescriptor opens what descriptor n of the process leads to, for the
// caller, with the flags of open(2).
func (h *Handle) OpenDescriptor(n, flags int) (int, error) {
	fd, err := unix.Openat(h.dir, descriptor(n), flags|unix.O_CLOEXEC, 0)
	return fd, os.NewSyscallError("openat", err)
}

// Unread returns how many bytes wait in the pipe that descriptor n of the
// process leads to.
func (h *Handle) Unread(n int) (int, error) {
	pipe, err := h.OpenDescriptor(n, unix.O_RDONLY|unix.O_NONBLOCK)
	if err != nil {
		return 0, err
	}
	defer unix.Close(pipe)
	size, err := unix.IoctlGetInt(pipe, unix.TIOCINQ)
	return size, os.NewSyscallError("ioctl", err)
}

func descriptor(n int) string { return "fd/" + strconv.Itoa(n) }
