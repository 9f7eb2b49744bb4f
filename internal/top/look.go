package top

import (
	"cmp"

	"github.com/charmbracelet/x/ansi"

	"github.com/evenkeel/evenkeel/fsm"
)

// look is the characters that are drawn beside texts. Each takes one cell.
type look struct {
	marks    map[fsm.Phase]string // by which a phase is told apart without colours
	unknown  string
	levels   []rune // of a series
	more     string // ends a text that was cut
	chosen   string // stands before the instance that is chosen
	down, up string // stand beside the column that is sorted by
	rule     string // repeated, separates
	caret    string // where text is typed
}

// fancy is the look of terminals that show Unicode.
func fancy() look {
	return look{
		marks: map[fsm.Phase]string{
			fsm.PhaseToBeCreated: "◌", fsm.PhaseCreating: "◌", fsm.PhaseStopped: "○", fsm.PhaseStarting: "◐",
			fsm.PhaseRunning: "●", fsm.PhaseDegraded: "▲", fsm.PhaseDone: "✓", fsm.PhaseFailed: "✗",
			fsm.PhaseStopping: "◑", fsm.PhaseRemoving: "◌", fsm.PhaseRemoved: "◌",
		},
		unknown: "?", levels: []rune("▁▂▃▄▅▆▇█"), more: "…", chosen: "›", down: "↓", up: "↑", rule: "─", caret: "▏",
	}
}

// plain is the look of terminals that show ASCII alone.
func plain() look {
	return look{
		marks: map[fsm.Phase]string{
			fsm.PhaseToBeCreated: ".", fsm.PhaseCreating: ".", fsm.PhaseStopped: "o", fsm.PhaseStarting: "+",
			fsm.PhaseRunning: "*", fsm.PhaseDegraded: "!", fsm.PhaseDone: "=", fsm.PhaseFailed: "X",
			fsm.PhaseStopping: "-", fsm.PhaseRemoving: ".", fsm.PhaseRemoved: ".",
		},
		unknown: "?", levels: []rune("_.:-=+*#"), more: "~", chosen: ">", down: "v", up: "^", rule: "-", caret: "_",
	}
}

func (l look) mark(p fsm.Phase) string { return cmp.Or(l.marks[p], l.unknown) }

// The styles of what is no phase.
var (
	faint   = ansi.Style{}.Faint()
	bold    = ansi.Style{}.Bold()
	trouble = ansi.Style{}.Bold().ForegroundColor(ansi.Red)
)

// styleOf returns the style of a phase, in colours of the terminal's own.
func styleOf(p fsm.Phase) ansi.Style {
	switch p {
	case fsm.PhaseRunning:
		return ansi.Style{}.ForegroundColor(ansi.Green)
	case fsm.PhaseDegraded, fsm.PhaseFailed:
		return trouble
	case fsm.PhaseStarting, fsm.PhaseStopping, fsm.PhaseCreating, fsm.PhaseRemoving:
		return ansi.Style{}.ForegroundColor(ansi.Yellow)
	case fsm.PhaseDone:
		return ansi.Style{}.ForegroundColor(ansi.Blue)
	}
	return faint
}

// cut returns a text as it fits into so many cells.
func (l look) cut(text string, cells int) string {
	if ansi.StringWidth(text) <= cells {
		return text
	}
	return ansi.Truncate(text, max(cells, 0), l.more)
}

// inOrder are the phases as they are counted: what is wrong first.
func inOrder() []fsm.Phase {
	return []fsm.Phase{
		fsm.PhaseFailed, fsm.PhaseDegraded, fsm.PhaseStarting, fsm.PhaseRunning, fsm.PhaseDone, fsm.PhaseStopping, fsm.PhaseStopped,
		fsm.PhaseToBeCreated, fsm.PhaseCreating, fsm.PhaseRemoving, fsm.PhaseRemoved,
	}
}
