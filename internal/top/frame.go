package top

// frame is how many lines each part of the view has.
type frame struct {
	header, headings, rows, pane, status, footer int
}

// frame shares the height among the parts.
func (m *Model) frame() (f frame) {
	if m.height >= 4 {
		f.header = 1
	}
	if m.height >= 6 && !m.deaf {
		f.footer = 1
	}
	f.status = min(len(m.status()), max(m.height-f.header-f.footer-1, 0))
	f.rows = max(m.height-f.header-f.footer-f.status, 0)
	if m.pane.open {
		const besides, least = 12, 4 // lines of a pane beside which there is a table, and lines of that
		f.pane, f.rows = f.rows, 0
		if f.pane >= besides+least {
			f.rows = max(min(f.pane*2/5, len(m.shown)+1), least)
			f.pane -= f.rows
		}
	}
	if f.rows >= 2 {
		f.headings = 1
		f.rows--
	}
	return f
}

// legible tells whether there is room for all of the question.
func (m *Model) legible() bool { return m.frame().status == len(m.status()) }

// show has the instance that is chosen visible.
func (m *Model) show() {
	room := m.frame().rows
	if room <= 0 {
		return
	}
	m.top = min(m.top, m.at)
	m.top = max(m.top, m.at-room+1)
	m.top = max(min(m.top, len(m.shown)-room), 0)
}
