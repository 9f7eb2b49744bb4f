package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/evenkeel/evenkeel/api"
	"github.com/evenkeel/evenkeel/fsm"
)

func newEvents() *cobra.Command {
	var dir string
	var asJSON bool
	var after int64
	c := &cobra.Command{
		Use:   "events [NAME...]",
		Short: "Print what happens, as it happens",
		Long: `Events prints a line for each transition, failure, refusal and whatever else
happens to an instance, until it is interrupted. With --after it begins with what
has happened after the event of that id, and says where some of that is not there any
more; --json prints the ids.`,
		ValidArgsFunction: completeNames(&dir),
		RunE: func(c *cobra.Command, names []string) error {
			return events(c.Context(), dir, names, after, asJSON, c.OutOrStdout())
		},
	}
	askedDirFlag(c, &dir)
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON, a line each")
	c.Flags().Int64Var(&after, "after", -1, "`ID` of the event after which to begin; 0 for all that are there, -1 for those to come")
	return c
}

func events(ctx context.Context, dir string, given []string, after int64, asJSON bool, out io.Writer) error {
	c := api.NewClient(dir)
	defer c.Close()
	names, err := named(ctx, c, given)
	if err != nil {
		return err
	}
	return unlessOver(ctx, c.Events(ctx, after, nil, func(e api.Event) error {
		if len(names) > 0 && !slices.Contains(names, e.Name) && e.Type != api.Missed {
			return nil
		}
		if asJSON {
			return printShown(out, e)
		}
		_, err := fmt.Fprintln(out, fsm.EscapeLine(e.At.Local().Format("15:04:05.000")+" "+eventText(e)))
		return err
	}))
}

// eventText is what is printed of an event.
func eventText(e api.Event) string {
	switch e.Type {
	case api.Moved:
		return fmt.Sprintf("%s %s -> %s (%s) %s", e.Name, e.From, e.To, e.Event, e.Reason)
	case api.Failing:
		next := "is not tried again until something changes"
		if !e.Held {
			next = "is tried again at " + e.NextTry.Local().Format("15:04:05.000")
		}
		return fmt.Sprintf("%s fails, and %s: %s", e.Name, next, e.Error)
	case api.Recovered:
		return fmt.Sprintf("%s does not fail any more: %s", e.Name, e.Error)
	case api.Refused:
		return fmt.Sprintf("%s is refused: %s", e.Name, e.Error)
	case api.Taken:
		return fmt.Sprintf("%s is not refused any more: %s", e.Name, e.Error)
	case api.Warned:
		return fmt.Sprintf("%s: %s", e.Name, e.Error)
	case api.Overran:
		return e.Name + ": a pass over it does not end"
	case api.Closed:
		return strings.TrimSuffix(e.Name+" is gone: "+e.Error, ": ")
	case api.Missed:
		return "what has happened before is not there any more"
	}
	return e.Name + ": " + string(e.Type)
}
