package runner

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/evenkeel/evenkeel/internal/proc"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

// lockPatience is how long a process that was killed may live on before that is
// told.
const lockPatience = 5 * time.Second

// TakeOver makes this process the only one of its s6 service. It locks a file
// that belongs to the service alone, for as long as the process lives.
//
// Another process has the lock only where its supervisor was killed: s6 starts
// a second one beside the first then. The first is killed, whatever it does, for
// a supervisor that does not have it cannot end it. That ends nothing that it
// keeps: this process adopts all. If ctx ends before, nothing is locked. What is
// done is logged at level Warn, with the pid.
func TakeOver(ctx context.Context, path string, log *slog.Logger) error {
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_CREAT|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return fmt.Errorf("cannot open the lock %s: %w", path, err)
	}
	// It stays open until the process ends. The lock is one of the process, so
	// that the kernel tells who has it.
	begun, told := time.Now(), 0
	for {
		lock := unix.Flock_t{Type: unix.F_WRLCK, Whence: io.SeekStart}
		err := unix.FcntlFlock(uintptr(fd), unix.F_SETLK, &lock)
		if err == nil {
			return nil
		}
		if !errors.Is(err, unix.EAGAIN) && !errors.Is(err, unix.EACCES) {
			return fmt.Errorf("cannot lock %s: %w", path, err)
		}
		pid, err := kill(path)
		if err != nil {
			return err
		}
		if pid != 0 && told != pid {
			log.Warn("a process that has lost its supervisor was killed: what it kept is adopted", "pid", pid)
			told = pid
		}
		if patience := time.Since(begun); patience > lockPatience {
			log.Warn("a process that was killed has not ended: waiting for it", "pid", told, "after", patience.Truncate(time.Second))
			begun = begun.Add(time.Hour)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// kill kills the process that holds a lock, and returns its id, 0 for none.
func kill(path string) (pid int, err error) {
	holder, err := supervise.LockHolder(path)
	if err != nil || !holder.Held {
		return 0, err
	}
	if holder.PID == 0 {
		return 0, fmt.Errorf("cannot take over from the process that holds %s: it is in another PID namespace", path)
	}
	fd, err := proc.PIDFD(holder.PID)
	if errors.Is(err, unix.ESRCH) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("cannot take over from process %d: %w", holder.PID, err)
	}
	defer unix.Close(fd)
	// From here on the id means one process. Is it the right one?
	if now, err := supervise.LockHolder(path); err != nil || now.PID != holder.PID {
		return 0, err
	}
	err = unix.PidfdSendSignal(fd, syscall.SIGKILL, nil, 0)
	if err != nil && !errors.Is(err, unix.ESRCH) {
		return 0, fmt.Errorf("cannot take over from process %d: %w", holder.PID, err)
	}
	return holder.PID, nil
}
