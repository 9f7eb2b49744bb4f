package top

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// name is how the keys are called.
func (b *binding) name() string {
	if b.shown != "" {
		return b.shown
	}
	return b.keys[0]
}

// keysText names the most useful keys, as many as there is room for.
func keysText(room int) (line string) {
	for _, b := range bindings() {
		if b.brief == "" {
			continue
		}
		next := strings.TrimLeft(line+"  "+b.name()+" "+b.brief, " ")
		if len(next) > room {
			break
		}
		line = next
	}
	return line
}

// helpText says what each key does, and what the marks mean.
func (m *Model) helpText() (lines []string) {
	const indent = 10
	add := func(label, text string) {
		for _, part := range strings.Split(ansi.Wrap(text, max(m.width-indent, 8), ""), "\n") {
			lines = append(lines, bold.Styled(pad(label, indent))+part)
			label = ""
		}
	}
	for _, b := range bindings() {
		add("  "+b.name(), b.does)
	}
	var marks []string
	for _, p := range inOrder() {
		marks = append(marks, m.look.mark(p)+" "+p.String())
	}
	add("", "")
	add("  marks", strings.Join(marks, "  "))
	return lines
}

// unread is how far the help can be scrolled.
func (m *Model) unread() int {
	f := m.frame()
	return max(len(m.helpText())-f.headings-f.rows-f.pane, 0)
}
