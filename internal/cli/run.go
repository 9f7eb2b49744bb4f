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
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/config"
	"github.com/evenkeel/evenkeel/filesystem"
	"github.com/evenkeel/evenkeel/fsm"
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
for two seconds, or at SIGHUP.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return run(o, c.OutOrStdout(), c.ErrOrStderr()) },
	}
	filesFlag(c, &o.files)
	keeperFlags(c, &o)
	c.Flags().DurationVar(&o.stopTimeout, "stop-timeout", stopTime, "how long to wait for the instances to stop")
	c.Flags().BoolVar(&o.leave, "leave", false, "at SIGINT or SIGTERM, leave what runs to the next run, or to \"evenkeel stop\"; needs --scan-dir")
	c.Flags().IntVar(&o.readyFD, "ready-fd", 0, "`DESCRIPTOR` to write a newline to once it counts as started, as s6 expects it; 0 means none")
	c.Flags().IntVar(&o.journal, "journal", journalSize, "`SIZE` in MiB of the journal in --dir of what instances saw, decided and did, for \"evenkeel history\" and \"evenkeel replay\"; 0 means none")
	c.Flags().StringVar(&o.lock, "lock", "", "`PATH` of a file to lock that belongs to this s6 service alone; another process that has it has lost its supervisor, and is killed")
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

// placeFlags are how a command is told where all is that is kept.
func placeFlags(c *cobra.Command, dir, scanDir *string) {
	c.Flags().StringVar(dir, "dir", ".", "`PATH` of the directory for services/, logs/, declarations/ and journal/, kept between runs")
	c.Flags().StringVar(scanDir, "scan-dir", "", "`PATH` of the scan directory of an s6-svscan that runs already; none means a private one in --dir")
}

func run(o runOptions, stdout, stderr io.Writer) (err error) {
	if o.leave && o.scanDir == "" {
		return errors.New("cannot leave what runs when its tree ends: name that of an s6-svscan which goes on, with --scan-dir, or take out --leave")
	}
	if o.journal < 0 {
		return fmt.Errorf("cannot keep a journal of %d MiB: give --journal a size, or 0 for none", o.journal)
	}
	out, errs := runner.NewOutlet(stdout, "evenkeel", runner.OutletRoom), runner.NewOutlet(stderr, "evenkeel", runner.OutletRoom)
	defer func() { runner.Flush(runner.FlushTime, out, errs) }()
	systemd, err := runner.NewNotifier()
	if err != nil {
		say(errs, "evenkeel: %v", err)
	}
	ctx := runner.NotifyEnd(func(s os.Signal) {
		fmt.Fprintf(errs, "evenkeel: a second signal (%v) ends it at once: what runs goes on, and the next run adopts it\n", s)
		runner.Flush(runner.FlushTime, out, errs)
		runner.EndBy(s)
	}, syscall.SIGINT, syscall.SIGTERM)
	// From the beginning to the end: a terminal that is closed while all stops, or
	// before it has begun, is not to end the program half-way.
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGHUP)
	if o.lock != "" {
		if err := runner.TakeOver(ctx, o.lock, "evenkeel", errs); err != nil || ctx.Err() != nil {
			return err
		}
	}
	for n, file := range o.files {
		if o.files[n], err = filepath.Abs(file); err != nil {
			return err
		}
	}
	return keep(ctx, o, systemd, asked, &teller{out: out, errs: errs, told: make(map[string]string)})
}

// keep has what the files declare kept until ctx ends.
func keep(ctx context.Context, o runOptions, systemd *runner.Notifier, asked <-chan os.Signal, t *teller) error {
	store := storeIn(o.dir)
	declared := config.Read(o.files...)
	last, _ := store.Last() // what is wrong with it is told later
	engine, err := engineFor(o.engine, declared, last)
	if err != nil {
		return err
	}
	asking, cancel := context.WithCancel(ctx)
	defer cancel()
	linter := askAhead(asking, engine, declared, store) // while the tree starts
	place := runner.Config{
		Dir: o.dir, ScanDir: o.scanDir, Engine: engine, Linter: linter,
		Later: dependent(declared, last), Store: store, Listeners: []fsm.Listener{t.hear},
	}
	tell := func(problem error) { say(t.errs, "%v", problem) }
	record := newRecorder(o.dir, o.journal, tell)
	defer record.end()
	record.hear(&place)
	r, err := runner.Start(ctx, place)
	if err != nil {
		return err
	}
	reports := &reporter{systemd: systemd, readyFD: o.readyFD, beat: beatFile(place), keeper: r, tell: tell}
	defer reports.end()
	files := &runner.Files{
		Reader: config.Reader{FS: filesystem.OS{}}, Paths: o.files, AllowEmpty: o.allowEmpty, Metrics: exporter(linter),
		Keeper: record.keeper(r), Store: store, Tell: tell,
	}
	failed := new(runner.Failure)
	err = follow(ctx, files, asked, reports)
	switch {
	case errors.As(err, &failed):
		err = exit(failed.Code)
		say(t.errs, "evenkeel: %v: everything is stopped", failed)
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
		tell(ended) // and the exit code is that of what has failed
	}
	return cmp.Or(err, ended)
}

// storeIn returns where the declarations are kept that were taken.
func storeIn(dir string) runner.Store {
	return runner.Store{FS: filesystem.OS{}, Dir: filepath.Join(dir, "declarations")}
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
