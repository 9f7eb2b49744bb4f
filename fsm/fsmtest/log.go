package fsmtest

import (
	"fmt"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/fsm"
)

// entry is what one pass did.
type entry struct {
	at       time.Duration
	from, to fsm.State
	event    fsm.Event // of the transition, if from and to differ
	tried    []fsm.Action
	reason   fsm.Reason
	err      error
	held     bool
}

// line is an entry as text, or a note, which has no time.
type line struct {
	at   time.Duration
	text string
	note bool
}

func (l line) String() string {
	if l.note {
		return "# " + l.text
	}
	return fmt.Sprintf("%9.3fs  %s", l.at.Seconds(), l.text)
}

// log is what happened, a line for each pass that did something.
type log struct {
	lines []line
	said  string // reason and error of the last pass
}

func (l *log) note(format string, args ...any) {
	l.lines = append(l.lines, line{text: fmt.Sprintf(format, args...), note: true})
}

// pass writes down a pass that moved the machine, tried an action, or has
// something new to say.
func (l *log) pass(e entry) {
	says := e.says()
	if e.from == e.to && len(e.tried) == 0 && says == l.said {
		return
	}
	l.said = says
	l.lines = append(l.lines, line{at: e.at, text: e.text()})
}

// String returns all lines, each ended.
func (l *log) String() string {
	var b strings.Builder
	for _, line := range l.lines {
		b.WriteString(line.String() + "\n")
	}
	return b.String()
}

// tail returns at most so many of the last lines. Lines that repeat the one
// before are only counted.
func (l *log) tail(limit int) string {
	var folded []string
	for n := 0; n < len(l.lines); {
		same := n + 1
		for same < len(l.lines) && !l.lines[n].note && l.lines[same].text == l.lines[n].text {
			same++
		}
		text := l.lines[n].String()
		if same > n+1 {
			text += fmt.Sprintf(" (%d times until %.3fs)", same-n, l.lines[same-1].at.Seconds())
		}
		folded, n = append(folded, text), same
	}
	if over := len(folded) - limit; over > 0 {
		folded = append([]string{fmt.Sprintf("... %d lines", over)}, folded[over:]...)
	}
	return strings.Join(folded, "\n")
}

// says is why the instance is where it is and why the pass failed, if it did.
func (e entry) says() string {
	var parts []string
	if r := e.reason.String(); r != "" {
		parts = append(parts, r)
	}
	if e.err != nil {
		mark := "failed, "
		if e.held {
			mark = "held, "
		}
		parts = append(parts, mark+e.err.Error())
	}
	return strings.Join(parts, "; ")
}

// text says from where to where by which event, the actions tried, and why.
func (e entry) text() string {
	text := string(e.from)
	if e.from != e.to {
		text += fmt.Sprintf(" -> %s (%s)", e.to, e.event)
	}
	if len(e.tried) > 0 {
		text += fmt.Sprintf(" do %s", e.tried)
	}
	if says := e.says(); says != "" {
		text += ": " + says
	}
	return text
}
