package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/evenkeel/evenkeel/api"
	"github.com/evenkeel/evenkeel/filesystem"
	"github.com/evenkeel/evenkeel/internal/top"
	"github.com/evenkeel/evenkeel/runner"
	"github.com/evenkeel/evenkeel/s6/logs"
)

func newTop() *cobra.Command {
	var dir string
	c := &cobra.Command{
		Use:   "top",
		Short: "Watch the instances in a table, and stop, start and restart them",
		Long: `Top draws a table of the instances that the evenkeel run with the same --dir keeps,
what is wrong first: what "evenkeel status" prints, with the rates of the last
minute. Enter shows why an instance is where it is, its history and its log. s, S, r and t stop, start,
restart and retry one, after a question; "?" shows all keys.

It goes on while the program restarts. It needs a terminal; NO_COLOR has it draw
without colours.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return drawTop(c.Context(), dir, c.InOrStdin(), c.OutOrStdout())
		},
	}
	askedDirFlag(c, &dir)
	return c
}

func drawTop(ctx context.Context, dir string, in io.Reader, out io.Writer) error {
	if why := undrawable(in, out, os.Getenv("TERM")); why != "" {
		return fmt.Errorf(`cannot draw a table: %s: "evenkeel status -w" prints the instances again and again`, why)
	}
	client := api.NewClient(dir)
	defer client.Close()
	return top.Run(ctx, top.Config{Source: client, Logs: followed(dir), Plain: asciiOnly(os.Getenv)}, top.Terminal{In: in, Out: out, Env: os.Environ()})
}

// lastShown is how many lines of a log are shown at first.
const lastShown = 200

// followed returns the lines of an instance's log in dir, and those that come.
func followed(dir string) func(ctx context.Context, name string) <-chan string {
	return func(ctx context.Context, name string) <-chan string {
		said := make(chan string)
		reader := logs.Open(filesystem.OS{}, logsIn(dir), logs.Options{Names: []string{name}, Last: lastShown, Follow: true})
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

// undrawable says why nothing can be drawn and typed there, "" where that can be.
func undrawable(in io.Reader, out io.Writer, term string) string {
	typed, is := in.(io.Writer) // as a file is
	switch {
	case !runner.IsTerminal(out):
		return "the output is not a terminal"
	case !is || !runner.IsTerminal(typed):
		return "the input is not a terminal"
	case term == "" || term == "dumb":
		return fmt.Sprintf("the terminal (TERM=%q) can move no cursor", term)
	}
	return ""
}

// asciiOnly tells whether the terminal is the console of Linux, whose fonts have few
// characters, or a locale is set whose characters are not those of Unicode. Where none
// is set, as in most containers, the terminal is expected to show them.
func asciiOnly(getenv func(string) string) bool {
	if getenv("TERM") == "linux" {
		return true
	}
	locale := strings.ToLower(cmp.Or(getenv("LC_ALL"), getenv("LC_CTYPE"), getenv("LANG")))
	return locale != "" && !strings.Contains(locale, "utf-8") && !strings.Contains(locale, "utf8")
}
