package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/evenkeel/evenkeel/api"
	"github.com/evenkeel/evenkeel/filesystem"
	"github.com/evenkeel/evenkeel/internal/serve"
	"github.com/evenkeel/evenkeel/runner"
	"github.com/evenkeel/evenkeel/s6/logs"
)

// logsOptions are the flags of evenkeel logs.
type logsOptions struct {
	dir        string
	follow     bool
	since      string
	last       int
	timestamps bool
	noColor    bool
}

// unreadTime is how long a line that is being printed when the command is to end may
// take: whoever reads may have stopped.
const unreadTime = 500 * time.Millisecond

func newLogs() *cobra.Command {
	var o logsOptions
	c := &cobra.Command{
		Use:   "logs [NAME...]",
		Short: "Show what instances print",
		Long: `Logs prints the lines that services and streams have printed, of those that are
named or of all, in the order of their times, those in rotated files as well. A
name is that of an entry, or of its s6 service where several lists have an entry of
that name. With several instances each line has its instance before it.

It reads the directory logs in --dir itself. So it works while no evenkeel run is
there, and for instances of which only the log is left; it tells nobody anything,
and changes nothing.

"(lines may be missing here)" stands where a logger was killed, or where rotated
files were deleted before they were read. What looks like a secret is masked, and
on a terminal what is no visible character is escaped.

With --follow, it ends with 0 at SIGINT or SIGTERM. It exits with 1 where a log
cannot be read.`,
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, names []string) error {
			return showLogs(c.Context(), o, names, c.OutOrStdout(), c.ErrOrStderr())
		},
		ValidArgsFunction: func(_ *cobra.Command, given []string, _ string) ([]string, cobra.ShellCompDirective) {
			known, _ := logs.Instances(filesystem.OS{}, serve.LogsIn(o.dir)) // none are known then
			named := func(name string) bool { return slices.Contains(given, name) }
			return slices.DeleteFunc(known, named), cobra.ShellCompDirectiveNoFileComp
		},
	}
	c.Flags().StringVar(&o.dir, "dir", defaultDir(), "`PATH` of the directory that has logs/, that of evenkeel run")
	c.Flags().BoolVarP(&o.follow, "follow", "f", false, "go on with what is printed, also by instances that come later")
	c.Flags().StringVar(&o.since, "since", "", "leave out lines of before this `TIME`: how long ago, as 10m, or RFC 3339, as 2026-11-02T10:04:05Z")
	c.Flags().IntVarP(&o.last, "lines", "n", -1, "of what is there already, the last `N` lines of each instance; negative means all")
	c.Flags().BoolVar(&o.timestamps, "timestamps", false, "print the time of each line before it")
	c.Flags().BoolVar(&o.noColor, "no-color", false, "print no colors, as without a terminal or with NO_COLOR set")
	// The flag is there.
	_ = c.MarkFlagDirname("dir")
	return c
}

func showLogs(ctx context.Context, o logsOptions, names []string, stdout, stderr io.Writer) error {
	since, err := parseSince(o.since, time.Now())
	if err != nil {
		return err
	}
	known, err := logs.Instances(filesystem.OS{}, serve.LogsIn(o.dir))
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: name the --dir of evenkeel run, in which logs is", err)
	}
	if err != nil {
		return err
	}
	if names, err = findNames(names, known); err != nil {
		return fmt.Errorf("cannot show logs in %s: %w", serve.LogsIn(o.dir), err)
	}
	shown := names
	if len(names) == 0 {
		shown = known
	}
	p := serve.LinePrinter{
		To: stdout, Escape: runner.IsTerminal(stdout), Color: !o.noColor && wantsColor(stdout), Stamps: o.timestamps,
		Names: len(shown) > 1 || len(names) == 0 && o.follow,
	}
	p.Know(shown)
	reader := logs.Open(filesystem.OS{}, serve.LogsIn(o.dir), logs.Options{Names: names, Since: since, Last: o.last, Follow: o.follow})
	printed := make(chan error, 1)
	go func() { printed <- printAll(&p, reader.Lines(ctx), stderr) }()
	select {
	case err = <-printed:
	case <-ctx.Done():
		select {
		case err = <-printed:
		case <-time.After(unreadTime):
		}
	}
	switch {
	case ctx.Err() != nil && o.follow:
		return nil
	case ctx.Err() != nil:
		return exitProblems
	}
	return err
}

// printAll prints lines as they come. The error says why it cannot, or that a log
// could not be read, which has been told.
func printAll(p *serve.LinePrinter, lines iter.Seq[logs.Line], stderr io.Writer) (result error) {
	for line := range lines {
		if line.Err != nil {
			tellLogError(stderr, line)
			result = exitProblems
			continue
		}
		if err := p.Print(line); err != nil { // a pipe that is closed has ended the program
			return fmt.Errorf("cannot print: %w", err)
		}
	}
	return result
}

// tellLogError prints why a log cannot be read.
func tellLogError(to io.Writer, line logs.Line) {
	if line.Instance == "" {
		say(to, "evenkeel: %v", line.Err)
		return
	}
	say(to, "evenkeel: %s: %v", line.Instance, line.Err)
}

// parseSince reads a time, or how long ago that is. An empty text is the zero time.
func parseSince(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	at, err := api.ParseSince(text, now)
	if err != nil {
		return time.Time{}, fmt.Errorf("cannot use --since %q: say how long ago, as 10m or 1h30m, or when, as 2026-11-02T10:04:05Z", text)
	}
	return at, nil
}
