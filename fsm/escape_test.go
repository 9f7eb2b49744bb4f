package fsm_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
)

func TestTextOfOthersIsEscaped(t *testing.T) {
	for text, want := range map[string]string{
		"":                                   "",
		"plain, ünïcödé, 日本, 👍, a\\b":        "plain, ünïcödé, 日本, 👍, a\\b",
		"\x1b[2J\x1b]0;title\a":              `\x1b[2J\x1b]0;title\x07`,
		"a\rb\bc\x7f":                        `a\x0db\x08c\x7f`,
		"C1 \u009b31m, as a byte \x9b31m":    `C1 \u009b31m, as a byte \x9b31m`,
		"bidi \u202eabc\u2066\u200f":         `bidi \u202eabc\u2066\u200f`,
		"lines \u2028\u2029 \u200b\ufeff":    `lines \u2028\u2029 \u200b\ufeff`,
		"tags \U000e0041":                    `tags \U000e0041`,
		"two\nlines\tand a tab":              "two\nlines\tand a tab",
		"a replacement \ufffd is visible":    "a replacement \ufffd is visible",
		"half a character \xe2\x80":          `half a character \xe2\x80`,
		"no-break \u00a0 and thin \u2009 ok": "no-break \u00a0 and thin \u2009 ok",
	} {
		assert.Equal(t, want, fsm.EscapeText(text))
	}
	assert.Equal(t, `one line \x1b[0m of it`, fsm.EscapeLine(" one\r\n\tline\u2028\x1b[0m  of it\n"))
}

func TestJSONForATerminalIsEscapedAndTheSame(t *testing.T) {
	text := "\x1b \a \x7f \u009b \u202e \U000e0041 \u2028 日本 👍 \" \\ \n"
	data, err := json.MarshalIndent(map[string]string{text: text}, "", "\t")
	require.NoError(t, err)
	shown := fsm.EscapeJSON(data)
	assert.Contains(t, string(shown), `\u001b \u0007 \u007f \u009b \u202e \udb40\udc41 \u2028 日本 👍`)
	var back map[string]string
	require.NoError(t, json.Unmarshal(shown, &back))
	assert.Equal(t, map[string]string{text: text}, back)
}

func visible(t *testing.T, text, but string) {
	t.Helper()
	require.True(t, utf8.ValidString(text), "%q", text)
	hidden := func(r rune) bool { return !unicode.IsGraphic(r) && !strings.ContainsRune(but, r) }
	require.False(t, strings.ContainsFunc(text, hidden), "%q", text)
}

func FuzzEscape(f *testing.F) {
	f.Add("\x1b[31m \u009b \x9b \u202e \U000e0041\n")
	f.Fuzz(func(t *testing.T, text string) {
		shown := fsm.EscapeText(text)
		visible(t, shown, "\n\t")
		require.Equal(t, shown, fsm.EscapeText(shown), "twice is the same")
		line := fsm.EscapeLine(text)
		visible(t, line, "")
		require.Equal(t, line, fsm.EscapeLine(line))

		data, err := json.Marshal(text)
		require.NoError(t, err)
		escaped := fsm.EscapeJSON(data)
		visible(t, string(escaped), "")
		var want, got string
		require.NoError(t, json.Unmarshal(data, &want))
		require.NoError(t, json.Unmarshal(escaped, &got))
		require.Equal(t, want, got)
	})
}
