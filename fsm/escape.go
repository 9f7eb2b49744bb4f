package fsm

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// EscapeText returns a text of any origin as it may be printed for a person,
// whose terminal would obey what is in it: all that is no visible character is
// written as Go writes it in a string, so that an ESC becomes \x1b, a byte that
// is no UTF-8 \x9b, and a character that turns the direction of writing \u202e.
// Newlines and tabs stay.
//
// It is for what is printed. Texts are kept, compared and sent as they are.
func EscapeText(text string) string {
	return escape(text, func(r rune) string {
		switch {
		case r == '\n' || r == '\t':
			return string(r)
		case r < utf8.RuneSelf:
			return fmt.Sprintf(`\x%02x`, r)
		case r <= 0xffff:
			return fmt.Sprintf(`\u%04x`, r)
		}
		return fmt.Sprintf(`\U%08x`, r)
	})
}

// EscapeLine is EscapeText for what has to stay in one line: each run of blanks,
// newlines among them, becomes one blank.
func EscapeLine(text string) string {
	return EscapeText(strings.Join(strings.Fields(text), " "))
}

// EscapeJSON returns a JSON text with all that is no visible character written
// as JSON escapes it. The values in it are the same. What encoding/json returns
// still has some such characters as they are.
func EscapeJSON(data []byte) []byte {
	return []byte(escape(string(data), func(r rune) string {
		switch {
		case r < ' ':
			return string(r) // between values; in strings they are escaped
		case r <= 0xffff:
			return fmt.Sprintf(`\u%04x`, r)
		}
		r -= 0x10000
		return fmt.Sprintf(`\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
	}))
}

// escape replaces what is no visible character in a text by what as returns for
// it, and a byte that is no UTF-8 by its number.
func escape(text string, as func(rune) string) string {
	var shown strings.Builder
	from := 0
	for at := 0; at < len(text); {
		r, size := utf8.DecodeRuneInString(text[at:])
		broken := r == utf8.RuneError && size == 1
		if broken || !unicode.IsGraphic(r) {
			shown.WriteString(text[from:at])
			if broken {
				fmt.Fprintf(&shown, `\x%02x`, text[at])
			} else {
				shown.WriteString(as(r))
			}
			from = at + size
		}
		at += size
	}
	if from == 0 {
		return text
	}
	return shown.String() + text[from:]
}
