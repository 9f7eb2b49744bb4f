package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/evenkeel/evenkeel/api"
	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6"
)

func newGraph() *cobra.Command {
	var dir, format string
	c := &cobra.Command{
		Use:   "graph KIND|NAME",
		Short: "Draw the state machine of a kind, or of an instance",
		Long: `Graph prints the state machine of a kind, ` + s6.KindName + ` for services or ` + benthos.KindName + ` for streams, or
that of an instance with the state that it is in marked, as a diagram for Mermaid
or for Graphviz (--format dot).`,
		Args: cobra.ExactArgs(1), ValidArgsFunction: completeNames(&dir),
		RunE: func(c *cobra.Command, names []string) error {
			return graph(c.Context(), dir, names[0], format, c.OutOrStdout())
		},
	}
	askedDirFlag(c, &dir)
	c.Flags().StringVar(&format, "format", "mermaid", "`FORMAT` of the diagram: mermaid or dot")
	return c
}

// tables makes the table of each kind.
var tables = map[string]func() (*fsm.Table, error){s6.KindName: s6.NewTable, benthos.KindName: benthos.NewTable}

func graph(ctx context.Context, dir, given, format string, out io.Writer) error {
	if format != "mermaid" && format != "dot" {
		return fmt.Errorf("cannot draw as %q: it is one of mermaid and dot", format)
	}
	kind, marked := given, []fsm.State(nil)
	if tables[given] == nil {
		c := api.NewClient(dir)
		defer c.Close()
		names, err := named(ctx, c, []string{given})
		if err != nil {
			return err
		}
		one, err := c.Instance(ctx, names[0])
		if err != nil {
			return err
		}
		kind, marked = one.Kind, []fsm.State{one.State}
	}
	table, err := tables[kind]()
	if err != nil {
		return err
	}
	text := table.Mermaid(marked...)
	if format == "dot" {
		text = table.DOT(marked...)
	}
	_, err = io.WriteString(out, text)
	return err
}
