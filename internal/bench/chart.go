package bench

import (
	"encoding/xml"
	"fmt"
	"strings"
)

// The measures of a picture, in pixels.
const (
	chartWidth = 820
	panelWidth = 390
	nameWidth  = 130
	valueWidth = 70
	barHeight  = 14
	rowHeight  = 20
	headHeight = 34
	margin     = 20
)

// The colours of a picture.
const (
	paper   = "#ffffff"
	ink     = "#1f2328"
	ours    = "#1a7f64"
	theirs  = "#aab2bb"
	quieter = "#59636e"
)

// Chart returns a picture of a job: for each figure a panel, with a bar for each peer.
// The same figures give the same picture.
func Chart(j *Job) string {
	var panels []column
	for _, c := range columns() {
		if c.unit != "lost" && !c.kept {
			panels = append(panels, c)
		}
	}
	panelHeight := headHeight + rowHeight*len(j.Peers) + margin
	height := margin + (len(panels)+1)/2*panelHeight
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" font-family="system-ui, 'DejaVu Sans', sans-serif" font-size="12">`+"\n", chartWidth, height, chartWidth, height)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" rx="8" fill="%s"/>`+"\n", chartWidth, height, paper)
	for n, c := range panels {
		j.panel(&b, c, margin+n%2*(panelWidth+margin), margin+n/2*panelHeight)
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// panel draws a figure of all peers at a place. The longest bar is that of the largest
// value.
func (j *Job) panel(b *strings.Builder, c column, x, y int) {
	most := 0.0
	for _, one := range j.Peers {
		value, _ := one.Value(c.unit)
		most = max(most, value)
	}
	text(b, x, y+14, ink, "bold", c.head)
	for n, one := range j.Peers {
		top := y + headHeight - rowHeight/2 + n*rowHeight
		text(b, x, top+barHeight-3, ink, "normal", peer(one))
		value, ok := one.Value(c.unit)
		if !ok {
			text(b, x+nameWidth, top+barHeight-3, quieter, "normal", c.missing)
			continue
		}
		width := 1.0
		if most > 0 {
			width = max(1, value/most*(panelWidth-nameWidth-valueWidth))
		}
		colour := theirs
		if peer(one) == "evenkeel" {
			colour = ours
		}
		fmt.Fprintf(b, `<rect x="%d" y="%d" width="%.1f" height="%d" rx="2" fill="%s"/>`+"\n", x+nameWidth, top, width, barHeight, colour)
		text(b, x+nameWidth+int(width)+6, top+barHeight-3, ink, "normal", figure(value, c.unit))
	}
}

func text(b *strings.Builder, x, y int, colour, weight, said string) {
	fmt.Fprintf(b, `<text x="%d" y="%d" fill="%s" font-weight="%s">`, x, y, colour, weight)
	_ = xml.EscapeText(b, []byte(said)) // a Builder takes everything
	b.WriteString("</text>\n")
}
