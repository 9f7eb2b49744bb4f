package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/evenkeel/evenkeel/api"
	"github.com/evenkeel/evenkeel/api/page"
	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/config"
	"github.com/evenkeel/evenkeel/filesystem"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/internal/serve"
	"github.com/evenkeel/evenkeel/runner"
)

// runOptions are the flags of evenkeel run.
type runOptions struct {
	files       []string
	dir         string
	scanDir     string
	engine      string
	stopTimeout time.Duration
	allowEmpty  bool
	leave       bool
	readyFD     int
	lock        string
	serve       serveOptions
	log         logOptions
	logs        bool
	journal     int // in MiB
}

func newRun() *cobra.Command {
	var o runOptions
	c := &cobra.Command{
		Use:   "run -f PATH...",
		Short: "Keep what files declare, and follow their changes",
		Long: `Run keeps the services and Benthos streams that files declare, until SIGINT or
SIGTERM, and stops them then in order. It reads the files again when they change,
and on SIGHUP: what has changed in them changes, and nothing else.

Where systemd has started it (Type=notify), it tells systemd how it is. It counts
as started once all has been asked for that the files declare and that can be
taken, whether it runs already or not.

What cannot be taken changes nothing. An entry with a problem, and all of a file
that cannot be read or makes no sense, stay as they were declared last, also by an
earlier run. What is missing from the files is removed when it has been missing
for two seconds, or at SIGHUP.

What happens is logged, a record a line: warnings and errors to standard error,
all else to standard output.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return run(o, c.OutOrStdout(), c.ErrOrStderr()) },
	}
	filesFlag(c, &o.files)
	keeperFlags(c, &o)
	logFlags(c, &o.log)
	c.Flags().DurationVar(&o.stopTimeout, "stop-timeout", stopTime, "how long to wait for the instances to stop")
	c.Flags().BoolVar(&o.leave, "leave", false, "at SIGINT or SIGTERM, leave what runs to the next run, or to \"evenkeel stop\"; needs --scan-dir")
	c.Flags().IntVar(&o.readyFD, "ready-fd", 0, "`DESCRIPTOR` to write a newline to once it counts as started, as s6 expects it; 0 means none")
	c.Flags().IntVar(&o.journal, "journal", serve.JournalSize, "`SIZE` in MiB of the journal in --dir of what instances saw, decided and did, for \"evenkeel history\" and \"evenkeel replay\"; 0 means none")
	c.Flags().StringVar(&o.lock, "lock", "", "`PATH` of a file to lock that belongs to this s6 service alone; another process that has it has lost its supervisor, and is killed")
	c.Flags().StringVar(&o.serve.At, "http", "", "`HOST:PORT` where whoever connects may read all that is shown; none means nowhere but on the socket in --dir")
	c.Flags().StringVar(&o.serve.tokenFile, "http-write", "", "`PATH` of a file with a token; whoever has it may stop and start instances there as well")
	c.Flags().StringSliceVar(&o.serve.hosts, "http-host", nil, "`NAME` by which that may be reached as well, besides its address and localhost; may be given again")
	c.Flags().BoolVar(&o.serve.umhMetrics, "umh-metrics", false, "have /metrics say the same under UMH Core's names as well, for its dashboards")
	c.Flags().BoolVar(&o.logs, "logs", false, "print what the instances print from now on, each line with its instance before it")
	return c
}

// keeperFlags are those that say what files are kept with.
func keeperFlags(c *cobra.Command, o *runOptions) {
	placeFlags(c, &o.dir, &o.scanDir)
	c.Flags().StringVar(&o.engine, "benthos", "", "`PATH` of the Benthos executable; none means bin/benthos here or benthos in PATH")
	c.Flags().BoolVar(&o.allowEmpty, "allow-empty", false, "let files that declare nothing remove everything")
}

// stopTime is how long the instances have to stop, if nothing else is said.
const stopTime = 15 * time.Second

func run(o runOptions, stdout, stderr io.Writer) error {
	if err := o.serve.read(); err != nil {
		return err
	}
	if o.leave && o.scanDir == "" {
		return errors.New("cannot leave what runs when its tree ends: name that of an s6-svscan which goes on, with --scan-dir, or take out --leave")
	}
	if o.journal < 0 {
		return fmt.Errorf("cannot keep a journal of %d MiB: give --journal a size, or 0 for none", o.journal)
	}
	log := o.log.open(stdout, stderr)
	defer log.flush()
	systemd, err := runner.NewNotifier()
	if err != nil {
		log.untold(err)
	}
	ctx := runner.NotifyEnd(func(s os.Signal) {
		log.Warn("a second signal ends the program at once: what runs goes on, and the next run adopts it", "signal", s.String())
		log.flush()
		runner.EndBy(s)
	}, syscall.SIGINT, syscall.SIGTERM)
	// From the beginning to the end: a terminal that is closed while all stops, or
	// before it has begun, is not to end the program half-way.
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGHUP)
	if o.lock != "" {
		if err := runner.TakeOver(ctx, o.lock, log.Logger); err != nil || ctx.Err() != nil {
			return log.end(err)
		}
	}
	for n, file := range o.files {
		if o.files[n], err = filepath.Abs(file); err != nil {
			return log.end(err)
		}
	}
	return log.end(keep(ctx, o, systemd, asked, log))
}

// keep has what the files declare kept until ctx ends.
func keep(ctx context.Context, o runOptions, systemd *runner.Notifier, asked <-chan os.Signal, log *programLog) error {
	store := serve.StoreIn(o.dir)
	declared := config.Read(o.files...)
	last, _ := store.Last() // what is wrong with it is told later
	engine, err := engineFor(o.engine, declared, last)
	if err != nil {
		return err
	}
	feed := api.NewFeed()
	asking, cancel := context.WithCancel(ctx)
	defer cancel()
	linter := askAhead(asking, engine, declared, store) // while the tree starts
	place := runner.Config{
		Dir: o.dir, ScanDir: o.scanDir, Engine: engine, Linter: linter,
		Later: dependent(declared, last), Store: store, Listeners: []fsm.Listener{fsm.LogTo(log.Logger), feed.Hear},
	}
	if o.logs {
		defer printLogs(o.dir, log, serviceNames(declared))()
	}
	record := serve.NewRecorder(o.dir, o.journal, log.unrecorded)
	defer record.End()
	record.Hear(&place)
	measured := newMeasures(o.serve.umhMetrics)
	defer measured.engines.Close()
	measured.hear(&place)
	r, err := runner.Start(ctx, place)
	if err != nil {
		return err
	}
	reports := &reporter{systemd: systemd, readyFD: o.readyFD, beat: beatFile(place), keeper: r, tell: log.untold}
	defer reports.end()
	shown := serve.Shown(o.dir, r, feed)
	shown.NotReady, shown.Page, shown.Also, shown.Version = reports.notReady, page.Handler(), measured.of(r), version()
	defer serve.Begin(o.dir, o.serve.Address, shown, log.untold).End()
	files := &runner.Files{
		Reader: config.Reader{FS: filesystem.OS{}}, Paths: o.files, AllowEmpty: o.allowEmpty, Metrics: exporterSoon(engine, linter, last),
		Keeper: record.Keeper(r), Store: store, Tell: log.trouble,
	}
	failed := new(runner.Failure)
	err = follow(ctx, files, asked, reports, log)
	switch {
	case errors.As(err, &failed):
		err = exit(failed.Code)
		log.Error("everything is stopped", "error", failed)
	case err != nil:
		return errors.Join(err, r.LetGo())
	case o.leave:
		reports.stopping(0)
		return r.LetGo()
	}
	reports.stopping(o.stopTimeout)
	limited, cancel := context.WithTimeout(context.Background(), o.stopTimeout)
	defer cancel()
	ended := errors.Join(r.Halt(limited), r.End())
	if err != nil && ended != nil {
		log.Error("not everything has stopped", "error", ended) // and the exit code is that of what has failed
	}
	return cmp.Or(err, ended)
}

// serviceNames returns the names of what is declared.
func serviceNames(d *config.Declaration) (names []string) {
	for key := range d.Entries {
		names = append(names, key.Name)
	}
	slices.Sort(names)
	return names
}

// dependent returns the instances that depend on others.
func dependent(all ...*config.Declaration) (names []string) {
	for _, d := range all {
		if d == nil {
			continue
		}
		for key, e := range d.Entries {
			if len(e.DependsOn) > 0 {
				names = append(names, key.Name)
			}
		}
	}
	return names
}

// engineFor returns the engine. Where there is none, no stream can be kept, and one
// that runs would be restarted in vain: that is an error if there are streams, or
// were the last time.
func engineFor(path string, declared, last *config.Declaration) (string, error) {
	engine, err := findEngine(path)
	if err == nil {
		return engine, nil
	}
	if len(declared.Streams()) > 0 || last != nil && len(last.Streams()) > 0 {
		return "", fmt.Errorf("cannot keep streams: %w: name an engine with --benthos", err)
	}
	return cmp.Or(engine, "benthos"), nil
}

// findEngine returns the engine. The error says that it cannot be executed, or that
// there is none.
func findEngine(path string) (string, error) {
	engine, err := benthos.FindEngine(path)
	if err == nil {
		_, err = exec.LookPath(engine)
	}
	return engine, err
}
