package cli

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/config"
	"github.com/evenkeel/evenkeel/fsm"
)

// checkOptions are the flags of evenkeel check.
type checkOptions struct {
	files  []string
	engine string
	noLint bool
}

func newCheck() *cobra.Command {
	var o checkOptions
	c := &cobra.Command{
		Use:   "check -f PATH...",
		Short: "Say what is wrong with files, and change nothing",
		Long: `Check reads files of services and Benthos streams, and lints the configurations
of streams with the engine itself. It prints every problem as

  file:line:column: what is wrong, and what to do

and exits with 0 if there is none, otherwise with 1. It changes nothing, and
needs nothing that runs.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return check(c.Context(), o, c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	filesFlag(c, &o.files)
	c.Flags().StringVar(&o.engine, "benthos", "", "`PATH` of the Benthos executable; none means bin/benthos here or benthos in PATH")
	c.Flags().BoolVar(&o.noLint, "no-lint", false, "leave out what the engine says of configurations of streams")
	return c
}

// filesFlag is how a command is told which files to read.
func filesFlag(c *cobra.Command, files *[]string) {
	c.Flags().StringArrayVarP(files, "file", "f", nil, "`PATH` of a file, or of a directory of *.yaml; may be given several times")
	// The flag is there.
	_ = c.MarkFlagRequired("file")
	_ = c.MarkFlagFilename("file", "yaml")
}

func check(ctx context.Context, o checkOptions, stdout, stderr io.Writer) error {
	declared := config.Read(o.files...)
	var warnings []config.Problem
	var unasked error
	if !o.noLint && len(declared.Streams()) > 0 {
		warnings, unasked = lint(ctx, declared, o.engine)
	}
	declared.RefusePorts()
	declared.Order(nil)
	for _, s := range declared.NotRun {
		say(stderr, "%s: note: %s is for a component that evenkeel does not run", s.At, s.Name)
	}
	for _, w := range warnings {
		say(stderr, "%s: warning: %s", w.At, w.What)
	}
	for _, p := range declared.Problems {
		say(stderr, "%v", p)
	}
	if unasked != nil {
		return unasked
	}
	if len(declared.Problems) > 0 {
		return exitProblems
	}
	fmt.Fprintf(stdout, "%s and %s can be taken.\n",
		counted(len(declared.Services()), "service"), counted(len(declared.Streams()), "stream"))
	return nil
}

// lint asks an engine about what is declared, with the exporter that it has. The
// error says why it cannot be asked.
func lint(ctx context.Context, declared *config.Declaration, path string) ([]config.Problem, error) {
	path, err := benthos.FindEngine(path)
	if err != nil {
		return nil, fmt.Errorf("cannot lint configurations of streams: %w: name one with --benthos, or leave that out with --no-lint", err)
	}
	docs, err := declared.Documents()
	if err != nil {
		return nil, err
	}
	engine := benthos.AskAhead(ctx, &benthos.Linter{Path: path}, slices.Collect(maps.Values(docs)))
	has, err := engine.HasPrometheus(ctx)
	if err != nil {
		return nil, err
	}
	if !has {
		declared.DefaultMetrics(benthos.MetricsNone)
	}
	return declared.Lint(ctx, engine)
}

// say prints a line in which texts of others may stand.
func say(to io.Writer, format string, args ...any) {
	fmt.Fprintln(to, fsm.EscapeLine(fsm.MaskText(fmt.Sprintf(format, args...))))
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
