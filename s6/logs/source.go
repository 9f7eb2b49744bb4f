package logs

import (
	"time"

	"github.com/evenkeel/evenkeel/filesystem"
	"github.com/evenkeel/evenkeel/s6/s6log"
)

// source is the log of one instance.
type source struct {
	fsys      filesystem.FS
	name, dir string
	past      s6log.Past

	reader *s6log.Reader // nil while there is nothing to open, or that fails
	wanted bool          // its lines are delivered
	gone   bool          // its directory is not there any more
	at     time.Time     // of the line that was read last
	next   *Line         // the next one, nil for none
	after  *Line         // the one after that, which next is the gap before
	told   string        // what is wrong with it
}

// open opens the log, if it is not open and there is something in it. What is there
// the next time is new as a whole otherwise.
func (s *source) open() (err error) {
	if s.reader != nil {
		return nil
	}
	s.reader, err = s6log.NewPastReader(s.fsys, s.dir, s.past)
	if err == nil && !s.reader.Found() {
		s.past.Last = -1
		s.close()
	}
	return err
}

// fill has the next line in next, if there is one. The error says what is wrong
// with the log, where that is news.
func (s *source) fill() error {
	if s.next != nil {
		return nil
	}
	err := s.open()
	for err == nil && s.reader != nil && s.next == nil {
		var lines []s6log.Line
		if lines, err = s.reader.Read(1); len(lines) == 0 {
			break
		}
		s.take(lines[0])
	}
	told := s.told
	s.told = ""
	if err != nil {
		s.told = err.Error()
	}
	if s.told == told {
		return nil
	}
	return err
}

// take has a line in next, unless it is from before the past.
func (s *source) take(line s6log.Line) {
	if !line.Time.IsZero() {
		s.at = line.Time
	}
	if s.at.Before(s.past.Since) {
		return
	}
	s.next = &Line{Instance: s.name, At: s.at, Text: line.Text, Cut: line.Cut}
	if line.Gap {
		s.next, s.after = &Line{Instance: s.name, At: s.at, Gap: true}, s.next
	}
}

// pop returns next and goes on to the one after it.
func (s *source) pop() Line {
	line := *s.next
	s.next, s.after = s.after, nil
	return line
}

func (s *source) close() {
	if s.reader != nil {
		s.reader.Close() // it was only read
		s.reader = nil
	}
}
