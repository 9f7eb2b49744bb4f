package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/evenkeel/evenkeel/api"
	"github.com/evenkeel/evenkeel/fsm"
)

// askedDirFlag is how a command is told which evenkeel run to ask.
func askedDirFlag(c *cobra.Command, dir *string) {
	c.Flags().StringVar(dir, "dir", defaultDir(), "`PATH` of the --dir of the evenkeel run to ask")
}

// namesOf returns the names of instances, sorted.
func namesOf(all []api.Summary) (names []string) {
	for _, one := range all {
		names = append(names, one.Name)
	}
	return names
}

// named returns the names of instances whose names are given.
func named(ctx context.Context, c *api.Client, given []string) (names []string, err error) {
	all, err := c.List(ctx)
	if err != nil {
		return nil, err
	}
	return findNames(given, namesOf(all.Instances))
}

// askFor asks for something by hand, of each of the named instances, if all are there.
func askFor(ctx context.Context, dir, verb string, given []string) error {
	c := api.NewClient(dir)
	defer c.Close()
	names, err := named(ctx, c, given)
	if err != nil {
		return err
	}
	var errs []error
	for _, name := range names {
		errs = append(errs, c.Ask(ctx, name, verb))
	}
	return errors.Join(errs...)
}

// completeNames completes the names of instances, of the evenkeel run that is asked.
func completeNames(dir *string) cobra.CompletionFunc {
	return func(cmd *cobra.Command, given []string, _ string) ([]string, cobra.ShellCompDirective) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(cmd.Context()), time.Second)
		defer cancel()
		c := api.NewClient(*dir)
		defer c.Close()
		all, err := c.List(ctx)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var names []string
		for _, one := range all.Instances {
			names = append(names, one.Name+"\t"+fsm.EscapeLine(one.Kind+", "+string(one.State)))
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}

// printShown prints a value as JSON in a line, of which nothing does something to a
// terminal.
func printShown(w io.Writer, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("cannot print as JSON: %w", err)
	}
	_, err = fmt.Fprintf(w, "%s\n", fsm.EscapeJSON(text))
	return err
}
