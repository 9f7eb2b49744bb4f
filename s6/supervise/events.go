package supervise

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/evenkeel/evenkeel/filesystem"
)

// Event is one byte that s6-supervise writes into the event directory of its
// service. It writes the status before each event but EventFailed and
// EventSupervisorExited, so that a status read after an event is at least as
// new. There is no event for a pause, for a change of WantUp, nor for the
// death of s6-supervise by SIGKILL.
type Event byte

// The events of s6-supervise.
const (
	// EventSupervisorStarted: s6-supervise serves the directory.
	EventSupervisorStarted Event = 's'
	// EventUp: run was started.
	EventUp Event = 'u'
	// EventReady: the service announced readiness.
	EventReady Event = 'U'
	// EventDied: run died.
	EventDied Event = 'd'
	// EventFinished: the finish script is done, or there is none.
	EventFinished Event = 'D'
	// EventFailed: finish exited with 125, so that the service will not start
	// again until it is told to. EventFinished follows.
	EventFailed Event = 'O'
	// EventSupervisorExited: s6-supervise exits, as CommandExit told it to.
	EventSupervisorExited Event = 'x'
)

// String returns a word for the event, or the quoted byte.
func (e Event) String() string {
	switch e {
	case EventSupervisorStarted:
		return "supervisor started"
	case EventUp:
		return "up"
	case EventReady:
		return "ready"
	case EventDied:
		return "died"
	case EventFinished:
		return "finished"
	case EventFailed:
		return "failed"
	case EventSupervisorExited:
		return "supervisor exited"
	}
	return fmt.Sprintf("event %q", byte(e))
}

// Subscription is a FIFO in an event directory and the goroutine that reads
// it. It costs one file descriptor.
type Subscription struct {
	path string
	fifo *os.File
	done chan struct{}

	closing  sync.Once
	closeErr error
}

// Subscribe calls fn for each event in an event directory, in order, from one
// goroutine, until Close. fn should return soon: the kernel keeps 64 KiB of
// events, and s6 drops what does not fit. fn must not call Close.
//
// Read the status after Subscribe returns, not before: what happens between
// the two is then seen in the status, in an event, or in both. Events are
// hints, and bytes of unknown meaning are passed on as they come.
//
// The directory must exist. s6-supervise makes it when it starts, and uses one
// that is there. When it is removed no more events come, and Linked reports
// that. A subscriber that is killed leaves its FIFO behind; the next event
// removes it.
func Subscribe(eventDir string, fn func(Event)) (*Subscription, error) {
	path, fifo, err := makeFIFO(eventDir)
	if err != nil {
		return nil, fmt.Errorf("cannot subscribe to events in %s: %w", eventDir, err)
	}
	s := &Subscription{path: path, fifo: fifo, done: make(chan struct{})}
	go s.read(fn)
	return s, nil
}

// makeFIFO makes a FIFO that s6's writers find, named ftrig1:, a TAI64N label,
// a colon and six characters: 39 characters in all. Until the FIFO has a reader
// its name begins with a dot, for a writer removes a FIFO that has none.
func makeFIFO(dir string) (path string, fifo *os.File, err error) {
	name := fmt.Sprintf("ftrig1:%s:%.6s", FormatTAI64N(time.Now()), rand.Text())
	path = filepath.Join(dir, name)
	hidden := filepath.Join(dir, filesystem.TempPrefix+name)
	if err := unix.Mkfifo(hidden, 0o622); err != nil {
		return "", nil, &fs.PathError{Op: "mkfifo", Path: hidden, Err: err}
	}
	defer func() {
		if err != nil {
			os.Remove(hidden)
		}
	}()
	// Open for writing too: without a writer of its own a reader sees the
	// end of the file after every event. Linux lets one descriptor be both.
	fifo, err = os.OpenFile(hidden, os.O_RDWR|syscall.O_NONBLOCK, 0)
	if err != nil {
		return "", nil, err
	}
	// The umask removed bits that a supervisor of another user needs.
	err = fifo.Chmod(0o622)
	if err == nil {
		err = os.Rename(hidden, path)
	}
	if err != nil {
		fifo.Close()
		return "", nil, err
	}
	return path, fifo, nil
}

func (s *Subscription) read(fn func(Event)) {
	defer close(s.done)
	var buf [64]byte
	for {
		n, err := s.fifo.Read(buf[:])
		for _, b := range buf[:n] {
			fn(Event(b))
		}
		if err != nil {
			return
		}
	}
}

// Linked reports whether the FIFO is still in its directory. If it is not,
// because the directory was removed, no more events come: Close the
// subscription and, once the directory is back, make another.
func (s *Subscription) Linked() bool {
	var stat unix.Stat_t
	return !errors.Is(unix.Lstat(s.path, &stat), fs.ErrNotExist)
}

// Path returns where the FIFO is.
func (s *Subscription) Path() string { return s.path }

// Close removes the FIFO and waits for the goroutine: when it returns, fn is
// not running and will not be called. A FIFO that is gone already is no error.
// Close may be called more than once and returns the same.
func (s *Subscription) Close() error {
	s.closing.Do(func() {
		err := os.Remove(s.path)
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		s.closeErr = errors.Join(err, s.fifo.Close())
	})
	<-s.done
	return s.closeErr
}
