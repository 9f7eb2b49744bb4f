package supervise

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"time"
)

const (
	// tai64nSize is the length of a binary TAI64N label.
	tai64nSize = 12
	// TAI64NTextSize is the length of a TAI64N label in its text form, '@'
	// and 24 hexadecimal digits.
	TAI64NTextSize = 1 + 2*tai64nSize
)

const (
	// taiEpoch is the TAI64 label of the instant that skalibs takes for the
	// Unix epoch.
	taiEpoch = 1 << 62
	// taiOffset is TAI - UTC in seconds. It has been 37 since 2017-01-01.
	// skalibs adds it from its own table of leap seconds, so labels of earlier
	// instants come out a few seconds late.
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

// decodeTAI64N reads a binary label: seconds as a big-endian uint64, then
// nanoseconds as a big-endian uint32. Twelve zero bytes, which s6 writes for no
// time, are the zero Time. Every other time is in UTC. The error is a
// *StampError.
func decodeTAI64N(label []byte) (time.Time, error) {
	if len(label) != tai64nSize {
		return time.Time{}, &StampError{hex.EncodeToString(label), fmt.Sprintf("it has %d bytes, not %d", len(label), tai64nSize)}
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

// appendTAI64N appends the binary label of t to dst. It is the inverse of
// decodeTAI64N: the zero Time becomes twelve zero bytes.
func appendTAI64N(dst []byte, t time.Time) []byte {
	if t.IsZero() {
		return append(dst, make([]byte, tai64nSize)...)
	}
	dst = binary.BigEndian.AppendUint64(dst, uint64(t.Unix()+taiEpoch+taiOffset))
	return binary.BigEndian.AppendUint32(dst, uint32(t.Nanosecond()))
}

// FormatTAI64N returns the text form of the label of t, with lower-case
// digits as s6 writes them.
func FormatTAI64N(t time.Time) string {
	text := make([]byte, 1, TAI64NTextSize)
	text[0] = '@'
	return string(hex.AppendEncode(text, appendTAI64N(make([]byte, 0, tai64nSize), t)))
}

// ParseTAI64N reads the text form of a label, '@' and 24 hexadecimal digits,
// as s6-log's directive t and its archive names have it. The error is a
// *StampError.
func ParseTAI64N[T string | []byte](label T) (time.Time, error) {
	if len(label) != TAI64NTextSize {
		return time.Time{}, &StampError{string(label), fmt.Sprintf("it has %d characters, not %d", len(label), TAI64NTextSize)}
	}
	if label[0] != '@' {
		return time.Time{}, &StampError{string(label), "it does not begin with '@'"}
	}
	var raw [tai64nSize]byte
	for i := range raw {
		high, low := hexDigit(label[1+2*i]), hexDigit(label[2+2*i])
		if high > 15 || low > 15 {
			return time.Time{}, &StampError{string(label), "it has a character that is no hexadecimal digit"}
		}
		raw[i] = high<<4 | low
	}
	return decodeTAI64N(raw[:])
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
