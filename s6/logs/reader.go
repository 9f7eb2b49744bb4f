package logs

import (
	"container/heap"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"path"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/filesystem"
	"github.com/evenkeel/evenkeel/s6/s6log"
)

// lookEvery is from one look at the logs to the next.
const lookEvery = 200 * time.Millisecond

// Instances returns the names of the instances that have a log in dir, the
// directory of all logs, sorted. Instances of which only the log is left are among
// them. The error wraps fs.ErrNotExist where dir is not there.
func Instances(fsys filesystem.FS, dir string) ([]string, error) {
	entries, err := fsys.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("cannot list logs: %w", err)
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() && !strings.HasPrefix(e.Name(), ".") {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// Options say what a Reader delivers.
type Options struct {
	// Names are the instances whose lines are delivered, as Instances returns them;
	// none means all, also those of which a log appears later. One that has no log
	// yet has no lines yet.
	Names []string
	// Only is asked whether an instance's lines are delivered, in each look until it
	// has said so once; nil means that all are. Until then nothing of the log is
	// opened, and from then on what was printed since Open is delivered.
	Only func(instance string) bool
	// Since leaves out lines of before, by the clock of the logger. The zero time
	// leaves out none.
	Since time.Time
	// Last is how many of the lines that are there are delivered of each instance,
	// the newest; negative means all of them. Of a log that appears later all are.
	Last int
	// Follow means that lines are delivered as they are written, and not only those
	// that are there.
	Follow bool
	// Until ends a Reader that follows, when it is closed, after what has been
	// written by then; nil means that only its context does. What a logger has read
	// by then and not written yet is waited for, for as long as from one look to the
	// next.
	Until <-chan struct{}
}

// Reader reads the lines of several instances. It is not safe for use by several
// goroutines at once.
type Reader struct {
	fsys    filesystem.FS
	dir     string
	options Options
	sources map[string]*source
	opened  bool   // the directory of all logs has been listed, or was not there
	told    string // what was told of that
	wrong   error  // what is to be told of it
}

// Open begins to read the logs in dir, the directory of all logs: what is written
// from now on counts as new. It does not fail: what is wrong is among the lines, by
// instance, and keeps no other from being read. A directory that is not there is
// not wrong, for it may come.
func Open(fsys filesystem.FS, dir string, o Options) *Reader {
	r := &Reader{fsys: fsys, dir: dir, options: o, sources: make(map[string]*source)}
	r.list()
	for _, s := range r.sources {
		if s.wanted {
			_ = s.open() // it is tried again, and told then
		}
	}
	return r
}

// Lines delivers the lines, those of each instance in the order of its log and all
// in the order of their times, and closes the Reader at the end: when all have been
// delivered that were there, or where it follows, when ctx ends or Options.Until
// says so. It can be called once.
//
// Lines that were written while others were read wait for the next look, so that
// none of before comes after them. Where the clock was set, the order is that of
// the stamps that are compared.
func (r *Reader) Lines(ctx context.Context) iter.Seq[Line] {
	return func(yield func(Line) bool) {
		defer r.Close()
		look := time.NewTicker(lookEvery)
		defer look.Stop()
		for last := !r.options.Follow; r.look(ctx, yield) && !last; r.list() {
			select {
			case <-ctx.Done():
				return
			case <-look.C:
			case <-r.options.Until:
				last = true
				look.Reset(lookEvery)
				select {
				case <-ctx.Done():
					return
				case <-look.C:
				}
			}
		}
	}
}

// Close closes what is open. Lines does so, too.
func (r *Reader) Close() {
	for _, s := range r.sources {
		s.close()
	}
	clear(r.sources)
}

// list finds the instances there are.
func (r *Reader) list() {
	names := r.options.Names
	if len(names) == 0 {
		var err error
		names, err = Instances(r.fsys, r.dir)
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		if r.tell(err); err != nil {
			return
		}
	}
	for _, s := range r.sources {
		s.gone = true
	}
	for _, name := range names {
		if s, known := r.sources[name]; known {
			s.gone = false
			continue
		}
		r.sources[name] = r.source(name)
	}
	r.opened = true
}

// source returns the log of an instance that is new.
func (r *Reader) source(name string) *source {
	s := &source{
		fsys: r.fsys, name: name, dir: path.Join(r.dir, name),
		past:   s6log.Past{Last: r.options.Last, Since: r.options.Since},
		wanted: r.options.Only == nil || r.options.Only(name),
	}
	switch {
	case r.opened:
		s.past.Last = -1 // what came later is new as a whole
	case !s.wanted:
		s.past.Last = -1
		if now := time.Now(); s.past.Since.Before(now) {
			s.past.Since = now
		}
	}
	return s
}

// tell has an error about all logs told, if it is another one than before.
func (r *Reader) tell(err error) {
	told := r.told
	r.told = ""
	if err != nil {
		r.told = err.Error()
	}
	if r.told != told {
		r.wrong = err
	}
}

// look delivers what was written before it began, and reports whether more is
// wanted.
func (r *Reader) look(ctx context.Context, yield func(Line) bool) bool {
	begun := time.Now()
	if wrong := r.wrong; wrong != nil {
		r.wrong = nil
		if !yield(Line{Err: wrong}) {
			return false
		}
	}
	var due queue
	for _, s := range r.sources {
		if !s.wanted {
			s.wanted = r.options.Only(s.name)
		}
		if !r.fill(s, yield) {
			return false
		}
		if s.next != nil {
			due = append(due, s)
		}
	}
	heap.Init(&due)
	for len(due) > 0 {
		s := due[0]
		if ctx.Err() != nil {
			return false
		}
		meanwhile := s.next.At.After(begun) && !s.next.At.After(time.Now())
		if !meanwhile && !(yield(s.pop()) && r.fill(s, yield)) {
			return false
		}
		if meanwhile || s.next == nil {
			heap.Pop(&due)
		} else {
			heap.Fix(&due, 0)
		}
	}
	return ctx.Err() == nil
}

// fill has the next line of a source at hand, tells what is wrong with it, and
// forgets it when it is gone and has no more. It reports whether more is wanted.
func (r *Reader) fill(s *source, yield func(Line) bool) bool {
	wanted := true
	if s.wanted {
		if wrong := s.fill(); wrong != nil {
			wanted = yield(Line{Instance: s.name, Err: wrong})
		}
	}
	if s.gone && s.next == nil {
		s.close()
		delete(r.sources, s.name)
	}
	return wanted
}

// queue has the sources with a line at hand, the oldest line first: a heap.
type queue []*source

// Len implements heap.Interface.
func (q queue) Len() int { return len(q) }

// Less implements heap.Interface.
func (q queue) Less(i, j int) bool {
	if c := q[i].next.At.Compare(q[j].next.At); c != 0 {
		return c < 0
	}
	return q[i].name < q[j].name
}

// Swap implements heap.Interface.
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }

// Push implements heap.Interface.
func (q *queue) Push(s any) { *q = append(*q, s.(*source)) }

// Pop implements heap.Interface.
func (q *queue) Pop() any {
	s := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return s
}
