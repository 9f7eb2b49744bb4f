package supervise

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"syscall"
	"time"

	"github.com/evenkeel/evenkeel/filesystem"
)

// The lengths of a status file tell the two layouts apart: the file has no
// version in it.
const (
	// StatusSize is the length up to s6 2.12 and again from 2.14.
	StatusSize = 35
	// StatusSizeWithPGID is the length in s6 2.13, which also writes the
	// process group.
	StatusSizeWithPGID = 43
)

// The bits of the last byte of a status file.
const (
	flagPaused    = 1 << 0
	flagFinishing = 1 << 1
	flagWantUp    = 1 << 2
	flagReady     = 1 << 3
)

// Status is what s6-supervise says of its service in supervise/status. The file
// stays behind when s6-supervise ends, however it ends: it describes the
// present only while LockHolder says that a supervisor is alive.
type Status struct {
	// Stamp is when the service last went up or down.
	Stamp time.Time `json:"stamp,omitzero"`
	// ReadyStamp is when it last became ready, or when its finish script
	// ended; zero before either.
	ReadyStamp time.Time `json:"readyStamp,omitzero"`
	// PID is the process of run, or that of finish while Finishing; 0 when
	// there is neither.
	PID int `json:"pid,omitempty"`
	// PGID is its process group as s6 2.13 writes it, 0 from other versions.
	PGID int `json:"pgid,omitempty"`
	// WaitStatus is how run last died. It keeps the value of the previous
	// death while the service is up.
	WaitStatus WaitStatus `json:"waitStatus,omitempty"`
	// Paused means that the process was stopped by a command.
	Paused bool `json:"paused,omitempty"`
	// NotStarted means that the supervisor has not started run yet, and has not
	// been told not to. The file has the same bit for it as for Paused, of a
	// service without a process.
	NotStarted bool `json:"notStarted,omitempty"`
	// Finishing means that run has died and finish is running.
	Finishing bool `json:"finishing,omitempty"`
	// WantUp means that s6-supervise will start the service again. It is false
	// after a down command, and after finish exited with 125; a status does not
	// tell the two apart.
	WantUp bool `json:"wantUp,omitempty"`
	// Ready means that a service that is up has announced readiness, or that a
	// service that is down has finished its finish script.
	Ready bool `json:"ready,omitempty"`
}

// Up reports whether run is running.
func (s Status) Up() bool {
	return s.PID != 0 && !s.Finishing
}

// FinishDone reports whether the service is down with its finish script done,
// which is the ordinary state of a service that is down. If WantUp is set it is
// about to start again.
func (s Status) FinishDone() bool {
	return s.PID == 0 && s.Ready
}

// WaitStatus is a raw wait status, as waitpid(2) gives it on Linux.
type WaitStatus uint16

// Exited reports whether the process exited by itself. Zero, which is also
// the status of a service that never died, counts as an exit with code 0.
func (w WaitStatus) Exited() bool { return w&0x7f == 0 }

// ExitCode returns the exit code, -1 if the process did not exit.
func (w WaitStatus) ExitCode() int {
	if !w.Exited() {
		return -1
	}
	return int(w >> 8)
}

// Signaled reports whether a signal killed the process.
func (w WaitStatus) Signaled() bool { return w&0x7f != 0 && w&0x7f != 0x7f }

// Signal returns the signal that killed the process, -1 if none did.
func (w WaitStatus) Signal() syscall.Signal {
	if !w.Signaled() {
		return -1
	}
	return syscall.Signal(w & 0x7f)
}

// String returns "exit 1", "signal 15 (terminated)" or the number.
func (w WaitStatus) String() string {
	switch {
	case w.Exited():
		return fmt.Sprintf("exit %d", w.ExitCode())
	case w.Signaled():
		return fmt.Sprintf("signal %d (%s)", int(w.Signal()), w.Signal())
	}
	return fmt.Sprintf("wait status %#04x", uint16(w))
}

// StatusSizeError is the error for a status of a length that no known version
// of s6 writes.
type StatusSizeError struct {
	// Size is the length in bytes; a file of 64 or more counts as 64.
	Size int
}

// Error implements error.
func (e *StatusSizeError) Error() string {
	return fmt.Sprintf("cannot read status: it has %d bytes, known are %d and %d", e.Size, StatusSize, StatusSizeWithPGID)
}

// StatusFieldError is the error for a status with a value that cannot be.
type StatusFieldError struct {
	// Field is the name of the field in Status.
	Field string
	// Err says what is wrong with its value.
	Err error
}

// Error implements error.
func (e *StatusFieldError) Error() string {
	return fmt.Sprintf("cannot read status: %s: %v", e.Field, e.Err)
}

// Unwrap returns e.Err.
func (e *StatusFieldError) Unwrap() error { return e.Err }

var errPIDRange = errors.New("it is outside the range of a process id")

// DecodeStatus reads the content of a status file in the layout that its
// length tells. Flag bits without a meaning are ignored. The error is a
// *StatusSizeError or a *StatusFieldError.
func DecodeStatus(b []byte) (Status, error) {
	var s Status
	var err error
	if len(b) != StatusSize && len(b) != StatusSizeWithPGID {
		return Status{}, &StatusSizeError{len(b)}
	}
	if s.Stamp, err = decodeTAI64N(b[:12]); err != nil {
		return Status{}, &StatusFieldError{"Stamp", err}
	}
	if s.ReadyStamp, err = decodeTAI64N(b[12:24]); err != nil {
		return Status{}, &StatusFieldError{"ReadyStamp", err}
	}
	pid := binary.BigEndian.Uint64(b[24:])
	if pid > math.MaxInt32 {
		return Status{}, &StatusFieldError{"PID", errPIDRange}
	}
	s.PID = int(pid)
	rest := b[32:]
	if len(b) == StatusSizeWithPGID {
		pgid := binary.BigEndian.Uint64(rest)
		if pgid > math.MaxInt32 {
			return Status{}, &StatusFieldError{"PGID", errPIDRange}
		}
		s.PGID = int(pgid)
		rest = rest[8:]
	}
	s.WaitStatus = WaitStatus(binary.BigEndian.Uint16(rest))
	flags := rest[2]
	s.Finishing = flags&flagFinishing != 0
	none := s.PID == 0 && !s.Finishing
	s.Paused = flags&flagPaused != 0 && !none
	s.NotStarted = flags&flagPaused != 0 && none
	s.WantUp = flags&flagWantUp != 0
	s.Ready = flags&flagReady != 0
	return s, nil
}

// AppendStatus appends a status file of the given size, StatusSize or
// StatusSizeWithPGID, to dst. It is the inverse of DecodeStatus for every
// possible status, except that StatusSize has no room for PGID. The errors are
// those of DecodeStatus; dst is then returned unchanged.
func AppendStatus(dst []byte, s Status, size int) ([]byte, error) {
	if size != StatusSize && size != StatusSizeWithPGID {
		return dst, &StatusSizeError{size}
	}
	if s.PID < 0 || s.PID > math.MaxInt32 {
		return dst, &StatusFieldError{"PID", errPIDRange}
	}
	if s.PGID < 0 || s.PGID > math.MaxInt32 {
		return dst, &StatusFieldError{"PGID", errPIDRange}
	}
	dst = appendTAI64N(dst, s.Stamp)
	dst = appendTAI64N(dst, s.ReadyStamp)
	dst = binary.BigEndian.AppendUint64(dst, uint64(s.PID))
	if size == StatusSizeWithPGID {
		dst = binary.BigEndian.AppendUint64(dst, uint64(s.PGID))
	}
	dst = binary.BigEndian.AppendUint16(dst, uint16(s.WaitStatus))
	var flags byte
	for _, flag := range [...]struct {
		bit byte
		set bool
	}{{flagPaused, s.Paused || s.NotStarted}, {flagFinishing, s.Finishing}, {flagWantUp, s.WantUp}, {flagReady, s.Ready}} {
		if flag.set {
			flags |= flag.bit
		}
	}
	return append(dst, flags), nil
}

// statusBuffer is longer than any layout, so that a longer file is recognised.
const statusBuffer = 64

// ReadStatus reads supervise/status of a service directory. Before the first
// start of its supervisor there is none: the error then satisfies
// errors.Is(err, fs.ErrNotExist). Content that is no status gives the errors
// of DecodeStatus in a *fs.PathError.
func ReadStatus(fsys filesystem.FS, serviceDir string) (Status, error) {
	var buf [statusBuffer]byte
	name := serviceDir + "/supervise/status"
	n, err := fsys.ReadRange(name, buf[:], 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return Status{}, err
	}
	s, err := DecodeStatus(buf[:n])
	if err != nil {
		return Status{}, &fs.PathError{Op: "read", Path: name, Err: err}
	}
	return s, nil
}
