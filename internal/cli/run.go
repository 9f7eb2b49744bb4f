package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/config"
	"github.com/evenkeel/evenkeel/filesystem"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/runner"
)

const (
	// settleTime is how long files have to be quiet before they are read: an editor
	// that saves makes several events.
	settleTime = 20 * time.Millisecond
	// applyAgain is when files are read again that could not be applied.
	applyAgain = time.Second
)

// runOptions are the flags of evenkeel run.
type runOptions struct {
	files       []string
	dir         string
	scanDir     string
	engine      string
	stopTimeout time.Duration
	allowEmpty  bool
}

func newRun() *cobra.Command {
	var o runOptions
	c := &cobra.Command{
		Use:   "run -f PATH...",
		Short: "Keep what files declare, and follow their changes",
		Long: `Run keeps the services and Benthos streams that files declare, until SIGINT or
SIGTERM, and stops them then in order. It reads the files again when they change,
and on SIGHUP: what has changed in them changes, and nothing else.

What cannot be taken changes nothing. An entry with a problem, and all of a file
that cannot be read or makes no sense, stay as they were declared last, also by an
earlier run. What is missing from the files is removed when it has been missing
for two seconds, or at SIGHUP.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return run(o, c.OutOrStdout(), c.ErrOrStderr()) },
	}
	filesFlag(c, &o.files)
	c.Flags().StringVar(&o.dir, "dir", ".", "`PATH` of the directory for services/, logs/ and declarations/, kept between runs")
	c.Flags().StringVar(&o.scanDir, "scan-dir", "", "`PATH` of the scan directory of an s6-svscan that runs already; none means a private one in --dir")
	c.Flags().StringVar(&o.engine, "benthos", "", "`PATH` of the Benthos executable; none means bin/benthos here or benthos in PATH")
	c.Flags().DurationVar(&o.stopTimeout, "stop-timeout", 15*time.Second, "how long to wait for the instances to stop")
	c.Flags().BoolVar(&o.allowEmpty, "allow-empty", false, "let files that declare nothing remove everything")
	return c
}

// flushTime is how long the program waits at its end for a reader of what it
// prints.
const flushTime = 200 * time.Millisecond

func run(o runOptions, stdout, stderr io.Writer) (err error) {
	out, errs := runner.NewOutlet(stdout, "evenkeel", runner.OutletRoom), runner.NewOutlet(stderr, "evenkeel", runner.OutletRoom)
	defer func() { runner.Flush(flushTime, out, errs) }()
	ctx := runner.NotifyEnd(func(s os.Signal) {
		fmt.Fprintf(errs, "evenkeel: a second signal (%v) ends it at once: what runs goes on, and the next run adopts it\n", s)
		runner.Flush(flushTime, out, errs)
		runner.EndBy(s)
	}, syscall.SIGINT, syscall.SIGTERM)
	engine, err := benthos.FindEngine(o.engine)
	if errors.Is(err, benthos.ErrNoEngine) {
		engine = "benthos" // streams say that there is none; services need none
	} else if err != nil {
		return err
	}
	r, err := runner.Start(ctx, runner.Config{
		Dir: o.dir, ScanDir: o.scanDir, Engine: engine, Listeners: []fsm.Listener{teller(out, errs)},
	})
	if err != nil {
		return err
	}
	files := &runner.Files{
		Reader: config.Reader{FS: filesystem.OS{}}, Paths: o.files, AllowEmpty: o.allowEmpty, Metrics: exporter(ctx, engine),
		Apply: r.Apply, Store: runner.Store{FS: filesystem.OS{}, Dir: filepath.Join(o.dir, "declarations")},
		Tell: func(problem error) { say(errs, "%v", problem) },
	}
	if err := follow(ctx, files); err != nil {
		return errors.Join(err, r.LetGo())
	}
	limited, cancel := context.WithTimeout(context.Background(), o.stopTimeout)
	defer cancel()
	return errors.Join(r.Halt(limited), r.End())
}

// follow has the files kept until ctx ends. The error says why it cannot begin.
func follow(ctx context.Context, files *runner.Files) error {
	changed, asked := make(chan struct{}, 1), make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGHUP)
	defer signal.Stop(asked)
	err := runner.Watch(ctx, files.Paths, func() {
		select {
		case changed <- struct{}{}:
		default:
		}
	})
	if err != nil {
		return err
	}
	load := func(atOnce bool) <-chan time.Time {
		again, err := files.Load(ctx, atOnce)
		if err != nil && !errors.Is(err, runner.ErrNothing) && ctx.Err() == nil {
			files.Tell(err)
			again = applyAgain
		}
		if again == 0 {
			return nil
		}
		return time.After(again)
	}
	again, err := files.Load(ctx, false)
	if errors.Is(err, runner.ErrNothing) {
		return err
	}
	due := time.After(again)
	if again == 0 && err == nil {
		due = nil
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-asked:
			due = load(true)
		case <-changed:
			time.Sleep(settleTime)
			select {
			case <-changed:
			default:
			}
			due = load(false)
		case <-due:
			due = load(false)
		}
	}
}

// exporter returns what streams' /metrics is to serve that say nothing of it. If
// the engine cannot be asked, the streams themselves say what is wrong with it.
func exporter(ctx context.Context, engine string) string {
	linter := benthos.Linter{Path: engine}
	if has, err := linter.HasPrometheus(ctx); err == nil && !has {
		return benthos.MetricsNone
	}
	return ""
}

// teller prints each transition, and what is refused.
func teller(out, errs io.Writer) fsm.Listener {
	return func(n fsm.Notice) {
		switch n := n.(type) {
		case fsm.Transition:
			say(out, "%s %s %s -> %s (%s) %s", n.At.Format("15:04:05.000"), n.Instance, n.From, n.To, n.Event, n.Reason)
		case fsm.Refused:
			say(errs, "%s is refused: %v", n.Instance, n.Err)
		case fsm.Warned:
			say(errs, "%s: %v", n.Instance, n.Err)
		}
	}
}
