package s6log

import (
	"bytes"
	"time"

	"github.com/evenkeel/evenkeel/s6/supervise"
)

const (
	// MaxLine is the length in bytes, with its stamp, at which a reader cuts
	// a line of a log.
	MaxLine = 1 << 20
	// MaxText is the length in bytes of a text that fits into MaxLine with
	// both of s6-log's stamps. A logger breaks lines there, by its option -l,
	// if all of them are to be read whole.
	MaxText = MaxLine - (supervise.TAI64NTextSize + 1) - (localStampSize + 2)
)

// Border ends the last line of a process that ended without a newline: the
// characters "end of text" and "end of transmission". What a service prints is
// followed by them and a newline; the loggers of package s6 do not keep a line
// that has nothing else.
const Border = "\x03\x04"

// Line is one line that s6-log wrote.
type Line struct {
	// Time is when s6-log received the line; zero where the line has no
	// stamp.
	Time time.Time
	// Text is the line without stamp, newline and Border.
	Text string
	// Cut means that the line went on: it was longer than MaxLine, or its file
	// ends in the middle of it because the logger was killed.
	Cut bool
	// Gap means that lines before this one may be missing: a logger was killed,
	// with lines that it had read and not written; a file was emptied; or
	// archives were trimmed before they were read, and no archive is left that
	// shows that all newer ones are there.
	Gap bool
}

// ParseLine splits one line, with or without its newline. It knows both of
// s6-log's stamps: the directive t writes a TAI64N label and a space, the
// directive T local time and two spaces. With both, Time is the label's and the
// local time is removed from Text as well. Local time alone is read as
// time.Local, which may be another zone than that of the logger, and is
// ambiguous when summer time ends. A Border at the end is removed. ParseLine
// never fails: a line without a valid stamp is all Text.
func ParseLine(line []byte) Line {
	line = bytes.TrimSuffix(line, []byte("\n"))
	line = bytes.TrimSuffix(line, []byte(Border))
	at, rest, labelled := cutLabel(line)
	local, text, ok := cutLocalStamp(rest)
	switch {
	case ok && labelled:
		return Line{Time: at, Text: string(text)}
	case ok:
		return Line{Time: local, Text: string(text)}
	}
	return Line{Time: at, Text: string(rest)}
}

func cutLabel(line []byte) (at time.Time, rest []byte, ok bool) {
	const size = supervise.TAI64NTextSize
	if len(line) <= size || line[0] != '@' || line[size] != ' ' {
		return time.Time{}, line, false
	}
	at, err := supervise.ParseTAI64N(line[:size])
	if err != nil {
		return time.Time{}, line, false
	}
	return at, line[size+1:], true
}

func cutLocalStamp(line []byte) (at time.Time, rest []byte, ok bool) {
	const size = localStampSize
	if len(line) < size+2 || line[size] != ' ' || line[size+1] != ' ' {
		return time.Time{}, line, false
	}
	if at, ok = parseLocalStamp(line[:size], time.Local); !ok {
		return time.Time{}, line, false
	}
	return at, line[size+2:], true
}
