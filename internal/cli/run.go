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
	"sync"
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
	// settleTime is how long after an event files are read: an editor that saves
	// makes several.
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
	// From the beginning to the end: a terminal that is closed while all stops, or
	// before it has begun, is not to end the program half-way.
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGHUP)
	for n, file := range o.files {
		if o.files[n], err = filepath.Abs(file); err != nil {
			return err
		}
	}
	store := runner.Store{FS: filesystem.OS{}, Dir: filepath.Join(o.dir, "declarations")}
	engine, err := engineFor(o, store)
	if err != nil {
		return err
	}
	metrics := exporter(ctx, engine, o.files)
	t := teller{out: out, errs: errs, told: make(map[string]string)}
	r, err := runner.Start(ctx, runner.Config{Dir: o.dir, ScanDir: o.scanDir, Engine: engine, Listeners: []fsm.Listener{t.hear}})
	if err != nil {
		return err
	}
	files := &runner.Files{
		Reader: config.Reader{FS: filesystem.OS{}}, Paths: o.files, AllowEmpty: o.allowEmpty, Metrics: metrics,
		Keeper: r, Store: store, Tell: func(problem error) { say(errs, "%v", problem) },
	}
	if err := follow(ctx, files, asked); err != nil {
		return errors.Join(err, r.LetGo())
	}
	limited, cancel := context.WithTimeout(context.Background(), o.stopTimeout)
	defer cancel()
	return errors.Join(r.Halt(limited), r.End())
}

// engineFor returns the engine. Where there is none, no stream can be kept, and one
// that runs would be restarted in vain: that is an error if there are streams, or
// were the last time.
func engineFor(o runOptions, store runner.Store) (string, error) {
	engine, err := benthos.FindEngine(o.engine)
	if err == nil {
		if _, err = exec.LookPath(engine); err == nil {
			return engine, nil
		}
	}
	last, _ := store.Last() // what is wrong with it is told later
	if len(config.Read(o.files...).Streams()) > 0 || last != nil && len(last.Streams()) > 0 {
		return "", fmt.Errorf("cannot keep streams: %w: name an engine with --benthos", err)
	}
	return cmp.Or(engine, "benthos"), nil
}

// follow has the files kept until ctx ends. The error says why it cannot begin.
func follow(ctx context.Context, files *runner.Files, asked <-chan os.Signal) error {
	changed := make(chan struct{}, 1)
	runner.Watch(ctx, files.Paths, files.Read, func() {
		select {
		case changed <- struct{}{}:
		default:
		}
	})
	var due <-chan time.Time
	last := "" // what could not be applied
	load := func(atOnce bool) error {
		again, err := files.Load(ctx, atOnce)
		due = nil
		switch {
		case ctx.Err() != nil:
		case errors.Is(err, runner.ErrNothing):
			if again == 0 {
				return err
			}
		case err != nil:
			if text := err.Error(); text != last {
				files.Tell(err)
				last = text
			}
			again = applyAgain
		default:
			last = ""
		}
		if again > 0 {
			due = time.After(again)
		}
		return nil
	}
	if err := load(false); err != nil {
		return err
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-asked:
			_ = load(true) // it has begun
		case <-changed:
			time.Sleep(settleTime)
			_ = load(false)
		case <-due:
			_ = load(false)
		}
	}
}

// exporter returns how it is found out what streams' /metrics is to serve that say
// nothing of it: what the engine has, which is asked until it has answered. Where
// there are streams, that begins at once and goes on while the tree is started.
func exporter(ctx context.Context, engine string, files []string) func(context.Context) (string, bool) {
	var mu sync.Mutex // guards known and name
	known, name := false, ""
	ask := func(ctx context.Context) (string, bool) {
		mu.Lock()
		defer mu.Unlock()
		if !known {
			linter := benthos.Linter{Path: engine}
			has, err := linter.HasPrometheus(ctx)
			if known = err == nil; known && !has {
				name = benthos.MetricsNone
			}
		}
		return name, known
	}
	go func() {
		if len(config.Read(files...).Streams()) > 0 {
			_, _ = ask(ctx)
		}
	}()
	return ask
}

// teller prints each transition, and what is refused, once for as long as it is.
type teller struct {
	out, errs io.Writer

	mu   sync.Mutex // guards told
	told map[string]string
}

// hear is an fsm.Listener.
func (t *teller) hear(n fsm.Notice) {
	switch n := n.(type) {
	case fsm.Transition:
		t.mu.Lock()
		delete(t.told, n.Instance) // what comes after it is news
		t.mu.Unlock()
		say(t.out, "%s %s %s -> %s (%s) %s", n.At.Format("15:04:05.000"), n.Instance, n.From, n.To, n.Event, n.Reason)
	case fsm.Refused:
		t.once(n.Instance, fmt.Sprintf("%s is refused: %v", n.Instance, n.Err))
	case fsm.Warned:
		t.once(n.Instance, fmt.Sprintf("%s: %v", n.Instance, n.Err))
	}
}

func (t *teller) once(name, text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.told[name] == text {
		return
	}
	t.told[name] = text
	say(t.errs, "%s", text)
}
