package serve

import (
	"context"
	"io"

	"github.com/evenkeel/evenkeel/api"
	"github.com/evenkeel/evenkeel/filesystem"
	"github.com/evenkeel/evenkeel/s6/logs"
)

// logOf writes lines of the logs in a program's directory, each with its time before
// it.
func logOf(dir string) func(ctx context.Context, name string, of api.LogLines, to io.Writer) error {
	return func(ctx context.Context, name string, of api.LogLines, to io.Writer) error {
		p := LinePrinter{To: to, Escape: true, Stamps: true}
		reader := logs.Open(filesystem.OS{}, LogsIn(dir), logs.Options{Names: []string{name}, Since: of.Since, Last: of.Last, Follow: of.Follow})
		for line := range reader.Lines(ctx) {
			if line.Err != nil {
				return line.Err
			}
			if err := p.Print(line); err != nil {
				return err
			}
		}
		return nil
	}
}

// lastShown is how many lines of a log are shown at first.
const lastShown = 200

// Followed returns the lines of an instance's log in a program's directory, and those
// that come, as a table in a terminal follows logs.
func Followed(dir string) func(ctx context.Context, name string) <-chan string {
	return func(ctx context.Context, name string) <-chan string {
		said := make(chan string)
		reader := logs.Open(filesystem.OS{}, LogsIn(dir), logs.Options{Names: []string{name}, Last: lastShown, Follow: true})
		go func() {
			defer close(said)
			for line := range reader.Lines(ctx) {
				text := line.Text
				switch {
				case line.Err != nil:
					text = line.Err.Error()
				case line.Gap:
					text = "(lines may be missing here)"
				}
				select {
				case said <- text:
				case <-ctx.Done():
				}
			}
		}()
		return said
	}
}
