package top

import (
	"slices"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/internal/words"
)

// page is what a pane shows where it has no room for all.
type page int

const (
	pageWhy page = iota // why the instance is where it is, and its history
	pageLog
)

// pane is all about one instance.
type pane struct {
	open bool
	of   key
	page page
	// back is how far the page is scrolled: from its first line, and of a log from its
	// last.
	back int

	why     fsm.Why
	history []fsm.Transition
	problem string // why nobody knows

	turn  int // grows with each log that is followed: lines of an earlier one are dropped
	lines []string
	ended bool
	end   func() // ends following; nil where no log is followed
}

// shut ends what the pane needs.
func (p *pane) shut() {
	if p.end != nil {
		p.end()
	}
	*p = pane{turn: p.turn + 1, page: p.page}
}

// knows takes an answer.
func (p *pane) knows(t told) {
	if !p.open || p.of != t.of {
		return
	}
	p.why, p.history, p.problem = t.why, t.history, ""
	if t.err != nil {
		p.problem = t.err.Error()
	}
}

// prints takes lines of a log. Who has scrolled back goes on seeing the same ones.
func (p *pane) prints(l printed) {
	if p.turn != l.turn {
		return
	}
	if p.page == pageLog && p.back > 0 {
		p.back += len(l.lines)
	}
	p.lines = newest(append(p.lines, l.lines...))
	p.ended = l.next == nil
}

// story returns why the instance is where it is, and its history, newest first.
func (p *pane) story(width int, now time.Time) (lines []string) {
	const indent = 9
	add := func(label, text string, style ansi.Style) {
		for _, part := range strings.Split(ansi.Wrap(fsm.EscapeLine(text), max(width-indent, 8), ""), "\n") {
			lines = append(lines, faint.Styled(pad(label, indent))+style.Styled(part))
			label = ""
		}
	}
	if p.problem != "" {
		add("", "cannot say why: "+p.problem, trouble)
	}
	for _, l := range p.why.Chain {
		style := ansi.Style{}
		if l.Part == fsm.PartState {
			style = styleOf(p.why.Phase)
		}
		add(fsm.EscapeLine(string(l.Part)), words.Link(l, now), style)
	}
	if len(p.history) > 0 {
		lines = append(lines, "")
	}
	for _, t := range slices.Backward(p.history) {
		text := string(t.From) + " -> " + string(t.To) + " (" + string(t.Event) + ") " + t.Reason.String()
		add(t.At.Local().Format("15:04:05"), text, ansi.Style{})
	}
	return lines
}

// log returns lines of the log that fill so much room, as they may be drawn.
func (p *pane) log(room, back int) (lines []string) {
	last := max(len(p.lines)-back, 0)
	for _, line := range p.lines[max(last-room, 0):last] {
		lines = append(lines, logLine(line))
	}
	switch {
	case back > 0:
	case p.ended:
		lines = append(lines, faint.Styled("no more of the log can be followed"))
	case len(lines) == 0:
		lines = append(lines, faint.Styled("nothing has been printed"))
	}
	return lines[max(len(lines)-room, 0):]
}

// logLine returns a line of a log as it may be drawn. It keeps its indentation.
func logLine(line string) string {
	const drawn = 8 << 10 // no terminal shows more of a line
	line = fsm.MaskText(line[:min(len(line), drawn)])
	return fsm.EscapeText(strings.NewReplacer("\t", "    ", "\n", " ").Replace(line))
}

// pad fills a text with blanks.
func pad(text string, cells int) string {
	return text + strings.Repeat(" ", max(cells-ansi.StringWidth(text), 0))
}
