package s6

import (
	"bytes"
	"time"
)

// MaxLogLine is the length in bytes, with its stamp, at which a reader cuts a
// line of a log.
const MaxLogLine = 1 << 20

// LogLine is one line that s6-log wrote.
type LogLine struct {
	// Time is when s6-log received the line; zero where the line has no
	// stamp.
	Time time.Time
	// Text is the line without stamp and newline.
	Text string
	// Cut means that the line went on: it was longer than MaxLogLine, or its
	// file ends in the middle of it because the logger was killed.
	Cut bool
	// Gap means that lines between the one before and this one may be lost:
	// a file was emptied, or archives were trimmed before they were read and
	// none is left that shows that all newer ones are there.
	Gap bool
}

// ParseLogLine takes one line, with or without its newline, apart. It knows
// both of s6-log's stamps: directive t writes a TAI64N label and a space,
// directive T the local time, which is read as time.Local, and two spaces.
// With both, Time is the label's and the local time is taken off Text as well.
// It never fails: what bears no valid stamp is all Text.
func ParseLogLine(line []byte) LogLine {
	line = bytes.TrimSuffix(line, []byte("\n"))
	at, rest, labelled := cutLabel(line)
	local, text, ok := cutLocalStamp(rest)
	switch {
	case ok && labelled:
		return LogLine{Time: at, Text: string(text)}
	case ok:
		return LogLine{Time: local, Text: string(text)}
	}
	return LogLine{Time: at, Text: string(rest)}
}

func cutLabel(line []byte) (at time.Time, rest []byte, ok bool) {
	const size = TAI64NTextSize
	if len(line) <= size || line[0] != '@' || line[size] != ' ' {
		return time.Time{}, line, false
	}
	at, err := parseTAI64N(line[:size])
	if err != nil {
		return time.Time{}, line, false
	}
	return at, line[size+1:], true
}

func cutLocalStamp(line []byte) (at time.Time, rest []byte, ok bool) {
	const size = LocalStampSize
	if len(line) < size+2 || line[size] != ' ' || line[size+1] != ' ' {
		return time.Time{}, line, false
	}
	at, err := parseLocalStamp(line[:size], time.Local)
	if err != nil {
		return time.Time{}, line, false
	}
	return at, line[size+2:], true
}
