package machine

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/evenkeel/evenkeel/fsm"
)

// Drawing is a table laid out. Lengths are CSS pixels, from the top left.
type Drawing struct {
	Width  float64 `json:"width"`
	Height float64 `json:"height"`
	States []State `json:"states"`
	Moves  []Move  `json:"moves"`
}

// State is where a state is: X and Y are its middle.
type State struct {
	Name   fsm.State `json:"name"`
	Phase  fsm.Phase `json:"phase"`
	Lines  []string  `json:"lines"` // of its name
	X      float64   `json:"x"`
	Y      float64   `json:"y"`
	Width  float64   `json:"width"`
	Height float64   `json:"height"`
}

// Move is where the rows between two states are: the path of an SVG, which ends
// where the head of an arrow begins.
type Move struct {
	From   fsm.State   `json:"from"`
	To     fsm.State   `json:"to"`
	Events []fsm.Event `json:"events"`
	Path   string      `json:"path"`
}

// lineLength is how many characters a line of a state's name has at most, unless a
// word of it has more.
const lineLength = 20

// Lines are the lines of a state's name.
func Lines(name fsm.State) (lines []string) {
	line := ""
	for word := range strings.SplitAfterSeq(string(name), "_") {
		if line != "" && len(line)+len(word) > lineLength {
			lines = append(lines, line)
			line = ""
		}
		line += word
	}
	return append(lines, line)
}

// Read returns the drawing of a table from Graphviz's plain format. It refuses one
// that does not show all states and rows of the table.
func Read(table *fsm.Table, plain string) (*Drawing, error) {
	d := new(Drawing)
	for line := range strings.Lines(plain) {
		fields := strings.Fields(line)
		if len(fields) < 4 {
			continue // stop
		}
		var err error
		switch fields[0] {
		case "graph":
			var size []float64
			size, err = numbers(fields[2:4])
			if err == nil {
				d.Width, d.Height = pixels(size[0]), pixels(size[1])
			}
		case "node":
			err = d.state(table, fields)
		case "edge":
			err = d.move(table, fields)
		}
		if err != nil {
			return nil, fmt.Errorf("cannot read %q: %w", line, err)
		}
	}
	return d, d.Shows(table)
}

// Shows reports, as an error, what of a table the drawing does not show.
func (d *Drawing) Shows(table *fsm.Table) error {
	phases, events := make(map[fsm.State]fsm.Phase), make(map[fsm.Row]bool)
	for _, s := range d.States {
		phases[s.Name] = s.Phase
	}
	for _, m := range d.Moves {
		for _, e := range m.Events {
			events[fsm.Row{Event: e, From: m.From, To: m.To}] = true
		}
	}
	states, rows := table.States(), table.Rows()
	for _, s := range states {
		if phases[s.Name] != s.Phase {
			return fmt.Errorf("the drawing has no state %s of phase %s", s.Name, s.Phase)
		}
	}
	for _, r := range rows {
		if !events[r] {
			return fmt.Errorf("the drawing has no row %s from %s to %s", r.Event, r.From, r.To)
		}
	}
	if len(phases) != len(states) || len(events) != len(rows) {
		return fmt.Errorf("the drawing has %d states and %d rows, and the table %d and %d", len(phases), len(events), len(states), len(rows))
	}
	return nil
}

// state reads "node name x y width height …".
func (d *Drawing) state(table *fsm.Table, fields []string) error {
	name := fsm.State(strings.Trim(fields[1], `"`))
	n, err := numbers(fields[2:min(6, len(fields))])
	if err != nil || len(n) < 4 {
		return fmt.Errorf("the place and the size of %s are not there: %w", name, err)
	}
	d.States = append(d.States, State{
		Name: name, Phase: table.Phase(name), Lines: Lines(name),
		X: pixels(n[0]), Y: d.down(n[1]), Width: pixels(n[2]), Height: pixels(n[3]),
	})
	return nil
}

// move reads "edge tail head n x1 y1 … xn yn …".
func (d *Drawing) move(table *fsm.Table, fields []string) error {
	m := Move{From: fsm.State(strings.Trim(fields[1], `"`)), To: fsm.State(strings.Trim(fields[2], `"`))}
	points, err := strconv.Atoi(fields[3])
	if err != nil || points < 2 || len(fields) < 4+2*points {
		return fmt.Errorf("the points from %s to %s are not there: %w", m.From, m.To, err)
	}
	at, err := numbers(fields[4 : 4+2*points])
	if err != nil {
		return err
	}
	var path strings.Builder
	for n := 0; n < points; n++ {
		before := " "
		switch n {
		case 0:
			before = "M"
		case 1:
			before = "C"
		}
		fmt.Fprintf(&path, "%s%g %g", before, pixels(at[2*n]), d.down(at[2*n+1]))
	}
	m.Path = path.String()
	for _, r := range table.Rows() {
		if r.From == m.From && r.To == m.To {
			m.Events = append(m.Events, r.Event)
		}
	}
	d.Moves = append(d.Moves, m)
	return nil
}

// pixels turns inches into pixels, of which a drawing has 72 to the inch.
func pixels(inches float64) float64 { return math.Round(inches*720) / 10 }

// down turns inches from the bottom into pixels from the top.
func (d *Drawing) down(inches float64) float64 {
	return math.Round((d.Height-pixels(inches))*10) / 10
}

func numbers(fields []string) ([]float64, error) {
	all := make([]float64, len(fields))
	for n, field := range fields {
		var err error
		if all[n], err = strconv.ParseFloat(field, 64); err != nil {
			return nil, err
		}
	}
	return all, nil
}
