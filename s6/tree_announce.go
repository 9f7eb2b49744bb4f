package s6

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/evenkeel/evenkeel/internal/proc"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

// AnnounceReady implements Tree. It writes the newline that s6-supervise waits
// for into the notification pipe, through /proc: by the process's own, inherited
// end of it, or where that may not be looked at by the supervisor's.
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
		return announceBySupervisor(process, pid, supervisor.PID)
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
	return writeNewline(process, fd, process)
}

// writeNewline writes a newline into a pipe that a process has a descriptor of,
// whichever of its ends that is, if the process that it is for exists then.
func writeNewline(holder *proc.Handle, fd int, process *proc.Handle) error {
	w, err := holder.OpenDescriptor(fd, unix.O_WRONLY|unix.O_NONBLOCK)
	if err != nil {
		return err
	}
	defer unix.Close(w)
	exists, err := process.Exists()
	if err != nil {
		return err
	}
	if !exists {
		return fmt.Errorf("it has ended: %w", unix.ESRCH)
	}
	_, err = unix.Write(w, []byte{'\n'})
	return err
}

// announceBySupervisor writes into the supervisor's end of the notification
// pipe, for a process whose descriptors may not be read: one of another user, or
// one with capabilities of its own. The pipe is the process's for as long as the
// supervisor has not reaped it.
func announceBySupervisor(process *proc.Handle, pid, supervisor int) error {
	parent, err := proc.System.Parent(pid)
	if err != nil {
		return err
	}
	if parent != supervisor {
		return fmt.Errorf("it is not a process of its supervisor, %d", supervisor)
	}
	holder, err := proc.System.Open(supervisor)
	if err != nil {
		return err
	}
	defer holder.Close()
	fd, err := notificationPipe(supervisor)
	if err == nil {
		err = writeNewline(holder, fd, process)
	}
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("its descriptors cannot be read, for it is another user's or has capabilities of its own, and neither can those of its supervisor: "+
			"give this program the capability SYS_PTRACE, or run it as the user and with the capabilities of s6-svscan: %w", err)
	}
	return err
}

// notificationPipe returns the descriptor by which a supervisor waits for
// readiness: the only pipe that it reads and has not inherited.
func notificationPipe(supervisor int) (fd int, err error) {
	pipes, err := proc.System.ReadPipes(supervisor)
	if err != nil {
		return 0, err
	}
	scanner, err := proc.System.Parent(supervisor)
	if err != nil {
		return 0, err
	}
	var own []int
	for fd, pipe := range pipes {
		inherited, err := proc.System.Holds(scanner, pipe)
		if err != nil {
			return 0, err
		}
		if !inherited {
			own = append(own, fd)
		}
	}
	if len(own) != 1 {
		return 0, fmt.Errorf("its supervisor reads %d pipes, and not just one for readiness: the process may have closed its descriptor", len(own))
	}
	return own[0], nil
}
