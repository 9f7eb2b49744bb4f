package s6

import (
	"errors"
	"fmt"
	"os"
	"path"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/evenkeel/evenkeel/internal/proc"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

// AnnounceReady implements Tree. It writes the newline that s6-supervise waits
// for into the process's own, inherited end of the notification pipe, through
// /proc.
func (t *SystemTree) AnnounceReady(service string, pid int) error {
	err := t.announceReady(service, pid)
	if err != nil {
		return fmt.Errorf("cannot announce that process %d is ready: %w", pid, err)
	}
	return nil
}

func (t *SystemTree) announceReady(service string, pid int) error {
	process, err := proc.System.Open(pid)
	if err != nil {
		return err
	}
	defer process.Close()
	// From here on it is this process, even if the id is used again.
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
	text, err := os.ReadFile(path.Join(service, fileNotificationFD))
	if err != nil {
		return err
	}
	fd, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return fmt.Errorf("%s of the service is not a number: %w", fileNotificationFD, err)
	}
	pipe, err := process.Descriptor(fd)
	if errors.Is(err, unix.EACCES) || errors.Is(err, unix.EPERM) {
		return fmt.Errorf("its descriptors cannot be read, for it is another user's or has capabilities of its own: %w", err)
	}
	if err != nil {
		return fmt.Errorf("it has closed its descriptor for readiness: %w", err)
	}
	read, err := proc.System.Holds(supervisor.PID, pipe)
	if err != nil {
		return err
	}
	if !read || !strings.HasPrefix(pipe, "pipe:[") {
		return fmt.Errorf("its descriptor for readiness is %s, which its supervisor does not read", pipe)
	}
	w, err := process.OpenDescriptor(fd, unix.O_WRONLY|unix.O_NONBLOCK)
	if err != nil {
		return err
	}
	defer unix.Close(w)
	_, err = unix.Write(w, []byte{'\n'})
	return err
}
