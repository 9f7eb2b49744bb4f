package inotify

import (
	"bytes"
	"encoding/binary"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// read tells what happens, until the notifier is closed.
func (n *Notifier) read() {
	defer close(n.done)
	timer := time.NewTimer(0)
	defer timer.Stop()
	buf := make([]byte, 64<<10)
	for {
		select {
		case <-n.stop:
			return
		case <-timer.C:
		}
		size, err := n.file.Read(buf)
		if err != nil {
			return
		}
		for w, lost := range n.heard(buf[:size]) {
			w.tell(lost)
		}
		timer.Reset(pause)
	}
}

// heard returns who is to be told of events, and whether less will be told to them
// from now on.
func (n *Notifier) heard(events []byte) map[*Watch]bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	to := make(map[*Watch]bool)
	for len(events) >= unix.SizeofInotifyEvent {
		e := event{
			id:   int(int32(binary.NativeEndian.Uint32(events))),
			mask: binary.NativeEndian.Uint32(events[4:]),
		}
		size := unix.SizeofInotifyEvent + int(binary.NativeEndian.Uint32(events[12:]))
		name, _, _ := bytes.Cut(events[unix.SizeofInotifyEvent:size], []byte{0})
		e.name, events = string(name), events[size:]
		if e.mask&unix.IN_Q_OVERFLOW != 0 {
			n.all(to)
			continue
		}
		for _, p := range n.others[e.id] {
			if lost := e.loses(); lost || e.concerns(&p.dir) {
				to[p.watch] = to[p.watch] || lost
			}
		}
		if e.mask&unix.IN_IGNORED != 0 {
			delete(n.others, e.id) // the kernel has removed it
		}
	}
	return to
}

// all notes everybody: the kernel had no room for what has happened.
func (n *Notifier) all(to map[*Watch]bool) {
	for _, places := range n.others {
		for _, p := range places {
			to[p.watch] = to[p.watch] || false
		}
	}
}

// event is one of inotify(7).
type event struct {
	id   int
	mask uint32
	name string
}

// loses reports whether the directory is not there any more.
func (e *event) loses() bool {
	return e.mask&(unix.IN_IGNORED|unix.IN_UNMOUNT|unix.IN_DELETE_SELF|unix.IN_MOVE_SELF) != 0
}

// concerns reports whether it is to be told of a directory.
func (e *event) concerns(dir *Dir) bool {
	if e.name == "" || dir.Names != nil && !slices.Contains(dir.Names, e.name) {
		return false
	}
	return !dir.Gone || e.mask&(unix.IN_DELETE|unix.IN_MOVED_FROM) != 0
}
