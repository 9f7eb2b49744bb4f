package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/evenkeel/evenkeel/api"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/internal/words"
)

func newWhy() *cobra.Command {
	var dir string
	var asJSON bool
	c := &cobra.Command{
		Use:   "why NAME",
		Short: "Say why an instance is where it is, and what would change it",
		Long: `Why says in sentences, from top to bottom, what is asked of an instance, by which
layer and since when, what holds it, where it is, what was seen, what has failed,
what comes next and when, and what would change it.`,
		Args: cobra.ExactArgs(1), ValidArgsFunction: completeNames(&dir),
		RunE: func(c *cobra.Command, names []string) error {
			return tellWhy(c.Context(), dir, names[0], asJSON, c.OutOrStdout())
		},
	}
	askedDirFlag(c, &dir)
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func tellWhy(ctx context.Context, dir, given string, asJSON bool, out io.Writer) error {
	c := api.NewClient(dir)
	defer c.Close()
	names, err := named(ctx, c, []string{given})
	if err != nil {
		return err
	}
	w, err := c.Why(ctx, names[0])
	switch {
	case err != nil:
		return err
	case asJSON:
		return printShown(out, w)
	}
	_, err = io.WriteString(out, whyText(w, time.Now()))
	return err
}

// whyText is what is printed of a Why.
func whyText(why fsm.Why, now time.Time) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s (%s, %s)\n", why.Name, why.Kind, why.Phase)
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, l := range why.Chain {
		fmt.Fprintf(w, "  %s\t%s\n", l.Part, fsm.EscapeLine(words.Link(l, now)))
	}
	w.Flush() // a strings.Builder takes everything
	return b.String()
}
