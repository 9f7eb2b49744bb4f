package s6log_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/s6/s6log"
)

func TestParseLine(t *testing.T) {
	labelled := time.Date(2026, 11, 23, 4, 44, 49, 379802040, time.UTC)
	local := time.Date(2026, 11, 23, 4, 44, 49, 377639411, time.Local).UTC()
	for _, test := range []struct {
		name, line string
		want       s6log.Line
	}{
		{"t", "@400000006b03c4e616a351b8 hello\n", s6log.Line{Time: labelled, Text: "hello"}},
		{"T", "2026-11-23 04:44:49.377639411  hello\n", s6log.Line{Time: local, Text: "hello"}},
		{"both", "@400000006b03c4e616a351b8 2026-11-23 04:44:49.377639411  hello\n", s6log.Line{Time: labelled, Text: "hello"}},
		{"t, empty line", "@400000006b03c4e616a351b8 \n", s6log.Line{Time: labelled}},
		{"T, empty line", "2026-11-23 04:44:49.377639411  \n", s6log.Line{Time: local}},
		{"leading space is text", "@400000006b03c4e616a351b8  hello", s6log.Line{Time: labelled, Text: " hello"}},
		{"only one newline is taken off", "hello\n\n", s6log.Line{Text: "hello\n"}},
		{"no stamp", "hello", s6log.Line{Text: "hello"}},
		{"empty", "", s6log.Line{}},
		{"newline", "\n", s6log.Line{}},
		{"label without space", "@400000006b03c4e616a351b8", s6log.Line{Text: "@400000006b03c4e616a351b8"}},
		{"bad label", "@400000006b03c4e616a351bx hello", s6log.Line{Text: "@400000006b03c4e616a351bx hello"}},
		{"one space after T", "2026-11-23 04:44:49.377639411 hello", s6log.Line{Text: "2026-11-23 04:44:49.377639411 hello"}},
		{"no such day", "2026-02-30 04:44:49.377639411  hello", s6log.Line{Text: "2026-02-30 04:44:49.377639411  hello"}},
		{"last words", "@400000006b03c4e616a351b8 panic: no\x03\x04\n", s6log.Line{Time: labelled, Text: "panic: no"}},
		{"no UTF-8", "\xff\x00\xfe\n", s6log.Line{Text: "\xff\x00\xfe"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			assert.Equal(t, test.want, s6log.ParseLine([]byte(test.line)))
		})
	}
}

func FuzzParseLine(f *testing.F) {
	f.Add([]byte("@400000006b03c4e616a351b8 hello\n"))
	f.Add([]byte("2026-11-23 04:44:49.377639411  hello\n"))
	f.Add([]byte("@400000006b03c4e616a351b8 2026-11-23 04:44:49.377639411  hello"))
	f.Add([]byte("{\"level\":\"info\"}"))
	const label, local = len("@400000006b03c4e616a351b8 "), len("2026-11-23 04:44:49.377639411  ")
	f.Fuzz(func(t *testing.T, b []byte) {
		line := s6log.ParseLine(b)
		text := string(bytes.TrimSuffix(b, []byte("\n")))
		text = strings.TrimSuffix(text, s6log.Border)
		require.True(t, strings.HasSuffix(text, line.Text))
		switch stamp := len(text) - len(line.Text); stamp {
		case 0:
			require.True(t, line.Time.IsZero())
		case label, local, label + local:
		default:
			t.Fatalf("a stamp of %d characters was taken off %q", stamp, b)
		}
		require.False(t, line.Cut || line.Gap)
	})
}
