package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/evenkeel/evenkeel/api"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/internal/words"
)

// waitEvery is how often instances are looked at that are waited for, if nothing
// happens to them.
const waitEvery = 200 * time.Millisecond

func newWait() *cobra.Command {
	var dir, is string
	var timeout time.Duration
	c := &cobra.Command{
		Use:   "wait NAME... --for ready",
		Short: "Wait until instances are ready, stopped, done or gone",
		Long: `Wait waits until all of the instances are what is waited for: ready (running, as
far as can be seen, with all that is asked of them), stopped, done, or removed.

It waits as well for the program that is to be asked, and for it to have an instance
of that name. It exits with 0 then, and with 1 as soon as one of them cannot come to
that by itself, or when the time is over, and says where that one is and why.`,
		Args: cobra.MinimumNArgs(1), ValidArgsFunction: completeNames(&dir),
		RunE: func(c *cobra.Command, names []string) error {
			ctx, cancel := context.WithTimeout(c.Context(), timeout)
			defer cancel()
			return wait(ctx, dir, names, is)
		},
	}
	askedDirFlag(c, &dir)
	c.Flags().StringVar(&is, "for", "ready", "`WHAT` they are to be: ready, stopped, done or removed")
	c.Flags().DurationVar(&timeout, "timeout", time.Minute, "how long to wait at most")
	return c
}

// awaited is what can be waited for.
var awaited = map[string]fsm.Phase{
	"ready": fsm.PhaseRunning, "stopped": fsm.PhaseStopped, "done": fsm.PhaseDone, "removed": fsm.PhaseRemoved,
}

func wait(ctx context.Context, dir string, given []string, is string) error {
	phase, known := awaited[is]
	if !known {
		return fmt.Errorf("cannot wait for %q: it is one of ready, stopped, done and removed", is)
	}
	c := api.NewClient(dir)
	defer c.Close()
	for _, name := range given {
		if err := waitFor(ctx, c, name, is, phase); err != nil {
			return err
		}
	}
	return nil
}

// waitFor waits for one instance.
func waitFor(ctx context.Context, c *api.Client, given, is string, phase fsm.Phase) error {
	where := ""
	for {
		one, missing, err := seek(ctx, c, given)
		switch {
		case ctx.Err() != nil:
			return fmt.Errorf("%s is not %s: %s", given, is, cmp.Or(where, "nobody could be asked"))
		case errors.Is(err, api.ErrNotThere):
			where = err.Error()
		case err != nil:
			return err
		case missing != "" && phase == fsm.PhaseRemoved:
			return nil
		case missing != "":
			where = missing
		case one.Phase == phase && one.Settled:
			return nil
		default:
			where = strings.TrimSuffix("it is "+string(one.State)+": "+words.Reason(&one, time.Now()), ": ")
			over := phase != fsm.PhaseStopped && phase != fsm.PhaseRemoved && one.Phase.Over() && one.Settled
			if one.Held || one.State == "" || over {
				return fmt.Errorf("%s will not be %s: %s", one.Name, is, where)
			}
		}
		pause(ctx, waitEvery)
	}
}

// seek looks for an instance whose name is given, and says why there is none.
func seek(ctx context.Context, c *api.Client, given string) (one api.Summary, missing string, err error) {
	all, err := c.List(ctx)
	if err != nil {
		return one, "", err
	}
	chosen, err := choose(all.Instances, []string{given})
	if err != nil {
		return one, err.Error(), nil
	}
	return chosen[0], "", nil
}
