package filesystemtest

import (
	"errors"
	"fmt"
	"path"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// ErrCrashed is the error of every operation from a [Crash] on.
var ErrCrashed = errors.New("crashed")

// Fault is what becomes of an operation. The zero Fault lets it through.
type Fault struct {
	// Err fails the operation, which is not done at all unless Torn is set.
	Err error
	// Torn leaves part of a failing operation done: of WriteFile and AppendFile
	// the first Keep bytes; of MkdirAll the parents; of RemoveAll the first half of the
	// entries gone. ReplaceFile leaves a temporary file with Keep bytes, and
	// that only where Err is ErrCrashed. Others have no parts.
	Torn bool
	Keep int
	// Done: the operation is done, and fails all the same.
	Done bool
}

// part returns what a torn write leaves of data.
func (f Fault) part(data []byte) []byte { return data[:min(max(f.Keep, 0), len(data))] }

// Injector decides what becomes of operations. Its methods may be called by
// any number of goroutines at once. String returns it as it is written in Go.
type Injector interface {
	// Inject returns what becomes of the operation; the zero Fault lets it be.
	Inject(op Op) Fault
	String() string
}

// Fail fails every operation with err.
func Fail(err error) Injector { return fail{err} }

type fail struct{ err error }

func (i fail) Inject(Op) Fault { return Fault{Err: i.err} }
func (i fail) String() string  { return fmt.Sprintf("Fail(%v)", i.err) }

// FailNth fails the n-th operation that reaches it, counted from 1.
func FailNth(n int, err error) Injector {
	return &nth{n: n, name: fmt.Sprintf("FailNth(%d, %v)", n, err), fault: func(Op) Fault {
		return Fault{Err: err}
	}}
}

// LoseNth does the n-th operation that reaches it and fails it with err all the
// same: nobody learns that it was done.
func LoseNth(n int, err error) Injector {
	return &nth{n: n, name: fmt.Sprintf("LoseNth(%d, %v)", n, err), fault: func(Op) Fault {
		return Fault{Err: err, Done: true}
	}}
}

// TearNth fails the n-th operation that reaches it with err, half done where it
// has parts: see [Fault].
func TearNth(n int, err error) Injector {
	return &nth{n: n, name: fmt.Sprintf("TearNth(%d, %v)", n, err), fault: func(op Op) Fault {
		return Fault{Err: err, Torn: true, Keep: op.Size / 2}
	}}
}

// FailFrom fails the n-th operation that reaches it with err, and all that
// follow for d by time.Now.
func FailFrom(n int, d time.Duration, err error) Injector {
	return &from{n: n, d: d, err: err}
}

type from struct {
	n   int
	d   time.Duration
	err error

	mu   sync.Mutex // guards what follows
	seen int
	end  time.Time
}

func (i *from) Inject(Op) Fault {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.seen++
	if i.seen == i.n {
		i.end = time.Now().Add(i.d)
	}
	if i.seen < i.n || !time.Now().Before(i.end) {
		return Fault{}
	}
	return Fault{Err: i.err}
}

func (i *from) String() string { return fmt.Sprintf("FailFrom(%d, %v, %v)", i.n, i.d, i.err) }

// Crash lets the code under test die at the n-th operation that reaches it.
// That operation is torn half way; it and all that follow, whatever their path
// or kind, fail with [ErrCrashed]. The filesystem below stays as the crash left
// it. It is the death of the process, not of the machine: what was written is
// there.
func Crash(n int) Injector {
	return &nth{n: n, name: fmt.Sprintf("Crash(%d)", n), fault: func(op Op) Fault {
		return Fault{Err: ErrCrashed, Torn: true, Keep: op.Size / 2}
	}}
}

// CrashAfter is [Crash] at the n-th operation that reaches it once that is done.
func CrashAfter(n int) Injector {
	return &nth{n: n, name: fmt.Sprintf("CrashAfter(%d)", n), fault: func(Op) Fault {
		return Fault{Err: ErrCrashed, Done: true}
	}}
}

// TornWrite fails the n-th WriteFile, ReplaceFile or AppendFile that reaches it with
// syscall.EIO after keep bytes.
func TornWrite(n, keep int) Injector {
	torn := &nth{n: n, fault: func(Op) Fault {
		return Fault{Err: syscall.EIO, Torn: true, Keep: keep}
	}}
	return onKind{Writes, torn, fmt.Sprintf("TornWrite(%d, %d)", n, keep)}
}

// nth is a fault at the n-th operation that reaches it.
type nth struct {
	n     int
	seen  atomic.Int64
	name  string
	fault func(Op) Fault
}

func (i *nth) Inject(op Op) Fault {
	if i.seen.Add(1) != int64(i.n) {
		return Fault{}
	}
	return i.fault(op)
}

func (i *nth) String() string { return i.name }

// FullDisk has room for so many bytes of WriteFile, ReplaceFile and AppendFile. A write
// that does not fit leaves the part that does and fails with syscall.ENOSPC. A
// ReplaceFile that failed gives its room back; removing or replacing a file
// does not.
func FullDisk(room int) Injector {
	d := &fullDisk{name: fmt.Sprintf("FullDisk(%d)", room)}
	d.room.Store(int64(room))
	return d
}

type fullDisk struct {
	name string
	room atomic.Int64 // bytes left
}

func (d *fullDisk) Inject(op Op) Fault {
	if op.Kind&Writes == 0 {
		return Fault{}
	}
	for {
		room := d.room.Load()
		fits := min(int64(op.Size), room)
		left := room - fits
		full := fits < int64(op.Size)
		if full && op.Kind == ReplaceFile {
			left = room
		}
		if !d.room.CompareAndSwap(room, left) {
			continue
		}
		if full {
			return Fault{Err: syscall.ENOSPC, Torn: true, Keep: int(fits)}
		}
		return Fault{}
	}
}

func (d *fullDisk) String() string { return d.name }

// OnKind passes on the operations of some kinds.
func OnKind(kinds Kind, injector Injector) Injector {
	return onKind{kinds, injector, fmt.Sprintf("OnKind(%s, %s)", kinds, injector)}
}

type onKind struct {
	kinds    Kind
	injector Injector
	name     string
}

func (i onKind) Inject(op Op) Fault {
	if op.Kind&i.kinds == 0 {
		return Fault{}
	}
	return i.injector.Inject(op)
}

func (i onKind) String() string { return i.name }

// News passes on operations that change something, and of the others, which may
// come again and again, each the first so many times that it comes: of one
// kind, on one name.
func News(times int, injector Injector) Injector {
	return &news{times: times, injector: injector, seen: make(map[Op]int)}
}

type news struct {
	times    int
	injector Injector

	mu   sync.Mutex // guards seen
	seen map[Op]int // by kind and names
}

func (i *news) Inject(op Op) Fault {
	i.mu.Lock()
	same := Op{Kind: op.Kind, Path: op.Path, To: op.To}
	i.seen[same]++
	times := i.seen[same]
	i.mu.Unlock()
	if op.Kind&Changes == 0 && times > i.times {
		return Fault{}
	}
	return i.injector.Inject(op)
}

func (i *news) String() string { return fmt.Sprintf("News(%d, %s)", i.times, i.injector) }

// OnPath passes on the operations whose name, or new name, matches glob in
// the sense of path.Match; a glob without a slash is matched with the last
// element. A malformed glob fails every operation with path.ErrBadPattern.
func OnPath(glob string, injector Injector) Injector { return onPath{glob, injector} }

type onPath struct {
	glob     string
	injector Injector
}

func (i onPath) Inject(op Op) Fault {
	matches, err := i.match(op.Path)
	if err == nil && !matches && op.To != "" {
		matches, err = i.match(op.To)
	}
	switch {
	case err != nil:
		return Fault{Err: fmt.Errorf("cannot match %q: %w", i.glob, err)}
	case !matches:
		return Fault{}
	}
	return i.injector.Inject(op)
}

func (i onPath) match(name string) (bool, error) {
	if !strings.Contains(i.glob, "/") {
		name = path.Base(name)
	}
	return path.Match(i.glob, name)
}

func (i onPath) String() string { return fmt.Sprintf("OnPath(%q, %s)", i.glob, i.injector) }
