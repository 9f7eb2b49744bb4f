package cli

import (
	"context"
	"errors"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/runner"
)

// stopOptions are the flags of evenkeel stop.
type stopOptions struct {
	dir, scanDir string
	stopTimeout  time.Duration
}

func newStop() *cobra.Command {
	var o stopOptions
	c := &cobra.Command{
		Use:   "stop --scan-dir PATH",
		Short: "Stop in order what an evenkeel run has left that has ended",
		Long: `Stop stops what an evenkeel run with the same --dir and --scan-dir has kept and
left behind, with --leave or because it was killed: each before what it depends on,
and streams, which finish what they have accepted, before services that depend on
none. The s6-svscan goes on, and so do services that others have. It is refused while an evenkeel run keeps them. The next evenkeel run
starts what its files declare.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return stop(c.Context(), o, c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	placeFlags(c, &o.dir, &o.scanDir)
	// The flag is there.
	_ = c.MarkFlagRequired("scan-dir")
	c.Flags().DurationVar(&o.stopTimeout, "stop-timeout", stopTime, "how long to wait for the instances to stop")
	return c
}

func stop(ctx context.Context, o stopOptions, stdout, stderr io.Writer) error {
	out, errs := runner.NewOutlet(stdout, "evenkeel", runner.OutletRoom), runner.NewOutlet(stderr, "evenkeel", runner.OutletRoom)
	defer func() { runner.Flush(runner.FlushTime, out, errs) }()
	t := teller{out: out, errs: errs, told: make(map[string]string)}
	record := o.recorder(func(problem error) { say(errs, "%v", problem) })
	defer record.end()
	// No engine: none is started.
	place := runner.Config{Dir: o.dir, ScanDir: o.scanDir, Engine: "benthos", Store: storeIn(o.dir), Listeners: []fsm.Listener{t.hear}}
	record.hear(&place)
	r, err := runner.Start(ctx, place)
	if err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, o.stopTimeout)
	defer cancel()
	last, _ := storeIn(o.dir).Last() // without it, streams come first
	return errors.Join(r.HaltStanding(limited, last), r.LetGo())
}

// recorder goes on with the journal of the run, if that has one.
func (o stopOptions) recorder(tell func(error)) recorder {
	if _, err := os.Stat(journalDir(o.dir)); err != nil {
		return recorder{}
	}
	return newRecorder(o.dir, journalSize, tell)
}
