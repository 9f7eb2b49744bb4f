package simulate

import (
	"fmt"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/evenkeel/evenkeel/filesystem/filesystemtest"
)

// fault is something that is wrong with operations for a while.
type fault struct {
	says  string
	until time.Time
	kinds filesystemtest.Kind
	part  string // of the path or name
	oneIn int    // so many are hit, by chance; 1 is all
	err   error
	torn  bool
	done  bool // it fails though done
	room  *int // a full disk has that many bytes left
	most  int  // a slow operation takes up to so many microseconds
	hangs bool
}

// faults are those of the moment.
type faults struct {
	mu  sync.Mutex // guards the two below
	all []*fault
	end chan struct{} // closed when what hangs is let go
}

func newFaults() *faults { return &faults{end: make(chan struct{})} }

// add lets a fault begin.
func (f *faults) add(one *fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.all = append(f.all, one)
}

// clear ends all faults, and what hangs.
func (f *faults) clear() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.all = nil
	close(f.end)
	f.end = make(chan struct{})
}

// usualTurn is how many microseconds an operation takes at most where nothing is
// wrong.
const usualTurn = 30

// settleTime is how long a manager may take to see what has changed, such as that
// nothing is wrong any more.
const settleTime = 25 * time.Second

// sway is what faults do to an operation: how many microseconds it takes, until
// when it hangs, and how it fails.
type sway struct {
	most  int
	hangs time.Time
	let   <-chan struct{} // it hangs no longer
	fault filesystemtest.Fault
}

// on returns what becomes of an operation. lot is drawn for it.
func (f *faults) on(op filesystemtest.Op, lot uint64) sway {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := sway{most: usualTurn, let: f.end}
	if len(f.all) == 0 {
		return s
	}
	now := time.Now()
	kept := f.all[:0]
	for n, one := range f.all {
		if now.Sub(one.until) > settleTime {
			continue
		}
		kept = append(kept, one)
		if now.Before(one.until) && one.hits(op, mix(lot, uint64(n))) {
			one.apply(op, lot, &s)
		}
	}
	f.all = kept
	return s
}

// hang reports whether operations may hang at present, or lately could.
func (f *faults) hang() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, one := range f.all {
		if (one.hangs || one.most > 0) && time.Since(one.until) < settleTime {
			return true
		}
	}
	return false
}

// lately reports whether anything is wrong with operations, or lately was.
func (f *faults) lately() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, one := range f.all {
		if time.Since(one.until) < settleTime {
			return true
		}
	}
	return false
}

func (one *fault) hits(op filesystemtest.Op, lot uint64) bool {
	return one.kinds&op.Kind != 0 && lot%uint64(one.oneIn) == 0 &&
		(one.part == "" || strings.Contains(op.Path, one.part) || strings.Contains(op.To, one.part))
}

func (one *fault) apply(op filesystemtest.Op, lot uint64, s *sway) {
	switch {
	case one.hangs:
		s.hangs = one.until
	case one.most > 0:
		s.most = one.most
	case s.fault.Err != nil:
	case one.room == nil:
		s.fault = filesystemtest.Fault{Err: one.err, Torn: one.torn, Keep: int(lot>>33) % (op.Size + 1), Done: one.done}
	case op.Size <= *one.room && op.Kind&filesystemtest.Writes != 0:
		*one.room -= op.Size
	default:
		s.fault = filesystemtest.Fault{Err: one.err, Torn: one.torn, Keep: *one.room}
	}
}

// newFault returns the fault of an action that brings one about.
func newFault(a Action, until time.Time) *fault {
	one := &fault{until: until, kinds: filesystemtest.Reads | filesystemtest.Changes, oneIn: 1}
	switch a.What {
	case Fill:
		room := a.N
		one.kinds, one.err, one.torn, one.room = filesystemtest.Writes|filesystemtest.Mkdir|filesystemtest.MkdirAll|filesystemtest.Symlink, syscall.ENOSPC, true, &room
		one.says = fmt.Sprintf("the disk has room for %d bytes", room)
	case ReadOnly:
		one.kinds, one.err = filesystemtest.Changes&^filesystemtest.Command, syscall.EROFS
		one.says = "the filesystem is read-only"
	case Slow:
		one.most, one.says = a.N, fmt.Sprintf("operations take up to %d µs", a.N)
	case Hang:
		one.hangs, one.oneIn, one.says = true, a.N, fmt.Sprintf("one operation in %d hangs", a.N)
	default:
		one.choose(a.N)
	}
	one.says = fmt.Sprintf("%s, for %v", one.says, a.For)
	return one
}

// choose chooses which operations fail and how.
func (one *fault) choose(n int) {
	kinds := []filesystemtest.Kind{
		filesystemtest.Reads, filesystemtest.Changes, filesystemtest.Reads | filesystemtest.Changes,
		filesystemtest.Writes, filesystemtest.RemoveAll | filesystemtest.Rename | filesystemtest.Remove, filesystemtest.Command, filesystemtest.Query, filesystemtest.Lstat | filesystemtest.ReadDir | filesystemtest.Readlink,
	}
	parts := []string{"", "", "", "", "a", "manifest.json", "run", "down", "hash", "status", "log", "started", "env", "lock", "supervisor"}
	errs := []error{syscall.EIO, syscall.EIO, syscall.EMFILE, syscall.EACCES, syscall.ENOSPC}
	one.kinds, n = kinds[n%len(kinds)], n/len(kinds)
	one.part, n = parts[n%len(parts)], n/len(parts)
	one.err, n = errs[n%len(errs)], n/len(errs)
	one.oneIn, n = []int{1, 1, 3, 20}[n%4], n/4
	one.torn, one.done = n%3 == 1, n%3 == 2
	which := one.kinds.String()
	if one.part != "" {
		which += " with " + one.part + " in the name"
	}
	one.says = fmt.Sprintf("one in %d of %s fails: %v", one.oneIn, which, one.err)
	if one.torn {
		one.says += ", half done"
	}
	if one.done {
		one.says += ", though done"
	}
}
