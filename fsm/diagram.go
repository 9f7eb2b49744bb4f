package fsm

import (
	"fmt"
	"slices"
	"strings"
)

// Mermaid renders the table as a Mermaid state diagram, in which the states that are
// named are marked. The same table always gives the same text.
func (t *Table) Mermaid(marked ...State) string {
	var b strings.Builder
	b.WriteString("stateDiagram-v2\n")
	fmt.Fprintf(&b, "    [*] --> %s\n", StateToBeCreated)
	for _, r := range t.rows {
		fmt.Fprintf(&b, "    %s --> %s: %s\n", r.From, r.To, r.Event)
	}
	fmt.Fprintf(&b, "    %s --> [*]\n", StateRemoved)
	if len(marked) > 0 {
		b.WriteString("    classDef marked fill:#1f6feb,color:#fff,stroke-width:3px\n")
	}
	for _, s := range marked {
		fmt.Fprintf(&b, "    class %s marked\n", s)
	}
	return b.String()
}

// DOT renders the table as a directed graph in the language of Graphviz, in which the
// states that are named are marked. The rows between two states are one edge. The
// same table always gives the same text.
func (t *Table) DOT(marked ...State) string {
	var b strings.Builder
	fmt.Fprintf(&b, "digraph %q {\n\trankdir=TB; node [shape=box, style=rounded];\n", t.spec.Name)
	for _, s := range t.states {
		line := fmt.Sprintf("\t%q [class=%q", s.Name, s.Phase)
		if slices.Contains(marked, s.Name) {
			line += ", style=\"rounded,filled\", fillcolor=lightblue"
		}
		b.WriteString(line + "];\n")
	}
	type pair struct{ from, to State }
	events := make(map[pair][]string)
	var edges []pair
	for _, r := range t.rows {
		p := pair{r.From, r.To}
		if events[p] == nil {
			edges = append(edges, p)
		}
		events[p] = append(events[p], string(r.Event))
	}
	for _, p := range edges {
		fmt.Fprintf(&b, "\t%q -> %q [label=%q];\n", p.from, p.to, strings.Join(events[p], "\n"))
	}
	b.WriteString("}\n")
	return b.String()
}
