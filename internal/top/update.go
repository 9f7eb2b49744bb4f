package top

import (
	tea "charm.land/bubbletea/v2"

	"github.com/evenkeel/evenkeel/fsm"
)

// Update implements tea.Model.
func (m *Model) Update(message tea.Msg) (tea.Model, tea.Cmd) {
	next := m.handle(message)
	next = tea.Batch(next, m.follow())
	m.show()
	m.read = max(min(m.read, m.unread()), 0)
	return m, next
}

// handle takes a message, and returns what is to be asked for.
func (m *Model) handle(message tea.Msg) tea.Cmd {
	switch message := message.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = message.Width, message.Height
	case tea.KeyPressMsg:
		return m.key(message)
	case tea.PasteMsg:
		if m.typing {
			m.filtered(m.filter + fsm.EscapeLine(message.Content))
		}
	case ticked:
		return m.tick(message)
	case happened:
		return tea.Batch(m.list(), m.calls.news)
	case listed:
		m.take(message)
		return m.taken()
	case told:
		m.pane.knows(message)
	case printed:
		m.pane.prints(message)
		return message.next
	case ending:
		m.ending = true
	case said:
		m.say(message.line, true)
		return m.calls.said
	case answered:
		return m.answered(message)
	}
	return nil
}

// tick begins another second, and another sample.
func (m *Model) tick(t ticked) tea.Cmd {
	m.now = t.at
	if m.due {
		m.missed()
	}
	m.due = true
	if m.said != "" && m.now.After(m.until) {
		m.said = ""
	}
	return tea.Batch(m.list(), tick())
}

// taken asks for what an answer leaves open.
func (m *Model) taken() (next tea.Cmd) {
	if m.again {
		next = m.list()
	}
	if m.pane.open && m.lost == "" {
		next = tea.Batch(next, m.calls.tell(m.pane.of))
	}
	return next
}

// answered says how what was asked by hand went.
func (m *Model) answered(a answered) tea.Cmd {
	if a.err != nil {
		m.say("cannot "+a.verb+" "+a.name+": "+a.err.Error(), true)
	}
	return m.list()
}

// follow has the pane show the instance that is chosen.
func (m *Model) follow() tea.Cmd {
	p := &m.pane
	if !p.open || p.of == m.chosen {
		return nil
	}
	p.shut()
	if m.current() == nil {
		return nil
	}
	p.open, p.of = true, m.chosen
	next := m.calls.tell(p.of)
	if m.calls.follow != nil {
		var begin tea.Cmd
		begin, p.end = m.calls.follow(p.of.name, p.turn)
		next = tea.Batch(next, begin)
	}
	return next
}
