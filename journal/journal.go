package journal

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/evenkeel/evenkeel/filesystem"
	"github.com/evenkeel/evenkeel/fsm"
)

// Config says where a journal is, and how much of it there may be.
type Config struct {
	// FS and Dir are where it is. The directory is made if it is missing.
	FS  filesystem.Appender
	Dir string
	// Size in bytes is how much all files may have together; zero means 16 MiB.
	// Files is how many there may be; zero means 8, and at least 2. Where one is
	// full, the oldest is removed and another begun.
	Size  int64
	Files int
	// Queue is how many records may wait to be written; zero means 1024.
	Queue int
	// Tell is told once that the disk does not take what is written, and again after
	// that has passed; nil for nobody. It must not block.
	Tell func(error)
}

// defaults of Config.
const (
	defaultSize  = 16 << 20
	defaultFiles = 8
	defaultQueue = 1024
)

// Journal is a journal that is written. It is for any number of goroutines. Two that
// write into one directory spoil each other's records.
type Journal struct {
	queue  chan entry
	lost   atomic.Int64  // that did not fit into queue
	epoch  atomic.Uint64 // changes when all instances are to be recorded again
	ending chan struct{} // closed by Close
	close  func()
	done   chan struct{} // closed when the last record is written
	failed error         // why not all is, once done is closed

	mu     sync.Mutex // guards forget
	forget []func(instance string)
}

// entry is a record in the queue. Its pass is not there yet: it takes time.
type entry struct {
	Record
	pass func() (*Pass, error)
}

// Open returns a journal, which goes on behind what the directory has. It touches no
// disk before there is something to record, and waits for none: what is wrong with one
// is told by Config.Tell. The journal is to be closed.
func Open(c Config) *Journal {
	j := &Journal{
		queue: make(chan entry, cmp.Or(c.Queue, defaultQueue)), ending: make(chan struct{}), done: make(chan struct{}),
	}
	j.close = sync.OnceFunc(func() { close(j.ending) })
	files := max(2, cmp.Or(c.Files, defaultFiles))
	k := &keeper{
		pid:    os.Getpid(),
		writer: &writer{fs: c.FS, dir: c.Dir, files: files, fileSize: cmp.Or(c.Size, defaultSize) / int64(files)},
		tell:   c.Tell, anew: func() { j.epoch.Add(1) },
	}
	if k.tell == nil {
		k.tell = func(error) {}
	}
	go j.run(k)
	return j
}

// Close writes what is in the queue, has it on disk, and ends the journal. What comes
// later is not recorded. Where ctx ends first, that goes on by itself. The error says
// what of it was not written.
func (j *Journal) Close(ctx context.Context) error {
	j.close()
	select {
	case <-j.done:
		return j.failed
	case <-ctx.Done():
		return fmt.Errorf("cannot wait for the journal to be written: %w", context.Cause(ctx))
	}
}

// Declared records what was declared of an instance, in words. Secrets in them are
// masked as by fsm.MaskText.
func (j *Journal) Declared(about fsm.Subject, text string) { j.note(about, Declared, text, false) }

func (j *Journal) note(about fsm.Subject, what What, text string, owned bool) {
	j.offer(entry{Record: Record{At: about.At, Note: &Note{about, what, fsm.MaskText(text), owned}}})
}

// offer puts a record into the queue, if there is room, and never waits.
func (j *Journal) offer(e entry) bool {
	select {
	case j.queue <- e:
		return true
	default:
		j.lost.Add(1)
		return false
	}
}

// run writes what is in the queue until the journal is closed.
func (j *Journal) run(k *keeper) {
	defer close(j.done)
	for {
		var due <-chan time.Time
		if at := k.due(); !at.IsZero() {
			due = time.After(time.Until(at))
		}
		select {
		case e := <-j.queue:
			j.take(k, e)
		case <-due:
		case <-j.ending:
			for len(j.queue) > 0 {
				j.take(k, <-j.queue)
			}
			j.count(k)
			j.failed = k.finish()
			return
		}
		j.count(k)
		k.settle()
		if at := k.syncAt; !at.IsZero() && !time.Now().Before(at) {
			k.secure()
		}
	}
}

// atOnce is how many records are appended at once, at most.
const atOnce = 256

// take takes an entry, and what else is there.
func (j *Journal) take(k *keeper, e entry) {
	k.keep(e.record())
	for range min(len(j.queue), atOnce-1) {
		e := <-j.queue
		k.keep(e.record())
	}
}

// count counts what did not fit into the queue.
func (j *Journal) count(k *keeper) {
	if n := j.lost.Swap(0); n > 0 {
		k.miss(int(n), "more happened at once than the queue takes")
	}
}

// record returns the record of an entry. A pass that has no JSON is a note of that.
func (e entry) record() Record {
	if e.pass == nil {
		return e.Record
	}
	r := e.Record
	pass, err := e.passed()
	if err != nil {
		about := r.Note.Subject
		r.Note = &Note{about, Unrecorded, fsm.MaskText(err.Error()), false}
		return r
	}
	r.Pass, r.Note = pass, nil
	return r
}

// passed calls pass, which calls what others have written.
func (e entry) passed() (p *Pass, err error) {
	defer func() {
		if panicked := recover(); panicked != nil {
			err = fmt.Errorf("cannot record a pass: its kind panicked: %v", panicked)
		}
	}()
	return e.pass()
}
