package top

import (
	"time"

	"github.com/charmbracelet/x/ansi"
)

// widths is how many cells each column takes, 0 for one that is not there, and how
// many of those of a rate its bars do.
type widths struct {
	cells [columns]int
	bars  int
}

const (
	// gap is between two columns.
	gap = 2
	// margin is before the first: what is chosen, the mark of its phase, and a blank.
	margin = 3
	// rateCells is what a rate takes without its bars.
	rateCells = 5
)

// widthsOf returns what each column needs for these instances: none for rates where
// nothing has any.
func widthsOf(rows []*row, now time.Time) (w widths) {
	for c := range columns {
		w.cells[c] = ansi.StringWidth(c.title()) + 1 // beside it stands how it is sorted
	}
	rates := false
	for _, r := range rows {
		for _, c := range []column{colName, colState, colFor, colPID, colUp, colRestarts} {
			w.cells[c] = max(w.cells[c], ansi.StringWidth(c.text(r, now)))
		}
		rates = rates || r.Traffic != nil
	}
	w.cells[colFor], w.cells[colUp] = max(w.cells[colFor], 6), max(w.cells[colUp], 6) // they grow and shrink all the time
	w.bars = 20
	if !rates {
		w.drop(colIn)
		w.drop(colOut)
	}
	w.sparkle(20)
	return w
}

func (w *widths) drop(c column)          { w.cells[c] = 0 }
func (w *widths) atMost(c column, n int) { w.cells[c] = min(w.cells[c], n) }

// sparkle gives the bars of rates so many cells.
func (w *widths) sparkle(bars int) {
	w.bars = bars
	for _, c := range []column{colIn, colOut} {
		if w.cells[c] > 0 {
			w.cells[c] = rateCells + 1
			if bars > 0 {
				w.cells[c] += bars
			}
		}
	}
}

// squeezes are what is given up one after the other for the rest to fit.
func squeezes() []func(*widths) {
	return []func(*widths){
		func(w *widths) { w.sparkle(12) },
		func(w *widths) { w.atMost(colName, 32) },
		func(w *widths) { w.sparkle(6) },
		func(w *widths) { w.drop(colUp) },
		func(w *widths) { w.drop(colPID) },
		func(w *widths) { w.atMost(colRestarts, 4) },
		func(w *widths) { w.atMost(colName, 18) },
		func(w *widths) { w.sparkle(4) },
		func(w *widths) { w.atMost(colState, 12) },
		func(w *widths) { w.sparkle(0) },
		func(w *widths) { w.drop(colRestarts) },
		func(w *widths) { w.drop(colFor) },
		func(w *widths) { w.drop(colOut) },
		func(w *widths) { w.drop(colIn) },
		func(w *widths) { w.atMost(colName, 12) },
		func(w *widths) { w.drop(colReason) },
		func(w *widths) { w.atMost(colState, 7) },
	}
}

// fit gives up columns until the rest has room in so many cells, the reason as many
// as it can be understood from, and gives the reason what is left.
func (w widths) fit(width int) widths {
	const understood, enough = 12, 40
	wanted := enough // it is worth more than long bars
	for n, squeeze := range squeezes() {
		if w.total(wanted) <= width {
			break
		}
		squeeze(&w)
		if n == 2 {
			wanted = understood
		}
	}
	if w.cells[colReason] > 0 {
		w.cells[colReason] = 0
		w.cells[colReason] = max(width-w.total(0)-gap, 0)
	}
	return w
}

// total is what all columns take with a reason of so many cells.
func (w widths) total(reason int) int {
	sum := margin
	if w.cells[colReason] > 0 {
		w.cells[colReason] = max(w.cells[colReason], reason)
	}
	for _, cells := range w.cells {
		if cells > 0 {
			sum += cells + gap
		}
	}
	return sum - gap
}
