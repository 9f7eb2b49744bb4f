package s6

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6/s6log"
)

const (
	// wordsSize is the length of last words, in bytes.
	wordsSize = 200
	// wordsRead is how much of a line is looked at for them.
	wordsRead = 4 << 10
)

// span is when a process is known to have been the only one that printed: from
// its start to its end, both included. One that begins at the zero time is of a
// process of which it is not known when it started.
type span struct{ from, to time.Time }

func (s span) includes(at time.Time) bool {
	return !s.from.IsZero() && !at.Before(s.from) && !at.After(s.to)
}

// words are what a process printed last that ended by itself.
type words struct {
	of   time.Time // its end; zero for none
	by   span      // when it printed
	seen time.Time // when that end was seen first
	text string
	// memory says that it may have been ended for want of memory.
	memory string
	// stage is the last at which they were looked for.
	stage wordsStage

	// next is from when on all that is printed is by processes of which no end is
	// known; zero where that is not known. Until mixed something else of the service
	// may have printed: a process that has lost its supervisor, or what an earlier
	// one has left, which the last pass saw if mixing.
	next, mixed time.Time
	mixing      bool
}

// wordsStage is how far the end of a process has got.
type wordsStage int

const (
	wordsUnread  wordsStage = iota
	wordsNew                // its finish script runs
	wordsDone               // that is done
	wordsWritten            // the logger has certainly written all
)

// begin forgets the words of an earlier process.
func (w *words) begin(now time.Time, by span, end time.Time) {
	*w = words{of: end, by: by, seen: now, next: w.next, mixed: w.mixed, mixing: w.mixing}
}

// lastWords returns what a process printed last, as it may be shown, out of the
// lines of its log; "" for nothing.
func lastWords(lines []s6log.Line, by span) string {
	var texts []string
	for _, line := range lines {
		if by.includes(line.Time) && strings.TrimSpace(line.Text) != "" {
			texts = append(texts, line.Text)
		}
	}
	text := tellingLine(texts)
	text = fsm.EscapeLine(fsm.MaskText(cutText(text, wordsRead))) // masked before it is cut again, which may hide that it is a secret
	if short := cutText(text, wordsSize); short != text {
		return short + "…"
	}
	return text
}

// tellingLine returns the line that says most of an end: the last one. Where lines
// that are indented follow on it, as in the traces of several languages, those say
// where and not what; a Go program says what before the trace of all goroutines.
func tellingLine(texts []string) string {
	if len(texts) == 0 {
		return ""
	}
	last, telling, goroutines := texts[len(texts)-1], "", false
	if !indented(last) {
		return last
	}
	for n := len(texts) - 2; n >= 0; n-- {
		text := texts[n]
		switch {
		case indented(text):
			continue
		case goroutines && (strings.HasPrefix(text, "panic: ") || strings.HasPrefix(text, "fatal error: ")):
			return text
		case telling == "":
			telling = text
		}
		goroutines = goroutines || strings.HasPrefix(text, "goroutine ")
	}
	if telling == "" {
		return last
	}
	return telling
}

func indented(text string) bool { return text[0] == ' ' || text[0] == '\t' }

// cutText returns the beginning of a text, of so many bytes at most.
func cutText(text string, size int) string {
	if len(text) <= size {
		return text
	}
	for size > 0 && !utf8.RuneStart(text[size]) {
		size--
	}
	return text[:size]
}
