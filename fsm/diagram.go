package fsm

import (
	"fmt"
	"strings"
)

// Mermaid renders the table as a Mermaid state diagram. The same table always
// gives the same text.
func (t *Table) Mermaid() string {
	var b strings.Builder
	b.WriteString("stateDiagram-v2\n")
	fmt.Fprintf(&b, "    [*] --> %s\n", StateToBeCreated)
	for _, r := range t.rows {
		fmt.Fprintf(&b, "    %s --> %s: %s\n", r.From, r.To, r.Event)
	}
	fmt.Fprintf(&b, "    %s --> [*]\n", StateRemoved)
	return b.String()
}

// DOT renders the table as a Graphviz digraph, each state with its phase. The
// same table always gives the same text.
func (t *Table) DOT() string {
	var b strings.Builder
	fmt.Fprintf(&b, "digraph %q {\n    rankdir=LR;\n    node [shape=box, style=rounded];\n", t.spec.Name)
	for _, s := range t.states {
		if string(s.Name) == s.Phase.String() {
			fmt.Fprintf(&b, "    %q;\n", s.Name)
			continue
		}
		fmt.Fprintf(&b, "    %q [label=\"%s\\n(%s)\"];\n", s.Name, s.Name, s.Phase)
	}
	for _, r := range t.rows {
		fmt.Fprintf(&b, "    %q -> %q [label=%q];\n", r.From, r.To, r.Event)
	}
	b.WriteString("}\n")
	return b.String()
}
