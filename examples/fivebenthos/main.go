// Fivebenthos keeps five Benthos stream processors running under s6, each with
// an HTTP input and its messages in a log of its own, until it is interrupted.
//
// With -verify it proves on the running five, one scenario after the other,
// that they are created, serve, are watched, recover, do not disturb each
// other, end in order and lose no log line, and exits with 0 only if all holds.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/runner"
)

// settings are what the command line says.
type settings struct {
	instances   int
	httpPort    int
	metricsPort int
	listen      string
	duration    time.Duration
	stopTimeout time.Duration
	dir         string
	scanDir     string
	engine      string
	metrics     string
	verify      bool
	patience    time.Duration
	json        bool
	healthcheck bool
	readyFD     int
	lock        string
	verbosity   int
}

func main() {
	stdout, stderr := runner.NewOutlets(os.Stdout, os.Stderr, "fivebenthos", runner.OutletRoom)
	s, err := parse(os.Args[1:], stdout)
	if err == nil {
		err = run(s, stdout, stderr)
	}
	failed := err != nil && !errors.Is(err, flag.ErrHelp)
	if failed {
		fmt.Fprintln(stderr, "fivebenthos:", fsm.EscapeText(err.Error()))
	}
	runner.Flush(runner.FlushTime, stdout, stderr)
	if failed {
		os.Exit(1)
	}
}

// parse reads the command line; help goes to stdout, if it is asked for.
func parse(args []string, stdout io.Writer) (s settings, err error) {
	flags := flag.NewFlagSet("fivebenthos", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.IntVar(&s.instances, "instances", 5, "how many Benthos instances to keep")
	flags.IntVar(&s.httpPort, "http-port", 8080, "port of the first instance's HTTP input; the others follow")
	flags.IntVar(&s.metricsPort, "metrics-port", 9080, "port of the first instance's /ping, /ready, /version and /metrics; the others follow")
	flags.StringVar(&s.listen, "listen", "127.0.0.1", "address to listen on")
	flags.DurationVar(&s.duration, "duration", 0, "how long to run; 0 means until a signal")
	flags.DurationVar(&s.stopTimeout, "stop-timeout", runner.HaltTime, "how long to wait for the instances to stop")
	flags.StringVar(&s.dir, "dir", ".", "directory for services/ and logs/, kept between runs")
	flags.StringVar(&s.scanDir, "scan-dir", "", "scan directory of an s6-svscan that runs already; none means a private one in -dir")
	flags.StringVar(&s.engine, "benthos", "", "path of the Benthos executable; none means bin/benthos here or benthos in PATH")
	flags.StringVar(&s.metrics, "metrics", metricsAuto, "prometheus, none, or auto for what the engine has")
	flags.BoolVar(&s.verify, "verify", false, "prove the seven scenarios and exit")
	flags.DurationVar(&s.patience, "patience", time.Minute, "how long -verify waits for each thing that is to happen")
	flags.BoolVar(&s.json, "json", false, "print JSON, a line for each transition or scenario")
	flags.BoolVar(&s.healthcheck, "healthcheck", false, "say whether another fivebenthos with the same flags runs, with every instance ready, and exit")
	flags.IntVar(&s.readyFD, "ready-fd", 0, "descriptor to write a newline to once the instances are kept; 0 means none")
	flags.StringVar(&s.lock, "lock", "", "file to lock that belongs to this s6 service alone; another process that has it has lost its supervisor, and is killed")
	flags.IntVar(&s.verbosity, "verbosity", tellTransitions, "0 prints what goes wrong, 1 also recoveries and results, 2 every transition, 3 also every attempt that failed")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		flags.SetOutput(stdout)
		flags.Usage()
		return s, err
	} else if err != nil {
		return s, fmt.Errorf("cannot make sense of the command line: %w (-help lists the flags)", err)
	}
	switch last := max(s.httpPort, s.metricsPort) + s.instances - 1; {
	case flags.NArg() > 0:
		return s, fmt.Errorf("cannot make sense of %q: there are only flags", flags.Args())
	case s.instances < 1:
		return s, fmt.Errorf("cannot keep %d instances: -instances must be at least 1", s.instances)
	case min(s.httpPort, s.metricsPort) < 1 || last > 65535:
		return s, fmt.Errorf("cannot use ports up to %d: -http-port and -metrics-port with all that follow must be from 1 to 65535", last)
	case max(s.httpPort, s.metricsPort)-min(s.httpPort, s.metricsPort) < s.instances:
		return s, fmt.Errorf("cannot use port %d twice: -http-port and -metrics-port must be at least %d apart", max(s.httpPort, s.metricsPort), s.instances)
	case s.duration < 0:
		return s, fmt.Errorf("cannot run for %v: -duration must not be negative", s.duration)
	case s.stopTimeout <= 0:
		return s, fmt.Errorf("cannot stop in %v: -stop-timeout must be more than 0", s.stopTimeout)
	case s.patience <= 0:
		return s, fmt.Errorf("cannot wait for %v: -patience must be more than 0", s.patience)
	case s.verbosity < tellProblems || s.verbosity > tellFailures:
		return s, fmt.Errorf("cannot use verbosity %d: -verbosity must be from %d to %d", s.verbosity, tellProblems, tellFailures)
	}
	return s, nil
}

func run(s settings, stdout, stderr *runner.Outlet) error {
	if s.healthcheck {
		return checkHealth(s)
	}
	show := newDisplay(s, os.Stdin, stdout, stderr)
	ctx := runner.NotifyEnd(func(s os.Signal) {
		show.leave("")
		fmt.Fprintf(stderr, "fivebenthos: a second signal (%v) ends it at once: what runs goes on, and the next run adopts it\n", s)
		runner.Flush(runner.FlushTime, stdout, stderr)
		runner.EndBy(s)
	})
	if s.duration > 0 {
		limited, cancel := context.WithTimeout(ctx, s.duration)
		defer cancel()
		ctx = limited
	}
	if s.lock != "" {
		if err := runner.TakeOver(ctx, s.lock, slog.New(slog.NewTextHandler(stderr, nil))); err != nil || ctx.Err() != nil {
			return err
		}
	}
	engine, err := benthos.FindEngine(s.engine)
	if err != nil {
		return fmt.Errorf("cannot keep any instance: %w: build one with \"make engine\", or name one with -benthos", err)
	}
	s.engine = engine
	s.metrics = s.exporter(ctx)
	p, err := start(ctx, s, s.listeners(show), show.problem)
	if err != nil {
		return err
	}
	defer p.close()
	for _, why := range p.refused() {
		show.problem(why)
	}
	beating, still := context.WithCancel(context.Background())
	var beat sync.WaitGroup
	beat.Go(func() { runner.Beat{Path: s.beatFile(), Wrong: p.Late}.Keep(beating) })
	defer beat.Wait()
	defer still()
	if err := runner.Announce(s.readyFD); err != nil {
		return errors.Join(err, p.stop())
	}
	if s.verify {
		return verify(ctx, p, show)
	}
	return p.keep(ctx, show)
}

// keep shows the instances until ctx ends, and while they stop then.
func (p *program) keep(ctx context.Context, show *display) error {
	show.begin(ctx.Done())
	show.follow(ctx.Done(), p)
	halted := make(chan struct{})
	var err error
	go func() {
		defer close(halted)
		err = p.halt()
	}()
	show.follow(halted, p)
	show.leave(p.table())
	return errors.Join(err, p.End())
}

// metricsAuto means that the engine is asked which exporter it has.
const metricsAuto = "auto"

// exporter returns what the instances' /metrics is to serve. If the engine
// cannot be asked, the instances themselves say what is wrong with it.
func (s settings) exporter(ctx context.Context) string {
	if s.metrics != metricsAuto {
		return s.metrics
	}
	linter := benthos.Linter{Path: s.engine}
	if has, err := linter.HasPrometheus(ctx); err == nil && !has {
		return benthos.MetricsNone
	}
	return benthos.MetricsPrometheus
}
