package cli

import (
	"context"
	"errors"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/internal/serve"
	"github.com/evenkeel/evenkeel/runner"
)

// stopOptions are the flags of evenkeel stop.
type stopOptions struct {
	dir, scanDir string
	stopTimeout  time.Duration
	log          logOptions
}

func newStop() *cobra.Command {
	var o stopOptions
	c := &cobra.Command{
		Use:   "stop NAME... | --scan-dir PATH",
		Short: "Stop instances by hand, or what an evenkeel run has left that has ended",
		Long: `Stop NAME has the evenkeel run with the same --dir stop an instance, whatever is
declared of it, until "evenkeel start NAME". It stays stopped if the program is
started again, and its reason says by whom and when. What depends on it goes on.

Without a name, stop stops what an evenkeel run with the same --dir and --scan-dir has kept and
left behind, with --leave or because it was killed: each before what it depends on,
and streams, which finish what they have accepted, before services that depend on
none. The s6-svscan goes on, and so do services that others have. It is refused while an evenkeel run keeps them. The next evenkeel run
starts what its files declare.`,
		ValidArgsFunction: completeNames(&o.dir),
		RunE: func(c *cobra.Command, names []string) error {
			switch {
			case len(names) > 0:
				return askFor(c.Context(), o.dir, "stop", names)
			case o.scanDir == "":
				return errors.New("cannot tell what to stop: name an instance, or with --scan-dir the tree of an evenkeel run that has ended")
			}
			return stop(c.Context(), o, c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	placeFlags(c, &o.dir, &o.scanDir)
	logFlags(c, &o.log)
	c.Flags().DurationVar(&o.stopTimeout, "stop-timeout", stopTime, "how long to wait for the instances to stop")
	return c
}

func stop(ctx context.Context, o stopOptions, stdout, stderr io.Writer) error {
	log := o.log.open(stdout, stderr)
	defer log.flush()
	record := o.recorder(log.unrecorded)
	defer record.End()
	// No engine: none is started.
	place := runner.Config{
		Dir: o.dir, ScanDir: o.scanDir, Engine: "benthos", Store: serve.StoreIn(o.dir), Listeners: []fsm.Listener{fsm.LogTo(log.Logger)},
	}
	record.Hear(&place)
	r, err := runner.Start(ctx, place)
	if err != nil {
		return log.end(err)
	}
	limited, cancel := context.WithTimeout(ctx, o.stopTimeout)
	defer cancel()
	last, _ := serve.StoreIn(o.dir).Last() // without it, streams come first
	return log.end(errors.Join(r.HaltStanding(limited, last), r.LetGo()))
}

// recorder goes on with the journal of the run, if that has one.
func (o stopOptions) recorder(tell func(error)) serve.Recorder {
	if _, err := os.Stat(serve.JournalIn(o.dir)); err != nil {
		return serve.Recorder{}
	}
	return serve.NewRecorder(o.dir, serve.JournalSize, tell)
}
