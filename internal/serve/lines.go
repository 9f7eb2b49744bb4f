package serve

import (
	"fmt"
	"io"
	"strings"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6/logs"
)

// stampForm is how the time of a line is printed: RFC 3339, as --since takes it.
const stampForm = "2006-01-02T15:04:05.000Z07:00"

// lineColors are what the names of instances are printed in, one after the other:
// the colors of ANSI terminals, without those that look like text or background.
var lineColors = [...]int{36, 33, 32, 35, 34, 96, 93, 92, 95, 94}

// LinePrinter prints lines of instances. It is for one goroutine.
type LinePrinter struct {
	To     io.Writer
	Escape bool // as for a terminal
	Color  bool
	Stamps bool // with the time of each line
	Names  bool // with the instance before each line

	width int            // of the longest name
	seen  map[string]int // the names, in the order in which they were seen
}

// Know has room for these names.
func (p *LinePrinter) Know(names []string) {
	if p.seen == nil {
		p.seen = make(map[string]int)
	}
	for _, name := range names {
		if _, known := p.seen[name]; !known {
			p.seen[name] = len(p.seen)
			p.width = max(p.width, len(name))
		}
	}
}

// Print prints a line, or that some may be missing, in one write.
func (p *LinePrinter) Print(l logs.Line) error {
	var b strings.Builder
	if p.Names {
		p.Know([]string{l.Instance})
		name := fmt.Sprintf("%-*s | ", p.width, p.shown(l.Instance))
		if p.Color {
			name = fmt.Sprintf("\x1b[%dm%s\x1b[0m", lineColors[p.seen[l.Instance]%len(lineColors)], name)
		}
		b.WriteString(name)
	}
	if p.Stamps && !l.At.IsZero() {
		b.WriteString(l.At.Local().Format(stampForm) + " ")
	}
	switch {
	case l.Gap:
		b.WriteString("(lines may be missing here)")
	case l.Cut:
		b.WriteString(p.shown(fsm.MaskText(l.Text)) + " (cut)")
	default:
		b.WriteString(p.shown(fsm.MaskText(l.Text)))
	}
	b.WriteByte('\n')
	_, err := io.WriteString(p.To, b.String())
	return err
}

// shown returns a text of an instance as it is printed.
func (p *LinePrinter) shown(text string) string {
	if p.Escape {
		return fsm.EscapeText(text)
	}
	return text
}
