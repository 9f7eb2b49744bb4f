package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/config"
	"github.com/evenkeel/evenkeel/filesystem"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/internal/serve"
	"github.com/evenkeel/evenkeel/runner"
)

// planOptions are the flags of evenkeel plan.
type planOptions struct {
	runOptions
	noLint, diff, json bool
}

func newPlan() *cobra.Command {
	var o planOptions
	c := &cobra.Command{
		Use:   "plan -f PATH...",
		Short: "Say what run would do, and do nothing",
		Long: `Plan says what run would do about files, beside a run that keeps others or the
same, or where none runs. It prints a line for each instance:

  NAME  create | start | live | restart | stop | remove | none  why

Live is a change for which the process goes on. A restart names the process that
would end, and how long its last restart took, where that is known. What cannot be
taken stays as it was declared last, as with run. Problems are printed as check
prints them, and refused and unknown are further words for what has one.

It exits with 0 where nothing is to be done, with 2 where something is, and with 1
where there is a problem, whatever else is to be done: what is declared would not
be reached.

It changes nothing: it writes no file, takes no lock and tells no process anything.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return plan(c.Context(), o, c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	filesFlag(c, &o.files)
	keeperFlags(c, &o.runOptions)
	c.Flags().BoolVar(&o.noLint, "no-lint", false, "leave out what the engine says of configurations of streams")
	c.Flags().BoolVar(&o.diff, "diff", false, "show how the files of services would differ, without secrets")
	c.Flags().BoolVar(&o.json, "json", false, "print one JSON document")
	return c
}

func plan(ctx context.Context, o planOptions, stdout, stderr io.Writer) error {
	p, err := o.plan(ctx)
	if err != nil {
		if !o.json {
			return err
		}
		p = &runner.Plan{Changes: []runner.Change{}, Problems: []config.Problem{}, Trouble: []string{fsm.MaskText(err.Error())}}
	}
	if o.json {
		if err := printJSON(stdout, p); err != nil {
			return err
		}
	} else {
		printPlan(stdout, stderr, p)
	}
	switch {
	case !p.Whole():
		return exitProblems
	case p.Count(fsm.ChangeNone) < len(p.Changes):
		return exitChanges
	}
	return nil
}

func (o planOptions) plan(ctx context.Context) (*runner.Plan, error) {
	for n, file := range o.files {
		var err error
		if o.files[n], err = filepath.Abs(file); err != nil {
			return nil, err
		}
	}
	engine, noEngine := findEngine(o.engine)
	engine = cmp.Or(engine, "benthos")
	tree, err := runner.Config{Dir: o.dir, ScanDir: o.scanDir}.Look()
	if err != nil {
		return nil, err
	}
	store := serve.StoreIn(o.dir)
	var linter asked = &benthos.Linter{Path: engine}
	if noEngine == nil && !o.noLint {
		linter = askAhead(ctx, engine, config.Read(o.files...), store)
	}
	planner := runner.Planner{
		Reader: config.Reader{FS: filesystem.OS{}}, Paths: o.files, AllowEmpty: o.allowEmpty, Metrics: exporter(linter),
		Store: store, Tree: tree, Streams: benthos.Options{Engine: engine, Linter: linter}, NoEngine: noEngine, Diff: o.diff,
	}
	if o.noLint {
		planner.Streams.Linter = runner.Unlinted{}
	}
	p := planner.Plan(ctx)
	if o.scanDir != "" {
		if err := tree.Served(); err != nil {
			p.Trouble = append(p.Trouble, fsm.MaskText(err.Error()))
		}
	}
	return p, nil
}

func printJSON(stdout io.Writer, p *runner.Plan) error {
	text, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return fmt.Errorf("cannot print the plan: %w", err)
	}
	_, err = fmt.Fprintf(stdout, "%s\n", fsm.EscapeJSON(text))
	return err
}

func printPlan(stdout, stderr io.Writer, p *runner.Plan) {
	for _, problem := range p.Problems {
		say(stderr, "%v", problem)
	}
	for _, trouble := range p.Trouble {
		say(stderr, "%s", trouble)
	}
	name, kind := 0, 0
	for _, c := range p.Changes {
		if c.Warning != "" {
			say(stderr, "%s: warning: %s", c.Name, c.Warning)
		}
		name, kind = max(name, len(c.Name)), max(kind, len(c.Kind))
	}
	for _, c := range p.Changes {
		fmt.Fprintf(stdout, "%-*s  %-*s  %s\n", name, c.Name, kind, c.Kind, fsm.EscapeLine(why(c)))
	}
	for _, c := range p.Changes {
		if c.Diff != "" {
			fmt.Fprintf(stdout, "\n%s", fsm.EscapeText(c.Diff))
		}
	}
	fmt.Fprintln(stdout, summary(p))
}

// why says why something is done, and what it costs.
func why(c runner.Change) string {
	if c.PID == 0 {
		return c.Why
	}
	costs := fmt.Sprintf("process %d ends", c.PID)
	if c.RestartTook > 0 {
		costs += fmt.Sprintf(", its last restart took %v", c.RestartTook.Round(time.Millisecond))
	}
	return c.Why + " (" + costs + ")"
}

// summary counts what is to be done.
func summary(p *runner.Plan) string {
	var counts []string
	for _, kind := range []fsm.ChangeKind{
		fsm.ChangeCreate, fsm.ChangeStart, fsm.ChangeLive, fsm.ChangeRestart, fsm.ChangeStop, fsm.ChangeRemove, fsm.ChangeRefused, fsm.ChangeUnknown, fsm.ChangeNone,
	} {
		if n := p.Count(kind); n > 0 {
			counts = append(counts, fmt.Sprintf("%d %s", n, kind))
		}
	}
	all := counted(len(p.Changes), "instance")
	switch {
	case len(counts) == 0:
		return "Nothing is to be done."
	case p.Whole() && p.Count(fsm.ChangeNone) == len(p.Changes):
		return "Nothing is to be done: " + all + " as declared."
	}
	return all + ": " + strings.Join(counts, ", ") + "."
}
