package inotify

import (
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// pause is left between two looks at what has happened, so that whoever does much in
// a directory costs little. What happens after quiet is told at once.
const pause = 10 * time.Millisecond

// attended are the events that are listened to. What is closed after it was written
// to may be a lock: the kernel closes what a process had open when that ends.
const attended = unix.IN_ATTRIB | unix.IN_CLOSE_WRITE | unix.IN_CREATE | unix.IN_DELETE |
	unix.IN_MOVED_FROM | unix.IN_MOVED_TO | unix.IN_DELETE_SELF | unix.IN_MOVE_SELF | unix.IN_ONLYDIR

// Notifier is one inotify instance, with a goroutine that reads it.
type Notifier struct {
	file *os.File
	done chan struct{}
	stop chan struct{}

	mu     sync.Mutex // guards all below
	fd     int        // -1 once it is closed
	others map[int][]place
}

// place is a directory of a Watch.
type place struct {
	watch *Watch
	dir   Dir
}

// Dir is a directory, and what is told of it.
type Dir struct {
	Path string
	// Names are those in it of which something is told; nil means all. Of the
	// directory itself it is told that it was deleted or moved.
	Names []string
	// Gone: what is told of a name is that it is there no more.
	Gone bool
}

// Watch is what somebody listens to.
type Watch struct {
	notifier *Notifier
	ids      []int // of its directories; guarded by notifier.mu

	mu   sync.Mutex // guards all below, and is held while fn is called
	fn   func()     // nil once it is closed
	lost bool
}

// New returns a notifier. The caller closes it.
func New() (*Notifier, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, os.NewSyscallError("inotify_init1", err)
	}
	n := &Notifier{
		file: os.NewFile(uintptr(fd), "inotify"), done: make(chan struct{}), stop: make(chan struct{}),
		fd: fd, others: make(map[int][]place),
	}
	go n.read()
	return n, nil
}

// Close ends all watches, and waits for the goroutine.
func (n *Notifier) Close() error {
	n.mu.Lock()
	if n.fd < 0 {
		n.mu.Unlock()
		return nil
	}
	n.fd = -1
	close(n.stop)
	err := n.file.Close()
	n.mu.Unlock()
	<-n.done
	return err
}

// Watch calls fn some time after something has happened in directories, which exist,
// once for all that happens within milliseconds. It is called from one goroutine,
// and must not call Close.
//
// What happens after Watch has returned is told. An error leaves nothing watched.
func (n *Notifier) Watch(dirs []Dir, fn func()) (*Watch, error) {
	w := &Watch{notifier: n, fn: fn}
	for _, dir := range dirs {
		if err := n.add(w, dir); err != nil {
			w.Close()
			return nil, err
		}
	}
	return w, nil
}

func (n *Notifier) add(w *Watch, dir Dir) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.fd < 0 {
		return fmt.Errorf("cannot watch %s: %w", dir.Path, os.ErrClosed)
	}
	id, err := unix.InotifyAddWatch(n.fd, dir.Path, attended)
	if err != nil {
		return &fs.PathError{Op: "inotify_add_watch", Path: dir.Path, Err: err}
	}
	n.others[id] = append(n.others[id], place{w, dir})
	w.ids = append(w.ids, id)
	return nil
}

// Whole reports whether each of the directories is still the one that it was. If
// one is not, less is told.
func (w *Watch) Whole() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.lost && w.fn != nil
}

// Close ends the watch: when it has returned, fn is not running and will not be
// called.
func (w *Watch) Close() {
	w.notifier.remove(w)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fn = nil
}

func (n *Notifier) remove(w *Watch) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, id := range w.ids {
		var rest []place
		for _, p := range n.others[id] {
			if p.watch != w {
				rest = append(rest, p)
			}
		}
		if n.others[id] = rest; rest != nil {
			continue
		}
		delete(n.others, id)
		if n.fd >= 0 {
			_, _ = unix.InotifyRmWatch(n.fd, uint32(id)) // the directory may be gone, and the watch with it
		}
	}
	w.ids = nil
}

// tell tells that something has happened; lost says that less will be told from now on.
func (w *Watch) tell(lost bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lost = w.lost || lost
	if w.fn != nil {
		w.fn()
	}
}
