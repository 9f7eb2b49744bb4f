package top

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/api"
	"github.com/evenkeel/evenkeel/fsm"
)

// take takes an answer to how all instances are.
func (m *Model) take(l listed) {
	m.asking = false
	m.now = l.at
	if l.err != nil {
		m.lost = l.err.Error()
		return
	}
	m.lost = ""
	there := make(map[key]*row, len(l.list.Instances))
	m.counts = make(map[fsm.Phase]int)
	for _, one := range l.list.Instances {
		m.counts[one.Phase]++
		r := m.kept(one)
		r.becomes(one, l.at)
		if m.due {
			r.sample()
		}
		there[r.key()] = r
	}
	m.rows, m.due = there, false
	m.widths = widthsOf(m.all(), m.now)
	m.arrange()
}

// kept returns the row that an instance has, or a new one.
func (m *Model) kept(one api.Summary) *row {
	if r := m.rows[key{one.Kind, one.Name}]; r != nil {
		return r
	}
	return new(row)
}

func (m *Model) all() []*row {
	all := make([]*row, 0, len(m.rows))
	for _, r := range m.rows {
		all = append(all, r)
	}
	return all
}

// missed says that a second has passed without an answer.
func (m *Model) missed() {
	for _, r := range m.rows {
		r.in.add(math.NaN())
		r.sent.add(math.NaN())
	}
}

// arrange finds out what is shown, and in which order. Who is chosen stays so, and
// where that instance is gone, its place does. Where nobody can choose, the first is.
func (m *Model) arrange() {
	m.shown = slices.DeleteFunc(m.all(), func(r *row) bool { return !m.matches(r) })
	compare := byRank
	if m.by != unsorted {
		compare = m.by.compare
	}
	slices.SortFunc(m.shown, func(a, b *row) int {
		by := compare(a, b)
		if m.reverse {
			by = -by
			if m.by == colName {
				return byName(b, a)
			}
		}
		return cmp.Or(by, byName(a, b))
	})
	if at := slices.IndexFunc(m.shown, func(r *row) bool { return r.key() == m.chosen }); at >= 0 && !m.deaf {
		m.at = at
		return
	}
	if m.deaf {
		m.at = 0
	}
	m.choose(m.at)
}

// matches tells whether an instance has what is filtered by.
func (m *Model) matches(r *row) bool {
	if m.filter == "" {
		return true
	}
	text := strings.Join([]string{r.Name, r.Kind, string(r.State), r.Phase.String(), r.reason()}, "\n")
	return strings.Contains(strings.ToLower(text), strings.ToLower(m.filter))
}

// choose chooses the instance at a place, or at the nearest there is.
func (m *Model) choose(at int) {
	m.at = max(min(at, len(m.shown)-1), 0)
	m.chosen = key{}
	if len(m.shown) > 0 {
		m.chosen = m.shown[m.at].key()
	}
}

// sort sorts by a column, and in the other direction if that is done already.
func (m *Model) sort(by column) {
	m.reverse = by == m.by && by != unsorted && !m.reverse
	m.by = by
	m.arrange()
}
