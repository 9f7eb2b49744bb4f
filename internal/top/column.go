package top

import (
	"cmp"
	"fmt"
	"strconv"
	"time"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/internal/words"
)

// column is something that a table has of each instance.
type column int

// The columns, from left to right. Each is chosen by its place, counted from one.
const (
	colName column = iota
	colState
	colFor
	colPID
	colUp
	colRestarts
	colIn
	colOut
	colReason
	columns // how many there are
)

// unsorted is the order of what is wrong first, and no column.
const unsorted column = -1

// title is what stands above a column.
func (c column) title() string {
	return [columns]string{"NAME", "STATE", "FOR", "PID", "UP", "RESTARTS", "IN/S", "OUT/S", "REASON"}[c]
}

// right tells whether a column is aligned to its right.
func (c column) right() bool { return c == colPID || c == colRestarts }

// text returns what a column has of an instance. No text does something to a terminal.
func (c column) text(r *row, now time.Time) string {
	switch c {
	case colName:
		return fsm.EscapeLine(r.Name)
	case colState:
		return fsm.EscapeLine(cmp.Or(string(r.State), "refused"))
	case colFor:
		return words.Ago(r.Since, now)
	case colPID:
		if r.PID == 0 {
			return "-"
		}
		return strconv.Itoa(r.PID)
	case colUp:
		return words.Ago(r.Up, now)
	case colRestarts:
		return strconv.Itoa(r.Restarts)
	case colIn:
		return rate(r.received())
	case colOut:
		return rate(r.delivered())
	}
	return fsm.EscapeLine(words.Reason(&r.Summary, now))
}

// compare compares two instances by a column: what is looked for most comes first.
func (c column) compare(a, b *row) int {
	switch c {
	case colState:
		return cmp.Compare(a.Phase, b.Phase)
	case colFor:
		return b.Since.Compare(a.Since)
	case colPID:
		return cmp.Compare(a.PID, b.PID)
	case colUp:
		return b.Up.Compare(a.Up)
	case colRestarts:
		return cmp.Compare(b.Restarts, a.Restarts)
	case colIn:
		return cmp.Compare(b.received(), a.received())
	case colOut:
		return cmp.Compare(b.delivered(), a.delivered())
	case colReason:
		return cmp.Compare(a.reason(), b.reason())
	}
	return 0 // names are compared where all else is equal
}

// reason is what reasons are compared by: without times, which would move rows.
func (r *row) reason() string { return cmp.Or(r.Error, r.Waits.String(), r.Reason.String(), r.Refused) }

// rate says how many messages a second that is, in five cells at most.
func rate(each float64) string {
	switch {
	case !(each >= 0):
		return "-"
	case each < 999.95:
		return fmt.Sprintf("%.1f", each)
	}
	for _, unit := range "kMG" {
		if each /= 1000; each < 99.95 {
			return fmt.Sprintf("%.1f%c", each, unit)
		} else if each < 999.5 {
			return fmt.Sprintf("%.0f%c", each, unit)
		}
	}
	return "a lot"
}
