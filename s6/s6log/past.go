package s6log

import (
	"bytes"
	"errors"
	"io"
	"time"

	"github.com/evenkeel/evenkeel/s6/supervise"
)

// Past says with which of the lines that are there already a Reader begins, in
// current and in the archives. The zero value is none of them.
type Past struct {
	// Last is how many lines, counted from the end; negative means all of them. A
	// line that has no newline yet is none that is there.
	Last int
	// Since leaves out the archives of before this time, by the times in their
	// names: s6-log had received all their lines by then. The oldest archive that
	// is left may begin with lines of before. The zero time leaves out none.
	Since time.Time
}

// archivesSince returns those of some archives, oldest first, that may have lines
// from since on.
func archivesSince(names []string, since time.Time) []string {
	for n, name := range names {
		// The name is that of an archive, and so it has a time.
		if at, _ := supervise.ParseTAI64N(name[:supervise.TAI64NTextSize]); !at.Before(since) {
			return names[n:]
		}
	}
	return nil
}

// lastLines returns where the last n lines of a file begin, and how many fewer
// there are. cut means that what comes after the last newline is one of them. As
// much is read as these lines have, and little of it is kept at a time.
func lastLines(f *openFile, n int, cut bool) (off int64, fewer int, err error) {
	newlines := n + 1 // the one that ends the line before is the last that is looked for
	buf := make([]byte, chunk)
	for end := f.info.Size(); end > 0; {
		part := buf[:min(end, chunk)]
		begin := end - int64(len(part))
		if got, err := f.ReadAt(part, begin); got < len(part) {
			if errors.Is(err, io.EOF) {
				err = nil // somebody has emptied it
			}
			return 0, 0, err
		}
		if cut && end == f.info.Size() && part[len(part)-1] != '\n' {
			if newlines--; newlines == 0 {
				return end, 0, nil
			}
		}
		for len(part) > 0 {
			at := bytes.LastIndexByte(part, '\n')
			if at >= 0 {
				newlines--
			}
			if newlines == 0 {
				return begin + int64(at) + 1, 0, nil
			}
			part = part[:max(at, 0)]
		}
		end = begin
	}
	return 0, newlines - 1, nil
}
