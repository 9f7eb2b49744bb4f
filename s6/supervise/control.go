package supervise

import (
	"errors"
	"fmt"
	"io/fs"

	"golang.org/x/sys/unix"
)

// Command is one byte of supervise/control. s6 ignores bytes that its version
// does not know.
type Command byte

// Commands that change what s6-supervise wants of the service.
const (
	// CommandUp wants it up: it starts at once, without the delay of a second
	// between starts, and again whenever it dies.
	CommandUp Command = 'u'
	// CommandDown wants it down: s6-supervise sends the signal in down-signal
	// (TERM), then CONT, and KILL after timeout-kill.
	CommandDown Command = 'd'
	// CommandOnce starts it if it is down and lets it stay down when it dies.
	CommandOnce Command = 'o'
	// CommandOnceAtMost lets it stay down when it dies, and does not start it.
	CommandOnceAtMost Command = 'O'
	// CommandExit makes s6-supervise exit once the service is down. It does
	// not bring the service down: CommandDown does.
	CommandExit Command = 'x'
	// CommandRestart sends the down-signal without wanting the service down.
	// It does nothing to a service that is down.
	CommandRestart Command = 'r'
	// CommandUpRemoveDown is CommandUp and removes the file down.
	CommandUpRemoveDown Command = 'U'
	// CommandDownCreateDown is CommandDown and creates the file down.
	CommandDownCreateDown Command = 'D'
)

// Commands that send a signal to the process.
const (
	CommandTerm  Command = 't' // SIGTERM
	CommandKill  Command = 'k' // SIGKILL
	CommandInt   Command = 'i' // SIGINT
	CommandHup   Command = 'h' // SIGHUP
	CommandQuit  Command = 'q' // SIGQUIT
	CommandAlarm Command = 'a' // SIGALRM
	CommandAbort Command = 'b' // SIGABRT
	CommandUsr1  Command = '1' // SIGUSR1
	CommandUsr2  Command = '2' // SIGUSR2
	// CommandStop sends SIGSTOP and sets Paused in the status.
	CommandStop Command = 'p'
	// CommandCont sends SIGCONT and clears Paused.
	CommandCont  Command = 'c'
	CommandWinch Command = 'y' // SIGWINCH
)

// ScanCommand is one byte of .s6-svscan/control in a scan directory.
type ScanCommand byte

// Commands to s6-svscan.
const (
	// ScanCommandScan looks for new service directories and starts a supervisor
	// for each. In s6 2.13 and 2.15 a scan that is followed at once by
	// ScanCommandTerminate hangs s6-svscan for ever.
	ScanCommandScan ScanCommand = 'a'
	// ScanCommandPrune ends the supervisors whose service directory was not
	// there at the last scan.
	ScanCommandPrune ScanCommand = 'n'
	// ScanCommandTerminate brings all services down, lets their loggers
	// read to the end, waits for them and ends.
	ScanCommandTerminate ScanCommand = 't'
	// ScanCommandAbort ends s6-svscan and leaves the supervisors running.
	ScanCommandAbort ScanCommand = 'b'
)

var (
	// ErrNotSupervised means that no s6-supervise, or no s6-svscan, reads
	// the control FIFO, or that there is no such FIFO.
	ErrNotSupervised = errors.New("nobody supervises it")
	// ErrControlFull means that the control FIFO is full: its reader is
	// stopped or starved. The same commands may be written again later.
	ErrControlFull = errors.New("its control FIFO is full")
)

// WriteControl writes commands to the control FIFO at path: supervise/control
// of a service directory, or .s6-svscan/control of a scan directory. It writes
// all of them or none, and never blocks. That they were written does not mean
// that they were carried out. Without commands nothing is written, and the
// error says whether there is a reader.
//
// Errors satisfy errors.Is for ErrNotSupervised, with fs.ErrNotExist where
// the FIFO does not exist, and for ErrControlFull.
func WriteControl[C Command | ScanCommand](path string, cmds ...C) error {
	if err := writeControl(path, commandBytes(cmds)); err != nil {
		return fmt.Errorf("cannot send %q to %s: %w", commandBytes(cmds), path, err)
	}
	return nil
}

func commandBytes[C Command | ScanCommand](cmds []C) []byte {
	b := make([]byte, len(cmds))
	for i, c := range cmds {
		b[i] = byte(c)
	}
	return b
}

func writeControl(path string, cmds []byte) error {
	// A write of more is not atomic; see pipe(7).
	const pipeBuf = 4096
	if len(cmds) > pipeBuf {
		return fmt.Errorf("%d commands are more than the %d of one write", len(cmds), pipeBuf)
	}
	fd, err := openRaw(path, unix.O_WRONLY|unix.O_NONBLOCK)
	switch {
	case errors.Is(err, unix.ENXIO), errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w: %w", ErrNotSupervised, err)
	case err != nil:
		return err
	}
	defer unix.Close(fd)
	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err != nil {
		return err
	}
	if stat.Mode&unix.S_IFMT != unix.S_IFIFO {
		return errors.New("it is no FIFO")
	}
	if len(cmds) == 0 {
		return nil
	}
	for {
		_, err = unix.Write(fd, cmds)
		switch {
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EAGAIN):
			return fmt.Errorf("%w: %w", ErrControlFull, err)
		case errors.Is(err, unix.EPIPE):
			return fmt.Errorf("%w: %w", ErrNotSupervised, err)
		default:
			return err
		}
	}
}

// openRaw opens a file without the Go poller, which is of no use for a
// descriptor that is closed again at once. The error is an errno.
func openRaw(path string, flags int) (int, error) {
	for {
		fd, err := unix.Open(path, flags|unix.O_CLOEXEC, 0)
		if !errors.Is(err, unix.EINTR) {
			return fd, err
		}
	}
}
