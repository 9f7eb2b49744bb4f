package s6

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"time"
)

const (
	// TAI64NSize is the length of a binary TAI64N label.
	TAI64NSize = 12
	// TAI64NTextSize is the length of a TAI64N label in its text form, '@'
	// and 24 hexadecimal digits.
	TAI64NTextSize = 1 + 2*TAI64NSize
	// LocalStampSize is the length of "YYYY-MM-DD HH:MM:SS.nnnnnnnnn".
	LocalStampSize = 29
)

const (
	// taiEpoch is the TAI64 label of the instant that skalibs takes for the
	// Unix epoch.
	taiEpoch = 1 << 62
	// taiOffset is TAI - UTC in seconds. It has been 37 since 2017-01-01,
	// and skalibs adds it from its own table of leap seconds; labels of
	// earlier instants come out a few seconds late.
	taiOffset = 37
)

// StampError says why something is no time stamp.
type StampError struct {
	// Stamp is what was read: the text, or the bytes as hexadecimal digits.
	Stamp string
	// Reason says what is wrong with it.
	Reason string
}

// Error implements error.
func (e *StampError) Error() string {
	return fmt.Sprintf("cannot read time stamp %q: %s", e.Stamp, e.Reason)
}

// DecodeTAI64N reads a binary label: seconds as a big-endian uint64, then
// nanoseconds as a big-endian uint32. Twelve zero bytes, which s6 writes
// where there is no time to tell, are the zero Time; every other time is in
// UTC. The error is a *StampError.
func DecodeTAI64N(label []byte) (time.Time, error) {
	if len(label) != TAI64NSize {
		return time.Time{}, &StampError{hex.EncodeToString(label), fmt.Sprintf("it has %d bytes, not %d", len(label), TAI64NSize)}
	}
	sec := binary.BigEndian.Uint64(label)
	nsec := binary.BigEndian.Uint32(label[8:])
	switch {
	case sec == 0 && nsec == 0:
		return time.Time{}, nil
	case sec > math.MaxInt64:
		return time.Time{}, &StampError{hex.EncodeToString(label), "its seconds are in the range that TAI64 reserves"}
	case nsec >= 1e9:
		return time.Time{}, &StampError{hex.EncodeToString(label), "it has a second or more of nanoseconds"}
	}
	return time.Unix(int64(sec)-taiEpoch-taiOffset, int64(nsec)).UTC(), nil
}

// AppendTAI64N appends the binary label of t to dst. It is the inverse of
// DecodeTAI64N: the zero Time becomes twelve zero bytes.
func AppendTAI64N(dst []byte, t time.Time) []byte {
	if t.IsZero() {
		return append(dst, make([]byte, TAI64NSize)...)
	}
	dst = binary.BigEndian.AppendUint64(dst, uint64(t.Unix()+taiEpoch+taiOffset))
	return binary.BigEndian.AppendUint32(dst, uint32(t.Nanosecond()))
}

// ParseTAI64N reads the text form of a label, '@' and 24 hexadecimal digits,
// as s6-log's directive t and its archive names have it. The error is a
// *StampError.
func ParseTAI64N(label string) (time.Time, error) {
	return parseTAI64N(label)
}

// FormatTAI64N returns the text form of the label of t, with lower-case
// digits as s6 writes them.
func FormatTAI64N(t time.Time) string {
	text := make([]byte, 1, TAI64NTextSize)
	text[0] = '@'
	return string(hex.AppendEncode(text, AppendTAI64N(make([]byte, 0, TAI64NSize), t)))
}

func parseTAI64N[T string | []byte](label T) (time.Time, error) {
	if len(label) != TAI64NTextSize {
		return time.Time{}, &StampError{string(label), fmt.Sprintf("it has %d characters, not %d", len(label), TAI64NTextSize)}
	}
	if label[0] != '@' {
		return time.Time{}, &StampError{string(label), "it does not begin with '@'"}
	}
	var raw [TAI64NSize]byte
	for i := range raw {
		high, low := hexDigit(label[1+2*i]), hexDigit(label[2+2*i])
		if high > 15 || low > 15 {
			return time.Time{}, &StampError{string(label), "it has a character that is no hexadecimal digit"}
		}
		raw[i] = high<<4 | low
	}
	return DecodeTAI64N(raw[:])
}

// hexDigit returns the value of a digit, or 255 for any other character.
func hexDigit(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10
	}
	return 255
}

// ParseLocalStamp reads "YYYY-MM-DD HH:MM:SS.nnnnnnnnn", the form of s6-log's
// directive T. s6-log writes the local time of its own process, so loc should
// be the zone that s6-log runs in; in the hour that the end of daylight saving
// repeats the text fits two instants and either may be returned. The result
// is in UTC, the error a *StampError.
func ParseLocalStamp(stamp string, loc *time.Location) (time.Time, error) {
	return parseLocalStamp(stamp, loc)
}

func parseLocalStamp[T string | []byte](stamp T, loc *time.Location) (time.Time, error) {
	if len(stamp) != LocalStampSize {
		return time.Time{}, &StampError{string(stamp), fmt.Sprintf("it has %d characters, not %d", len(stamp), LocalStampSize)}
	}
	const form = "0000-00-00 00:00:00.000000000"
	var field [7]int
	at := 0
	for i := range LocalStampSize {
		switch c := stamp[i]; {
		case form[i] != '0':
			if c != form[i] {
				return time.Time{}, &StampError{string(stamp), "it is not of the form YYYY-MM-DD HH:MM:SS.nnnnnnnnn"}
			}
			at++
		case c < '0' || c > '9':
			return time.Time{}, &StampError{string(stamp), "it is not of the form YYYY-MM-DD HH:MM:SS.nnnnnnnnn"}
		default:
			field[at] = field[at]*10 + int(c-'0')
		}
	}
	year, month, day, hour, minute, second, nsec := field[0], field[1], field[2], field[3], field[4], field[5], field[6]
	date := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	if date.Year() != year || int(date.Month()) != month || date.Day() != day {
		return time.Time{}, &StampError{string(stamp), "there is no such day"}
	}
	// A leap second is written as second 60.
	if hour > 23 || minute > 59 || second > 60 {
		return time.Time{}, &StampError{string(stamp), "there is no such time of day"}
	}
	return time.Date(year, time.Month(month), day, hour, minute, second, nsec, loc).UTC(), nil
}
