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
