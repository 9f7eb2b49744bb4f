package screen

import (
	"encoding/xml"
	"fmt"
	"image/color"
	"strings"

	uv "github.com/charmbracelet/ultraviolet"
	"github.com/charmbracelet/x/ansi"
)

// The size of a cell, what is left around all of them, and that of letters, in pixels.
const (
	cellWidth, cellHeight = 8, 17
	border                = 12
	fontSize, baseline    = 13, 13
)

// The colours of letters and of what is behind them.
const (
	ink   = "#d6dde4"
	faded = "#848d97"
	paper = "#14181d"
)

// SVG returns a picture of what stands on a terminal of so many cells after that was
// written to it. The same text gives the same picture.
func SVG(written string, width, height int) string {
	terminal := on(written, width, height)
	w, h := width*cellWidth+2*border, height*cellHeight+2*border
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" font-family="ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace" font-size="%d">`+"\n", w, h, w, h, fontSize)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" rx="8" fill="%s"/>`+"\n", w, h, paper)
	for y := range height {
		for x := 0; x < width; {
			r := runFrom(terminal.CellAt, x, y, width)
			r.draw(&b)
			x += r.cells
		}
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// run is cells beside each other that look the same.
type run struct {
	x, y, cells int
	text        []string // of each cell
	style       uv.Style
}

// runFrom returns the run that begins at a cell.
func runFrom(at func(x, y int) *uv.Cell, x, y, width int) run {
	r := run{x: x, y: y}
	for ; x < width; x++ {
		cell := at(x, y)
		if cell == nil {
			cell = &uv.Cell{Content: " ", Width: 1}
		}
		if r.cells > 0 && !cell.Style.Equal(&r.style) {
			break
		}
		r.style = cell.Style
		r.text = append(r.text, cell.Content)
		r.cells++
	}
	return r
}

// draw draws a run: what fills cells as rectangles, so that no font is needed to have
// it, the rest word by word.
func (r *run) draw(b *strings.Builder) {
	front, back := colour(r.style.Fg), ""
	if r.style.Attrs&uv.AttrFaint != 0 {
		front = faded
	}
	if r.style.Attrs&uv.AttrReverse != 0 {
		front, back = paper, front
	}
	if back != "" {
		r.fill(b, 0, r.cells, 0, cellHeight, back)
	}
	for n := 0; n < r.cells; {
		end := n + 1
		switch {
		case strings.TrimSpace(r.text[n]) == "":
		case r.text[n] == "─":
			for ; end < r.cells && r.text[end] == "─"; end++ {
			}
			r.fill(b, n, end, cellHeight/2, 1, front)
		case block(r.text[n]) > 0:
			high := block(r.text[n]) * (cellHeight - 3) / 8
			r.fill(b, n, end, cellHeight-1-high, high, front)
		default:
			for ; end < r.cells && strings.TrimSpace(r.text[end]) != "" && block(r.text[end]) == 0 && r.text[end] != "─"; end++ {
			}
			r.write(b, n, end, front)
		}
		n = end
	}
}

// fill fills cells of the run, from so many pixels below their upper end.
func (r *run) fill(b *strings.Builder, from, to, top, high int, with string) {
	fmt.Fprintf(b, `<rect x="%d" y="%d" width="%d" height="%d" fill="%s"/>`+"\n",
		border+(r.x+from)*cellWidth, border+r.y*cellHeight+top, (to-from)*cellWidth, high, with)
}

// write writes a word of the run.
func (r *run) write(b *strings.Builder, from, to int, with string) {
	weight := ""
	if r.style.Attrs&uv.AttrBold != 0 {
		weight = ` font-weight="bold"`
	}
	fmt.Fprintf(b, `<text x="%d" y="%d" textLength="%d" fill="%s"%s>`,
		border+(r.x+from)*cellWidth, border+r.y*cellHeight+baseline, (to-from)*cellWidth, with, weight)
	_ = xml.EscapeText(b, []byte(strings.Join(r.text[from:to], ""))) // a strings.Builder takes everything
	b.WriteString("</text>\n")
}

// block returns how many eighths of a cell a character fills, 0 for one that is none
// of those that do.
func block(text string) int {
	if r := []rune(text); len(r) == 1 && r[0] >= '▁' && r[0] <= '█' {
		return int(r[0]-'▁') + 1
	}
	return 0
}

// colour returns one of the colours that terminals give names.
func colour(c color.Color) string {
	switch c {
	case ansi.Red:
		return "#ff8078"
	case ansi.Green:
		return "#5bd06a"
	case ansi.Yellow:
		return "#e0b341"
	case ansi.Blue:
		return "#7bbcff"
	}
	return ink
}
