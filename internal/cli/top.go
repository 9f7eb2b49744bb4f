package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/evenkeel/evenkeel/api"
	"github.com/evenkeel/evenkeel/internal/serve"
	"github.com/evenkeel/evenkeel/internal/top"
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
	on := top.Terminal{In: in, Out: out, Env: os.Environ()}
	if why := cmp.Or(on.Undrawable(), on.Untyped()); why != "" {
		return fmt.Errorf(`cannot draw a table: %s: "evenkeel status -w" prints the instances again and again`, why)
	}
	client := api.NewClient(dir)
	defer client.Close()
	return top.Run(ctx, top.Config{Source: client, Logs: serve.Followed(dir), Plain: on.ASCII()}, on)
}
