package s6

import (
	"errors"
	"fmt"
	"os"
	"path"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/evenkeel/evenkeel/s6/supervise"
)

// AnnounceReady implements Tree. It writes the newline that s6-supervise waits
// for into the process's own end of the notification pipe, which it inherited,
// through /proc.
func (t *SystemTree) AnnounceReady(service string, pid int) error {
	err := t.announceReady(service, pid)
	if err != nil {
		return fmt.Errorf("cannot announce that process %d is ready: %w", pid, err)
	}
	return nil
}

func (t *SystemTree) announceReady(service string, pid int) error {
	proc, err := unix.Open(fmt.Sprintf("/proc/%d", pid), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(proc)
	// The directory stays that of one process even if the id is used again.
	status, err := t.Status(service)
	if err != nil {
		return err
	}
	supervisor, err := t.Supervisor(service)
	switch {
	case err != nil:
		return err
	case !supervisor.Held:
		return supervise.ErrNotSupervised
	case status.PID != pid || !status.Up():
		return fmt.Errorf("the service's process is %d by now", status.PID)
	case status.Ready:
		return nil
	}
	number, err := os.ReadFile(path.Join(service, fileNotificationFD))
	if err != nil {
		return err
	}
	fd := "fd/" + strings.TrimSpace(string(number))
	var link [64]byte
	n, err := unix.Readlinkat(proc, fd, link[:])
	if errors.Is(err, unix.EACCES) || errors.Is(err, unix.EPERM) {
		return fmt.Errorf("its descriptors may not be looked into, it is another user's or has capabilities of its own: %w", err)
	}
	if err != nil {
		return fmt.Errorf("it has closed its descriptor for readiness: %w", err)
	}
	if pipe := string(link[:n]); !holdsPipe(supervisor.PID, pipe) {
		return fmt.Errorf("its descriptor for readiness is %s, which its supervisor does not read", pipe)
	}
	w, err := unix.Openat(proc, fd, unix.O_WRONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(w)
	_, err = unix.Write(w, []byte{'\n'})
	return err
}
