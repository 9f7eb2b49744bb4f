package cli

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/evenkeel/evenkeel/filesystem"
	"github.com/evenkeel/evenkeel/internal/serve"
	"github.com/evenkeel/evenkeel/runner"
	"github.com/evenkeel/evenkeel/s6/logs"
)

const (
	// lastLinesTime is how long the program waits at its end for the last lines.
	lastLinesTime = time.Second
	// pace is how often it is looked whether an outlet has room again.
	pace = 20 * time.Millisecond
)

// printLogs prints what the instances in dir print from now on, until end is called:
// that has the last lines printed, and waits for them, but not for long. Where out
// is not read in time, lines wait in the logs, so that there is room for others.
func printLogs(dir string, to *programLog, names []string) (end func()) {
	out := to.out
	p := serve.LinePrinter{To: out, Escape: true, Color: wantsColor(out.To()), Names: true}
	p.Know(names)
	until, done := make(chan struct{}), make(chan struct{})
	ctx, cancel := context.WithCancel(context.Background())
	reader := logs.Open(filesystem.OS{}, serve.LogsIn(dir), logs.Options{Only: keptIn(dir), Follow: true, Until: until})
	go func() {
		defer close(done)
		for line := range reader.Lines(ctx) {
			if line.Err != nil {
				to.Warn("log not read", "name", line.Instance, "error", line.Err)
				continue
			}
			for out.Waiting() > runner.OutletRoom/2 && ctx.Err() == nil {
				select {
				case <-ctx.Done():
				case <-time.After(pace):
				}
			}
			if to.json {
				to.line(line)
			} else {
				_ = p.Print(line) // an outlet takes all
			}
		}
	}()
	return func() {
		close(until)
		select {
		case <-done:
		case <-time.After(lastLinesTime):
		}
		cancel()
	}
}

// keptIn returns whether an instance is kept in dir. A directory may have other
// logs, as that of the program itself in a container: to print them would add to
// them.
func keptIn(dir string) func(name string) bool {
	return func(name string) bool {
		_, err := os.Lstat(filepath.Join(dir, "services", name))
		return !errors.Is(err, fs.ErrNotExist)
	}
}
