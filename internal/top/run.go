package top

import (
	"context"
	"fmt"
	"io"

	tea "charm.land/bubbletea/v2"
)

// frames is how often a second a view that has changed is drawn at most.
const frames = 20

// Terminal is what a table is drawn on.
type Terminal struct {
	In  io.Reader // what is typed; nil for a table that is only looked at
	Out io.Writer
	// Env has the variables that say what the terminal can do, as os.Environ: TERM,
	// COLORTERM, NO_COLOR.
	Env []string
	// Width and Height are those of an Out that is no terminal, in cells.
	Width, Height int
}

// Run draws a table on a terminal until somebody quits or ctx ends, and leaves the
// terminal as it was. It returns an error where the program cannot be asked at its
// beginning; a program that cannot be asked any more is waited for.
func Run(ctx context.Context, c Config, on Terminal) error {
	asking, cancel := context.WithCancel(ctx)
	defer cancel()
	m := NewModel(asking, c)
	first := listOf(asking, c.Source)
	if first.err != nil {
		return first.err
	}
	m.take(first)
	options := []tea.ProgramOption{
		tea.WithContext(ctx), tea.WithInput(on.In), tea.WithOutput(on.Out), tea.WithEnvironment(on.Env),
		tea.WithoutSignalHandler(), tea.WithFPS(frames),
	}
	if on.Width > 0 {
		options = append(options, tea.WithWindowSize(on.Width, on.Height))
	}
	if _, err := tea.NewProgram(m, options...).Run(); err != nil && ctx.Err() == nil {
		return fmt.Errorf("cannot draw the table: %w", err)
	}
	return nil
}
