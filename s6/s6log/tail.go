package s6log

import (
	"errors"
	"io/fs"
	"time"

	"github.com/evenkeel/evenkeel/filesystem"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

const (
	// tailSize is how much of a log a Tail reads at first, in bytes.
	tailSize = 64 << 10
	// tailLines is how many lines a Tail reads at once: more than tailSize holds
	// of lines with a stamp, so that the first call gets as far as the end.
	tailLines = tailSize / supervise.TAI64NTextSize
)

// Tail reads what was written into a log lately, as evidence for what has become
// of the process that wrote it. It reads little of a log, however long that is:
// what an s6-log has archived before the first call counts as long ago, and of
// much that was written between two calls only the beginning is read, or only the
// end.
//
// FS and Dir say which log. A Tail has a file open from its first call of Since
// until Close. It is not safe for use by several goroutines at once.
type Tail struct {
	FS  filesystem.FS
	Dir string

	reader *Reader // nil while nothing is open
}

// Since returns the lines that were written since the last call, at the first
// call and after Close those near the end of the log, without those from before
// from or without a stamp; the zero time keeps all. A log that is not there, or
// not yet, has none. The lines that come with an error were read before it.
func (t *Tail) Since(from time.Time) ([]Line, error) {
	if t.reader == nil {
		reader, err := NewReader(t.FS, t.Dir, tailSize)
		if err != nil {
			return nil, err
		}
		t.reader = reader
	}
	lines, err := t.reader.Read(tailLines)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	if len(lines) == tailLines {
		err = errors.Join(err, t.Close()) // it goes on near the end
	}
	recent := lines[:0]
	for _, line := range lines {
		if !line.Time.Before(from) {
			recent = append(recent, line)
		}
	}
	return recent, err
}

// Close closes what is open. Since can be called again.
func (t *Tail) Close() error {
	if t.reader == nil {
		return nil
	}
	err := t.reader.Close()
	t.reader = nil
	return err
}
