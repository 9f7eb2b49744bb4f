package top

import (
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/evenkeel/evenkeel/fsm"
)

// rooms shares the lines of a pane among why and the log, each with its rule.
func (m *Model) rooms(room int) (story, log int) {
	const both = 24 // lines in which there is room for all
	switch {
	case m.calls.follow == nil:
		return room, 0
	case room >= both:
		return room / 2, room - room/2
	case m.pane.page == pageLog:
		return 0, room
	}
	return room, 0
}

// paneLines returns all about the instance that is chosen.
func (m *Model) paneLines(room int) (lines []string) {
	p := &m.pane
	story, log := m.rooms(room)
	back, logBack := p.back, 0
	if p.page == pageLog {
		back, logBack = 0, p.back
	}
	if story > 0 {
		lines = append(lines, m.rule("why", pageWhy, log > 0))
		all := p.story(m.width, m.now)
		lines = append(lines, all[min(back, len(all)):]...)
		lines = lines[:min(len(lines), story)]
		lines = append(lines, make([]string, story-len(lines))...)
	}
	if log > 0 {
		lines = append(lines, m.rule("log", pageLog, story > 0))
		lines = append(lines, p.log(log-1, logBack)...)
	}
	return lines
}

// scroll scrolls the pane by so many lines, as far as there are any.
func (m *Model) scroll(by int) {
	p := &m.pane
	story, log := m.rooms(m.frame().pane)
	furthest := len(p.lines) - (log - 1)
	if p.page == pageWhy {
		furthest = len(p.story(m.width, m.now)) - (story - 1)
	} else {
		by = -by
	}
	p.back = max(min(p.back+by, furthest), 0)
}

// rule separates a part from what is above it, and says what it is, and how the other
// is seen that is not there.
func (m *Model) rule(what string, of page, both bool) string {
	style := faint
	if m.pane.page == of {
		style = bold
	}
	title := strings.Repeat(m.look.rule, 2) + " " + fsm.EscapeLine(m.pane.of.name) + ": " + what
	switch {
	case both || m.calls.follow == nil:
	case of == pageWhy:
		title += ", tab: log"
	default:
		title += ", tab: why"
	}
	title += " "
	return style.Styled(title) + faint.Styled(strings.Repeat(m.look.rule, max(m.width-ansi.StringWidth(title), 0)))
}
