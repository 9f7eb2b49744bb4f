package s6log

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"slices"

	"github.com/evenkeel/evenkeel/filesystem"
)

// Where in current a Reader begins; see NewReader.
const (
	// FromEnd begins with the next line that is written.
	FromEnd int64 = 0
	// FromBeginning begins with the first line of current.
	FromBeginning int64 = math.MaxInt64
)

// chunk is the most that is read at once.
const chunk = 64 << 10

// Reader reads the lines of an s6-log directory as they are written. It follows
// any number of rotations between two reads through the archived files, for as
// long as s6-log keeps them, and says where lines may be missing.
//
// It keeps the file that it reads open; positions do not outlive it. It cannot
// follow the directory of an s6-log with a processor ('!' or '?' directives),
// for there the archives do not hold what was in current.
//
// A Reader is not safe for use by several goroutines at once.
type Reader struct {
	// Files is how many archived files the s6-log keeps (s6.Log.Kept). While
	// there are fewer, none was trimmed. Zero means that the number is not
	// known: then lines may be missing before those that a reader finds
	// archived with nothing older beside them.
	Files int

	dir directory
	// file is what is being read, up to off; nil while none exists.
	file *openFile
	off  int64
	// live means that file was current when last looked at, size bytes long.
	live bool
	size int64
	// drained means that file is not current and was read to its end.
	drained bool
	// killed means that the logger that wrote file was killed.
	killed bool
	// pending are the archives to read after file, then comes head, which
	// was current, or at the beginning previous, when they were listed.
	pending []string
	head    *openFile
	// known are the archives, sorted, that are older than file or, if there
	// is one, head.
	known []string

	// buf holds what was read and not returned yet. skipping means that it
	// begins in a line that is not to be returned.
	buf      []byte
	skipping bool
	gap      bool
	closed   bool
}

// NewReader returns a reader for the s6-log directory dir. It begins tail bytes
// before the end of current, with the first line that begins there; FromEnd and
// FromBeginning are the limits of that range. It is no error if the directory
// or its file current does not exist yet: the reader begins with the first line
// that is written.
func NewReader(fsys filesystem.FS, dir string, tail int64) (*Reader, error) {
	if tail < 0 {
		return nil, fmt.Errorf("cannot read log %s: %d bytes before the end is no place to begin", dir, tail)
	}
	r := &Reader{dir: directory{fsys, dir}}
	if err := r.begin(); err != nil {
		return nil, fmt.Errorf("cannot read log: %w", err)
	}
	if r.file != nil && tail < r.file.info.Size() {
		// From the byte before: if it is a newline the line after it is whole.
		r.off = r.file.info.Size() - tail - 1
		r.skipping = true
	}
	return r, nil
}

// NewPastReader returns a reader for the s6-log directory dir that begins with
// what is there of the past, and goes on with what is written; otherwise it is as
// that of NewReader. Archives that s6-log trims before they are read are a gap.
func NewPastReader(fsys filesystem.FS, dir string, past Past) (*Reader, error) {
	r := &Reader{dir: directory{fsys, dir}}
	err := r.begin()
	if err == nil {
		err = r.rewind(past)
	}
	if err != nil {
		r.Close()
		return nil, fmt.Errorf("cannot read log: %w", err)
	}
	return r, nil
}

// rewind goes back from the end of file to where the past begins.
func (r *Reader) rewind(past Past) (err error) {
	older := archivesSince(r.known, past.Since)
	if past.Last < 0 {
		if len(older) > 0 {
			r.file, r.head, r.pending = nil, r.file, older
		}
		return nil
	}
	fewer := min(past.Last, math.MaxInt-1)
	if r.file != nil {
		if r.off, fewer, err = lastLines(r.file, fewer, !r.live); err != nil {
			return err
		}
	}
	for n := len(older) - 1; n >= 0 && fewer > 0; n-- {
		file, err := r.dir.open(older[n])
		if file == nil {
			return err // without one, it and all before it were trimmed
		}
		if n == len(older)-1 {
			r.head = r.file
		} else {
			r.file.Close()
		}
		r.file, r.pending, r.live, r.killed = file, older[n+1:], false, wasKilled(older[n])
		if r.off, fewer, err = lastLines(file, fewer, true); err != nil {
			return err
		}
	}
	return nil
}

// begin finds the file that holds the newest lines, and the archives that are
// older than it.
func (r *Reader) begin() (err error) {
	for range lookAgain {
		r.file, r.known, err = r.dir.snapshot()
		if r.file != nil || err != nil {
			r.live = true
			return err
		}
		var settled bool
		r.file, r.known, settled, err = r.dir.snapshotWithoutCurrent()
		if settled || err != nil {
			return err
		}
	}
	r.gap = true
	return nil
}

// Read returns the lines written since the last call, at most limit of them, or
// all if limit is 0 or less. A last line without a newline is kept back until
// it has one or its file is archived. If there is nothing new the result is
// empty, and the call costs one Stat. An error comes with the lines read before
// it, and the next call continues there; after Close it is fs.ErrClosed.
func (r *Reader) Read(limit int) ([]Line, error) {
	if r.closed {
		return nil, fmt.Errorf("cannot read log %s: %w", r.dir.path, fs.ErrClosed)
	}
	var lines []Line
	for {
		lines = r.take(lines, limit)
		if limit > 0 && len(lines) >= limit {
			return lines, nil
		}
		more, err := r.more()
		if err != nil {
			return lines, fmt.Errorf("cannot read log: %w", err)
		}
		if !more {
			return lines, nil
		}
	}
}

// take moves lines from buf to lines, up to limit of them.
func (r *Reader) take(lines []Line, limit int) []Line {
	rest := r.buf
	for (limit <= 0 || len(lines) < limit) && len(rest) > 0 {
		end := bytes.IndexByte(rest, '\n')
		length, next := end, end+1
		if end < 0 {
			if !r.skipping && len(rest) <= MaxLine && !r.drained {
				break
			}
			length, next = len(rest), len(rest)
		}
		if !r.skipping {
			line := ParseLine(rest[:min(length, MaxLine)])
			line.Cut = end < 0 || length > MaxLine
			line.Gap, r.gap = r.gap, false
			lines = append(lines, line)
		}
		r.skipping = end < 0 && !r.drained
		rest = rest[next:]
	}
	if len(rest) == 0 {
		rest = nil
	}
	r.buf = rest
	return lines
}

// more reads on, in file or in the one after it. It reports whether that
// changed anything for take.
func (r *Reader) more() (bool, error) {
	if r.file == nil || r.drained {
		return r.advance()
	}
	if r.live && r.off >= r.size {
		changed, err := r.look()
		if !changed || err != nil {
			return false, err
		}
	}
	n, err := r.fill()
	if n > 0 || err != nil {
		return n > 0, err
	}
	if r.live {
		// Emptied since it was looked at; the next call will see that.
		r.size = r.off
		return false, nil
	}
	r.drained = true
	return true, nil
}

// look finds out what became of file, which was current. It reports whether
// there can be anything to read in it.
func (r *Reader) look() (bool, error) {
	info, err := r.dir.stat(fileCurrent)
	if err != nil {
		return false, err
	}
	if !r.dir.is(r.file, info) {
		r.live = false
		return true, nil
	}
	r.size = info.Size()
	if r.size < r.off {
		// Somebody emptied it; s6-log, which appends, goes on at its start.
		r.off, r.buf, r.skipping, r.gap = 0, nil, false, true
	}
	return r.size > r.off, nil
}

// fill reads the next bytes of file into buf; none without an error are the
// end of the file.
func (r *Reader) fill() (int, error) {
	want := chunk
	if r.live {
		want = int(min(r.size-r.off, chunk))
	}
	have := len(r.buf)
	buf := slices.Grow(r.buf, want)[:have+want]
	n, err := r.file.ReadAt(buf[have:], r.off)
	r.buf = buf[:have+n]
	r.off += int64(n)
	if n > 0 || errors.Is(err, io.EOF) {
		err = nil
	}
	return n, err
}

// advance goes from a file that is drained to the one after it, if there is
// one yet.
func (r *Reader) advance() (bool, error) {
	if len(r.pending) == 0 && r.head == nil {
		if found, err := r.list(); !found || err != nil {
			return false, err
		}
	}
	for len(r.pending) > 0 {
		file, err := r.dir.open(r.pending[0])
		if err != nil {
			return false, err
		}
		name := r.pending[0]
		r.pending = r.pending[1:]
		if file != nil {
			r.follow(file, false)
			r.killed = wasKilled(name)
			return true, nil
		}
		r.gap = true
	}
	head := r.head
	r.head = nil
	r.follow(head, true)
	return true, nil
}

// follow makes file the one that is read.
func (r *Reader) follow(file *openFile, live bool) {
	if r.file != nil {
		r.file.Close()
	}
	r.file, r.off, r.live, r.size = file, 0, live, 0
	r.gap = r.gap || r.killed
	r.drained, r.skipping, r.killed = false, false, false
}

// list finds the files that came after file, which is drained or nil. It
// reports whether it could find them.
func (r *Reader) list() (bool, error) {
	head, names, err := r.dir.snapshot()
	if head == nil {
		return false, err
	}
	fresh, found, err := r.dir.without(names, r.known, r.file)
	if err != nil {
		head.Close()
		return false, err
	}
	switch {
	case found != "":
		r.killed = wasKilled(found)
	case r.trimmed(names):
		r.gap = true
	case r.file != nil && r.off == 0:
		// s6-log rotates no empty file. The next one removes an empty file, or
		// archives it, if its logger was killed.
		r.killed = true
	}
	r.head, r.pending, r.known = head, fresh, names
	return true, nil
}

// trimmed reports whether archives newer than file may have been trimmed. file
// is drained and not archived under one of names. s6-log trims the oldest
// first, and only if there are more than it keeps.
func (r *Reader) trimmed(names []string) bool {
	switch {
	case slices.ContainsFunc(names, func(name string) bool {
		_, ok := slices.BinarySearch(r.known, name)
		return ok
	}):
		return false // an older one is there
	case len(r.known) > 0 || r.off > 0:
		return true // an older one, or file itself, was trimmed
	}
	// There was none before, and a file that is empty is not archived.
	return len(names) > 0 && (r.Files == 0 || len(names) >= r.Files)
}

// Found reports whether the reader has found any file of the log so far. One that
// found none may have missed lines before the first that it returns, and says so; a
// reader that is made later does not.
func (r *Reader) Found() bool { return r.file != nil || r.head != nil || len(r.known) > 0 }

// Close closes the open file. It may be called more than once.
func (r *Reader) Close() error {
	r.closed = true
	var errs []error
	for _, file := range []*openFile{r.file, r.head} {
		if file != nil {
			errs = append(errs, file.Close())
		}
	}
	r.file, r.head, r.buf = nil, nil, nil
	return errors.Join(errs...)
}
