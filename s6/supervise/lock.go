package supervise

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// LockState says whether a lock is held, and by whom.
type LockState struct {
	// Held means that some process holds the lock.
	Held bool
	// PID is that process. It is 0 if nobody holds the lock, or if its holder
	// cannot be named: one in another PID namespace, or on another host of a
	// network filesystem.
	PID int
}

// LockHolder asks the kernel who holds the POSIX lock on a file. On
// supervise/lock that is the s6-supervise of the service directory, for as long
// as it lives: Held tells whether anybody supervises, whatever supervise/status
// says. LockHolder takes no lock and changes nothing. It sees neither locks of
// flock(2) nor those of the calling process.
//
// An error is a *fs.PathError; where no supervisor has ever run it satisfies
// errors.Is(err, fs.ErrNotExist).
func LockHolder(path string) (LockState, error) {
	fd, err := openRaw(path, unix.O_RDONLY|unix.O_NONBLOCK)
	if err != nil {
		return LockState{}, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	defer unix.Close(fd)
	// s6-supervise holds a write lock; asking with a read lock is what a
	// descriptor open for reading may do, and conflicts with it.
	lock := unix.Flock_t{Type: unix.F_RDLCK, Whence: io.SeekStart}
	if err := unix.FcntlFlock(uintptr(fd), unix.F_GETLK, &lock); err != nil {
		return LockState{}, &fs.PathError{Op: "fcntl F_GETLK", Path: path, Err: err}
	}
	if lock.Type == unix.F_UNLCK {
		return LockState{}, nil
	}
	// The kernel answers 0 for a holder in a namespace that cannot be seen,
	// -1 for an open file description lock.
	return LockState{Held: true, PID: max(int(lock.Pid), 0)}, nil
}

// Lock is an exclusive lock on a file, held until Close or until the
// process ends, however it ends.
type Lock struct {
	file *os.File
}

// LockHeldError is the error for a lock that somebody else holds.
type LockHeldError struct {
	// Path is the file.
	Path string
	// PID is what the holder wrote into it, 0 if it has written nothing yet.
	PID int
}

// Error implements error.
func (e *LockHeldError) Error() string {
	if e.PID == 0 {
		return fmt.Sprintf("cannot lock %s: another process holds it", e.Path)
	}
	return fmt.Sprintf("cannot lock %s: process %d holds it", e.Path, e.PID)
}

// AcquireLock takes an exclusive lock on the file at path, which it creates
// with permission 0644 in a directory that must exist, and writes the process
// id into the file for others to read. It does not wait: if the lock is held
// the error is a *LockHeldError.
//
// The lock is an open file description lock: two calls in one process exclude
// each other as two processes do, and nothing but Close releases it. The file
// must not be removed or replaced while programs use it as a lock. A symbolic
// link in its place is refused, and not followed.
func AcquireLock(path string) (*Lock, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0o644)
	if errors.Is(err, unix.ELOOP) {
		return nil, fmt.Errorf("cannot lock: %w: it is a link, which is not followed: remove it", err)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot lock: %w", err)
	}
	lock := unix.Flock_t{Type: unix.F_WRLCK, Whence: io.SeekStart}
	err = unix.FcntlFlock(file.Fd(), unix.F_OFD_SETLK, &lock)
	if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EACCES) {
		held := &LockHeldError{Path: path, PID: writtenPID(file)}
		file.Close()
		return nil, held
	}
	if err == nil {
		err = writePID(file)
	}
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("cannot lock %s: %w", path, err)
	}
	return &Lock{file}, nil
}

func writePID(file *os.File) error {
	if err := file.Truncate(0); err != nil {
		return err
	}
	_, err := file.WriteAt(fmt.Appendf(nil, "%d\n", os.Getpid()), 0)
	return err
}

// writtenPID returns the process id that a lock file holds, 0 for none.
func writtenPID(file *os.File) int {
	var buf [32]byte
	n, err := file.ReadAt(buf[:], 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(buf[:n])))
	if err != nil || pid < 0 {
		return 0
	}
	return pid
}

// Close releases the lock. The file stays: its content means nothing without
// the lock.
func (l *Lock) Close() error {
	// A child process that is being started shares the description until it has
	// become another program.
	unlock := unix.Flock_t{Type: unix.F_UNLCK, Whence: io.SeekStart}
	err := unix.FcntlFlock(l.file.Fd(), unix.F_OFD_SETLK, &unlock)
	return errors.Join(err, l.file.Close())
}
