package top

import (
	"context"
	"fmt"
	"time"

	tea "charm.land/bubbletea/v2"
)

const (
	// frames is how often a second a view that has changed is drawn at most.
	frames = 20
	// leaveTime is for a terminal that is to be left as it was to take what is written.
	leaveTime = 2 * time.Second
)

// Run draws a table on a terminal until somebody quits or ctx ends, and leaves the
// terminal as it was. It returns an error where the program cannot be asked at its
// beginning; a program that cannot be asked any more is waited for. When ctx has ended
// it returns soon, though the terminal takes nothing any more.
func Run(ctx context.Context, c Config, on Terminal) error {
	asking, cancel := context.WithCancel(ctx)
	defer cancel()
	m := NewModel(asking, c)
	m.deaf = on.In == nil
	first := listOf(asking, c.Source)
	if first.err != nil {
		return first.err
	}
	m.take(first)
	out, outlet := on.watched()
	options := []tea.ProgramOption{
		tea.WithInput(on.In), tea.WithOutput(out), tea.WithEnvironment(on.Env),
		tea.WithoutSignalHandler(), tea.WithFPS(frames),
	}
	if on.Width > 0 {
		options = append(options, tea.WithWindowSize(on.Width, on.Height))
	}
	program, restore := tea.NewProgram(m, options...), on.remember()
	ended := make(chan error, 1)
	go func() {
		_, err := program.Run()
		ended <- err
	}()
	go on.follow(asking, program.Send)
	select {
	case err := <-ended:
		if err != nil && ctx.Err() == nil {
			return fmt.Errorf("cannot draw the table: %w", err)
		}
		return nil
	case <-ctx.Done():
	}
	// A context of its own would have it leave at once, and close what is typed under
	// the hands of who reads that.
	go program.Quit()
	look := time.NewTicker(leaveTime / 20)
	defer look.Stop()
	for {
		select {
		case <-ended:
			return nil
		case <-look.C:
			if outlet.stuck(leaveTime) {
				restore()
				return nil
			}
		}
	}
}
