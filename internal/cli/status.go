package cli

import (
	"context"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/evenkeel/evenkeel/api"
	"github.com/evenkeel/evenkeel/internal/words"
	"github.com/evenkeel/evenkeel/runner"
)

// statusOptions are the flags of evenkeel status.
type statusOptions struct {
	dir         string
	watch, json bool
}

func newStatus() *cobra.Command {
	var o statusOptions
	c := &cobra.Command{
		Use:   "status [NAME...]",
		Short: "Say how the instances are",
		Long: `Status prints a line for each instance that the evenkeel run with the same --dir
keeps: its state, for how long it has been so, its process, how often that has
ended, the messages that went through it, and the reason.

It exits with 0 where all that is to run does, with 2 where something does not, and
with 1 where nobody could be asked. With --watch it prints again whenever something
happens, until it is interrupted.`,
		ValidArgsFunction: completeNames(&o.dir),
		RunE: func(c *cobra.Command, names []string) error {
			return status(c.Context(), o, names, c.OutOrStdout())
		},
	}
	askedDirFlag(c, &o.dir)
	c.Flags().BoolVarP(&o.watch, "watch", "w", false, "print again whenever something happens")
	c.Flags().BoolVar(&o.json, "json", false, "print JSON: with --watch a line each time")
	return c
}

func status(ctx context.Context, o statusOptions, given []string, out io.Writer) error {
	c := api.NewClient(o.dir)
	defer c.Close()
	show := func() (wrong bool, err error) {
		all, err := c.List(ctx)
		if err != nil {
			return false, err
		}
		chosen, err := choose(all.Instances, given)
		if err != nil {
			return false, err
		}
		for n := range chosen {
			wrong = wrong || chosen[n].Wrong() != ""
		}
		if o.json {
			return wrong, printShown(out, chosen)
		}
		text := words.Table(chosen, time.Now())
		if o.watch && runner.IsTerminal(out) {
			text = "\x1b[H\x1b[2J" + text
		}
		_, err = io.WriteString(out, text)
		return wrong, err
	}
	if o.watch {
		return watchStatus(ctx, c, func() error { _, err := show(); return err })
	}
	switch wrong, err := show(); {
	case err != nil:
		return err
	case wrong:
		return exitWrong
	}
	return nil
}

// redrawEvery is how often a table is printed again though nothing has happened, for
// the times and figures in it; redrawAtMost how often it is at most.
const (
	redrawEvery  = time.Second
	redrawAtMost = 100 * time.Millisecond
)

// watchStatus shows again and again, until ctx ends.
func watchStatus(ctx context.Context, c *api.Client, show func() error) error {
	news := make(chan struct{}, 1)
	ended := make(chan error, 1)
	go func() {
		ended <- c.Events(ctx, -1, nil, func(api.Event) error {
			select {
			case news <- struct{}{}:
			default:
			}
			return nil
		})
	}()
	for {
		if err := show(); err != nil {
			return unlessOver(ctx, err)
		}
		select {
		case <-news:
			pause(ctx, redrawAtMost) // more may come, and what it changes is not shown before its pass has ended
		case <-time.After(redrawEvery):
		case err := <-ended:
			return unlessOver(ctx, err)
		}
	}
}

// pause waits for a while, or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// unlessOver returns an error that is not that of somebody who had enough.
func unlessOver(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// choose returns the instances that are named, or all.
func choose(all []api.Summary, given []string) (chosen []api.Summary, err error) {
	if len(given) == 0 {
		return all, nil
	}
	names, err := findNames(given, namesOf(all))
	if err != nil {
		return nil, err
	}
	for _, s := range all {
		if slices.Contains(names, s.Name) {
			chosen = append(chosen, s)
		}
	}
	return chosen, nil
}
