package s6_test

import (
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/s6"
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
		got, err := s6.ParseTAI64N(label.text)
		require.NoError(t, err, label.text)
		assert.Equal(t, label.time, got, label.text)
		assert.Equal(t, label.text, s6.FormatTAI64N(label.time))

		raw := unhex(t, label.text[1:])
		got, err = s6.DecodeTAI64N(raw)
		require.NoError(t, err, label.text)
		assert.Equal(t, label.time, got, label.text)
		assert.Equal(t, append([]byte("kept"), raw...), s6.AppendTAI64N([]byte("kept"), label.time))
	}
}

func TestTAI64NTakesUpperCaseDigits(t *testing.T) {
	got, err := s6.ParseTAI64N("@400000006B03C4E616A351B8")
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
			got, err := s6.ParseTAI64N(text)
			var stampErr *s6.StampError
			require.ErrorAs(t, err, &stampErr)
			assert.NotEmpty(t, stampErr.Reason)
			assert.True(t, got.IsZero())
		})
	}
	_, err := s6.DecodeTAI64N(make([]byte, 11))
	assert.EqualError(t, err, `cannot read time stamp "0000000000000000000000": it has 11 bytes, not 12`)
}

func TestParseLocalStamp(t *testing.T) {
	tokyo := time.FixedZone("JST", 9*60*60)
	for _, test := range []struct {
		stamp string
		loc   *time.Location
		want  time.Time
	}{
		{"2026-11-23 04:44:49.377639411", time.UTC, time.Date(2026, 11, 23, 4, 44, 49, 377639411, time.UTC)},
		{"2026-11-23 13:44:49.386563003", tokyo, time.Date(2026, 11, 23, 4, 44, 49, 386563003, time.UTC)},
		{"2028-02-29 00:00:00.000000000", time.UTC, time.Date(2028, 2, 29, 0, 0, 0, 0, time.UTC)},
		{"2016-12-31 23:59:60.500000000", time.UTC, time.Date(2017, 1, 1, 0, 0, 0, 500000000, time.UTC)},
	} {
		got, err := s6.ParseLocalStamp(test.stamp, test.loc)
		require.NoError(t, err, test.stamp)
		assert.Equal(t, test.want, got, test.stamp)
	}
	for _, stamp := range []string{
		"",
		"2026-11-23 04:44:49.37763941",
		"2026-11-23 04:44:49.3776394111",
		"2026-11-23T04:44:49.377639411",
		"2026-11-23 04:44:49,377639411",
		"2026-11-2x 04:44:49.377639411",
		"2026-13-01 04:44:49.377639411",
		"2026-02-29 04:44:49.377639411",
		"2026-11-00 04:44:49.377639411",
		"2026-11-23 24:00:00.000000000",
		"2026-11-23 04:60:49.377639411",
		"2026-11-23 04:44:61.377639411",
	} {
		_, err := s6.ParseLocalStamp(stamp, time.UTC)
		var stampErr *s6.StampError
		assert.ErrorAs(t, err, &stampErr, stamp)
	}
}

func FuzzTAI64N(f *testing.F) {
	for _, label := range labels {
		f.Add([]byte(label.text))
		f.Add(unhex(f, label.text[1:]))
	}
	f.Add([]byte("2026-11-23 04:44:49.377639411"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if at, err := s6.DecodeTAI64N(b); err == nil {
			again, err := s6.DecodeTAI64N(s6.AppendTAI64N(nil, at))
			require.NoError(t, err)
			assert.Equal(t, at, again)
		}
		if at, err := s6.ParseTAI64N(string(b)); err == nil {
			again, err := s6.ParseTAI64N(s6.FormatTAI64N(at))
			require.NoError(t, err)
			assert.Equal(t, at, again)
		}
		if at, err := s6.ParseLocalStamp(string(b), time.UTC); err == nil && !strings.Contains(string(b), ":60.") {
			assert.Equal(t, string(b), at.Format("2006-01-02 15:04:05.000000000"))
		}
	})
}
