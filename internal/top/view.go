package top

import (
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
)

// View implements tea.Model. It has as many lines as the terminal, each no wider.
func (m *Model) View() tea.View {
	if m.width <= 0 || m.height <= 0 {
		return tea.View{AltScreen: true}
	}
	f := m.frame()
	var lines []string
	add := func(room int, some []string) {
		some = some[:min(len(some), room)]
		lines = append(lines, some...)
		lines = append(lines, make([]string, room-len(some))...)
	}
	add(f.header, []string{m.header()})
	if m.help {
		add(f.headings+f.rows+f.pane, m.helpText()[m.read:])
	} else {
		w := m.widths.fit(m.width)
		add(f.headings, []string{m.headings(w)})
		add(f.rows, m.table(w, f.rows))
		add(f.pane, m.paneLines(f.pane))
	}
	add(f.status, m.status())
	add(f.footer, []string{faint.Styled(keysText(m.width))})
	for n, line := range lines {
		lines[n] = m.look.cut(line, m.width)
	}
	return tea.View{Content: strings.Join(lines, "\n"), AltScreen: true}
}

// header says how many instances there are, and of which phases, in as many words as
// there is room for.
func (m *Model) header() string {
	title, name, of, all := "evenkeel", "evenkeel", "", len(m.rows)
	if m.ending {
		title, name = "evenkeel is ending", "ending"
	}
	if m.filter != "" {
		of = fmt.Sprintf("%d of ", len(m.shown))
	}
	line := m.counted(title+"  "+of+many(all), "  ", true)
	if ansi.StringWidth(line) > m.width {
		line = m.counted(fmt.Sprintf("%s %s%d", name, of, all), " ", true)
	}
	if ansi.StringWidth(line) > m.width {
		line = m.counted(fmt.Sprintf("%s%d", of, all), " ", false)
	}
	return line
}

// counted says how many instances are of which phases, with or without their names.
func (m *Model) counted(first, between string, named bool) string {
	parts := []string{bold.Styled(first)}
	for _, p := range inOrder() {
		n := m.counts[p]
		if n == 0 {
			continue
		}
		text := fmt.Sprintf("%s %d", m.look.mark(p), n)
		if named {
			text += " " + p.String()
		}
		parts = append(parts, m.styleOf(p).Styled(text))
	}
	return strings.Join(parts, between)
}

func many(n int) string {
	if n == 1 {
		return "1 instance"
	}
	return fmt.Sprintf("%d instances", n)
}
