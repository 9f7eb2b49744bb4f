package top

import (
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/evenkeel/evenkeel/fsm"
)

// styleOf returns the style of a phase, a faint one where nobody knows whether an
// instance still is of it.
func (m *Model) styleOf(p fsm.Phase) ansi.Style {
	if m.lost != "" {
		return faint
	}
	return styleOf(p)
}

// headings are the titles of the columns, with how they are sorted.
func (m *Model) headings(w widths) string {
	line := strings.Repeat(" ", margin)
	for c, cells := range w.cells {
		c := column(c)
		if cells == 0 {
			continue
		}
		title := c.title()
		if c == colRestarts && cells <= len(title) {
			title = "RST"
		}
		if c == m.by && m.reverse {
			title += m.look.up
		} else if c == m.by {
			title += m.look.down
		}
		line += m.aligned(title, cells, c.right()) + strings.Repeat(" ", gap)
	}
	return faint.Styled(strings.TrimRight(line, " "))
}

func (m *Model) aligned(text string, cells int, right bool) string {
	text = m.look.cut(text, cells)
	if right {
		return strings.Repeat(" ", max(cells-ansi.StringWidth(text), 0)) + text
	}
	return pad(text, cells)
}

// table returns the rows that are visible.
func (m *Model) table(w widths, room int) (lines []string) {
	for n := m.top; n < min(m.top+room, len(m.shown)); n++ {
		lines = append(lines, m.row(m.shown[n], w))
	}
	switch {
	case len(m.rows) == 0:
		lines = append(lines, faint.Styled(strings.Repeat(" ", margin)+"there is no instance"))
	case len(m.shown) == 0:
		lines = append(lines, faint.Styled(strings.Repeat(" ", margin)+"none matches: esc shows all"))
	}
	return lines
}

// row returns the line of an instance.
func (m *Model) row(r *row, w widths) string {
	phase, rest, before := m.styleOf(r.Phase), ansi.Style{}, " "
	if m.lost != "" {
		rest = faint
	}
	if r.key() == m.chosen {
		phase, rest, before = phase.Reverse(true), rest.Reverse(true), m.look.chosen
	}
	line := rest.Styled(before) + phase.Styled(m.look.mark(r.Phase))
	space := " "
	for c, cells := range w.cells {
		if cells == 0 {
			continue
		}
		style := rest
		if column(c) == colState {
			style = phase
		}
		line += rest.Styled(space) + style.Styled(m.cell(r, column(c), cells, w.bars))
		space = strings.Repeat(" ", gap)
	}
	return line + rest.Styled(strings.Repeat(" ", max(m.width-ansi.StringWidth(line), 0)))
}

// cell returns what a column has of an instance, in so many cells: of a rate with its
// bars, where there is room for them.
func (m *Model) cell(r *row, c column, cells, bars int) string {
	text := c.text(r, m.now)
	if bars == 0 || r.Traffic == nil {
		return m.aligned(text, cells, c.right())
	}
	switch c {
	case colIn:
		return m.aligned(text, rateCells+1, false) + r.in.bars(bars, m.look.levels)
	case colOut:
		return m.aligned(text, rateCells+1, false) + r.sent.bars(bars, m.look.levels)
	}
	return m.aligned(text, cells, c.right())
}
