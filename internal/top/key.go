package top

import (
	"slices"

	tea "charm.land/bubbletea/v2"
)

// binding is what some keys do.
type binding struct {
	keys  []string // as tea.KeyPressMsg has them
	shown string   // how they are called; empty for the first of keys
	brief string   // what they do, in a word, for the footer; empty for keys that are not there
	does  string   // what they do
	do    func(m *Model, key string) tea.Cmd
}

// farthest is farther than there is anything.
const farthest = 1 << 30

// bindings are the keys, the most useful first.
func bindings() []binding {
	return []binding{
		{[]string{"q"}, "", "quit", "quit; Ctrl-C does so anywhere", func(m *Model, _ string) tea.Cmd { return m.quit(false) }},
		{[]string{"?"}, "", "help", "show the keys, or the table again", func(m *Model, _ string) tea.Cmd { m.help = !m.help; return nil }},
		{[]string{"up", "k"}, "up", "", "choose the instance above", func(m *Model, _ string) tea.Cmd { return m.move(-1) }},
		{[]string{"down", "j"}, "down", "", "choose the instance below", func(m *Model, _ string) tea.Cmd { return m.move(1) }},
		{[]string{"enter"}, "", "why", "show why it is so, its history and its log, or the table alone", func(m *Model, _ string) tea.Cmd { return m.openOrShut() }},
		{[]string{"tab", "shift+tab"}, "", "", "show why or the log, and scroll that", func(m *Model, _ string) tea.Cmd { return m.turn() }},
		{[]string{"pgup", "ctrl+b"}, "pgup", "", "page up, in what enter shows or in the table", func(m *Model, _ string) tea.Cmd { return m.page(-1) }},
		{[]string{"pgdown", "ctrl+f", "space"}, "pgdn", "", "page down", func(m *Model, _ string) tea.Cmd { return m.page(1) }},
		{[]string{"home", "g"}, "home", "", "choose the first instance", func(m *Model, _ string) tea.Cmd { return m.move(-farthest) }},
		{[]string{"end", "G"}, "end", "", "choose the last", func(m *Model, _ string) tea.Cmd { return m.move(farthest) }},
		{[]string{"s"}, "", "stop", "stop the instance, after a question", func(m *Model, _ string) tea.Cmd { return m.propose("stop") }},
		{[]string{"S"}, "", "start", "start it", func(m *Model, _ string) tea.Cmd { return m.propose("start") }},
		{[]string{"r"}, "", "restart", "restart it", func(m *Model, _ string) tea.Cmd { return m.propose("restart") }},
		{[]string{"t"}, "", "retry", "try at once what has failed, or is held", func(m *Model, _ string) tea.Cmd { return m.propose("retry") }},
		{[]string{"/"}, "", "filter", "show those alone whose name, kind, state or reason has a text", func(m *Model, _ string) tea.Cmd { m.typing, m.help = true, false; return nil }},
		{[]string{"1", "2", "3", "4", "5", "6", "7", "8", "9"}, "1-9", "sort", "sort by that column, again to reverse it", func(m *Model, key string) tea.Cmd { m.sort(column(key[0] - '1')); return nil }},
		{[]string{"0"}, "", "", "sort by what is wrong, then by name", func(m *Model, _ string) tea.Cmd { m.sort(unsorted); return nil }},
		{[]string{"esc"}, "", "", "leave what is open, then show all", func(m *Model, _ string) tea.Cmd { return m.leave() }},
		{[]string{"ctrl+l"}, "", "", "draw all anew", func(*Model, string) tea.Cmd { return tea.ClearScreen }},
		{[]string{"ctrl+z"}, "", "", "suspend", func(*Model, string) tea.Cmd { return tea.Suspend }},
	}
}

// key does what a key does.
func (m *Model) key(press tea.KeyPressMsg) tea.Cmd {
	name := press.String()
	switch {
	case name == "ctrl+c":
		return m.quit(true)
	case m.question != nil:
		return m.answer(name)
	case m.typing:
		m.typed(press)
		return nil
	}
	m.said = ""
	for _, b := range bindings() {
		if slices.Contains(b.keys, name) {
			return b.do(m, name)
		}
	}
	return nil
}

// quit ends the table, or has the program end whose table it is: again where somebody
// insists on that.
func (m *Model) quit(insists bool) tea.Cmd {
	switch {
	case m.calls.quit == nil:
		return tea.Quit
	case m.ending && !insists:
		return nil
	}
	return m.calls.quit
}

// typed takes a key of a filter.
func (m *Model) typed(press tea.KeyPressMsg) {
	switch press.String() {
	case "enter":
		m.typing = false
	case "esc":
		m.typing = false
		m.filtered("")
	case "backspace":
		if runes := []rune(m.filter); len(runes) > 0 {
			m.filtered(string(runes[:len(runes)-1]))
		}
	case "ctrl+u":
		m.filtered("")
	default:
		m.filtered(m.filter + press.Text)
	}
}

// filtered filters by a text.
func (m *Model) filtered(text string) {
	const longest = 200
	if len(text) > longest {
		return
	}
	m.filter = text
	m.arrange()
}

// answer takes a key that answers the question. Nobody says yes to what is not there to
// be read.
func (m *Model) answer(name string) tea.Cmd {
	q := m.question
	switch name {
	case "y", "Y":
		if !m.legible() {
			return nil
		}
		m.question = nil
		m.say(q.verb+" of "+q.name+" is asked for", false)
		return m.calls.ask(q.verb, q.name)
	case "n", "N", "esc", "q":
		m.question = nil
	}
	return nil
}

// propose asks whether something is to be asked for by hand.
func (m *Model) propose(verb string) tea.Cmd {
	if r := m.current(); r != nil && !m.help {
		m.question = questionOf(verb, r)
		if !m.legible() {
			m.question = nil
			m.say("cannot "+verb+" it: the terminal is too small for the question", true)
		}
	}
	return nil
}

// move chooses another instance, or scrolls the help.
func (m *Model) move(by int) tea.Cmd {
	if m.help {
		m.read += by
		return nil
	}
	m.choose(m.at + by)
	return nil
}

// page scrolls what is open by what is visible of it.
func (m *Model) page(by int) tea.Cmd {
	f := m.frame()
	if m.pane.open && !m.help {
		m.scroll(by * max(f.pane-2, 1))
		return nil
	}
	return m.move(by * max(f.headings+f.rows-2, 1))
}

// openOrShut opens the pane, or shuts it.
func (m *Model) openOrShut() tea.Cmd {
	if m.pane.open {
		m.pane.shut()
		return nil
	}
	m.pane.open = m.current() != nil && !m.help
	return nil
}

// turn turns the page of the pane, or opens it.
func (m *Model) turn() tea.Cmd {
	if !m.pane.open || m.calls.follow == nil {
		m.pane.open = m.current() != nil && !m.help
		return nil
	}
	m.pane.page, m.pane.back = pageLog-m.pane.page, 0
	return nil
}

// leave leaves what is open: help, the pane, or the filter.
func (m *Model) leave() tea.Cmd {
	switch {
	case m.help:
		m.help = false
	case m.pane.open:
		m.pane.shut()
	default:
		m.filtered("")
	}
	return nil
}
