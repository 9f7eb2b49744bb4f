package bench

import "strings"

// table is one of Markdown: a head, and rows. All columns but the first are aligned to
// the right.
type table struct {
	head []string
	rows [][]string
}

func (t *table) String() string {
	var b strings.Builder
	line := func(cells []string) {
		b.WriteString("| " + strings.Join(cells, " | ") + " |\n")
	}
	line(t.head)
	b.WriteString("|---" + strings.Repeat("|--:", len(t.head)-1) + "|\n")
	for _, row := range t.rows {
		line(row)
	}
	return b.String()
}
