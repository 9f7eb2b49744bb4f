package top

import (
	"cmp"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/internal/words"
)

// longest is more lines than a question has.
const longest = 1000

// endText says that the program ends, and how it would end at once.
func (m *Model) endText() string {
	text := "The program ends: what runs finishes what it has accepted, and stops."
	if m.calls.quit != nil && !m.deaf {
		text += " Ctrl-C ends the program at once, and what runs goes on."
	}
	return text
}

// status is what is asked or told, or all of the reason of the instance that is chosen.
func (m *Model) status() (lines []string) {
	wrapped := func(style ansi.Style, text string, most int) {
		all := strings.Split(ansi.Wrap(text, max(m.width, 1), ""), "\n")
		if len(all) > most {
			all = append(all[:most-1:most-1], m.look.cut(strings.Join(all[most-1:], " "), m.width))
		}
		for _, line := range all {
			lines = append(lines, style.Styled(line))
		}
	}
	room := 1
	if m.height >= 16 {
		room = 2
	}
	switch r := m.current(); {
	case m.help:
		return nil
	case m.question != nil:
		wrapped(bold, m.question.text+" y: yes, n: no", longest)
	case m.typing:
		wrapped(bold, "/"+fsm.EscapeLine(m.filter)+m.look.caret, room)
	case m.lost != "":
		wrapped(trouble, "What is shown is old: "+fsm.EscapeLine(m.lost), room)
	case m.said != "" && m.failed:
		wrapped(trouble, fsm.EscapeLine(m.said), room)
	case m.said != "":
		wrapped(bold, fsm.EscapeLine(m.said), room)
	case m.ending:
		wrapped(bold, m.endText(), room)
	case r != nil:
		text := r.Name + " is " + cmp.Or(string(r.State), "refused") + ": " + words.Reason(&r.Summary, m.now)
		wrapped(ansi.Style{}, fsm.EscapeLine(strings.TrimSuffix(text, ": ")), room)
	}
	return append(lines, make([]string, max(room-len(lines), 0))...)
}
