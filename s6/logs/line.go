package logs

import "time"

// Line is a line that an instance has printed, or, where Gap or Err is set, what
// is to be told beside the lines.
type Line struct {
	// Instance is the name of the instance, which is that of its log directory;
	// empty for an Err that is about no single one.
	Instance string
	// At is when the logger received the line. A line without a stamp has the time
	// of the line before it, a Gap that of the line after it; it is zero where
	// there is none.
	At time.Time
	// Text is what the instance printed, without newline, as it was: it may have
	// anything in it.
	Text string
	// Cut means that the line went on, as s6log.Line says.
	Cut bool
	// Gap means that lines of the instance may be missing here, as s6log.Line says.
	// It is no line itself.
	Gap bool
	// Err is why the log of the instance cannot be read, or the directory of all of
	// them. It is no line itself, and does not come again until it has changed.
	Err error
}
