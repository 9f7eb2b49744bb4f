package supervise_test

import (
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/s6/supervise"
)

// unhex decodes hexadecimal digits with spaces between them.
func unhex(t testing.TB, digits string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(digits, " ", ""))
	require.NoError(t, err)
	return b
}

// Labels that s6-log and s6-supervise wrote, and what s6-tai64nlocal makes of
// them in UTC.
var labels = []struct {
	text string
	time time.Time
}{
	{"@400000006b03c4e616a351b8", time.Date(2026, 11, 23, 4, 44, 49, 379802040, time.UTC)},
	{"@400000006b03c58c03218d8b", time.Date(2026, 11, 23, 4, 47, 35, 52530571, time.UTC)},
	{"@400000006b03c5bb0172ae2f", time.Date(2026, 11, 23, 4, 48, 22, 24292911, time.UTC)},
	{"@400000000000002500000000", time.Unix(0, 0).UTC()},
	{"@000000000000000000000000", time.Time{}},
}

func TestTAI64NBothWays(t *testing.T) {
	for _, label := range labels {
		got, err := supervise.ParseTAI64N(label.text)
		require.NoError(t, err, label.text)
		assert.Equal(t, label.time, got, label.text)
		assert.Equal(t, label.text, supervise.FormatTAI64N(label.time))

		raw := unhex(t, label.text[1:])
		got, err = supervise.DecodeTAI64N(raw)
		require.NoError(t, err, label.text)
		assert.Equal(t, label.time, got, label.text)
		assert.Equal(t, append([]byte("kept"), raw...), supervise.AppendTAI64N([]byte("kept"), label.time))
	}
}

func TestTAI64NTakesUpperCaseDigits(t *testing.T) {
	got, err := supervise.ParseTAI64N("@400000006B03C4E616A351B8")
	require.NoError(t, err)
	assert.Equal(t, labels[0].time, got)
}

func TestTAI64NRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"empty":            "",
		"short":            "@400000006b03c4e616a351b",
		"long":             "@400000006b03c4e616a351b8 ",
		"no at":            "x400000006b03c4e616a351b8",
		"no digit":         "@400000006b03c4e616a351bg",
		"reserved seconds": "@800000000000000000000000",
		"nanoseconds":      "@400000006b03c4e63b9aca00",
	} {
		t.Run(name, func(t *testing.T) {
			got, err := supervise.ParseTAI64N(text)
			var stampErr *supervise.StampError
			require.ErrorAs(t, err, &stampErr)
			assert.NotEmpty(t, stampErr.Reason)
			assert.True(t, got.IsZero())
		})
	}
	_, err := supervise.DecodeTAI64N(make([]byte, 11))
	assert.EqualError(t, err, `cannot read time stamp "0000000000000000000000": it has 11 bytes, not 12`)
}

func FuzzTAI64N(f *testing.F) {
	for _, label := range labels {
		f.Add([]byte(label.text))
		f.Add(unhex(f, label.text[1:]))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if at, err := supervise.DecodeTAI64N(b); err == nil {
			again, err := supervise.DecodeTAI64N(supervise.AppendTAI64N(nil, at))
			require.NoError(t, err)
			assert.Equal(t, at, again)
		}
		if at, err := supervise.ParseTAI64N(string(b)); err == nil {
			again, err := supervise.ParseTAI64N(supervise.FormatTAI64N(at))
			require.NoError(t, err)
			assert.Equal(t, at, again)
		}
	})
}
