package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/evenkeel/evenkeel/fsm"
)

// Main runs the program with these arguments, and returns its exit code.
func Main(args []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	code := exitProblems
	switch {
	case err == nil:
		return 0
	case !errors.As(err, &code):
		fmt.Fprintln(stderr, "evenkeel:", fsm.EscapeText(fsm.MaskText(err.Error())))
	}
	return int(code)
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "evenkeel",
		Short: "Keep services and Benthos streams as files declare them",
		// Main says what is wrong, once.
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.AddCommand(newRun(), newPlan(), newStatus(), newTop(), newWhy(), newStop(), newStart(), newRestart(), newRetry(), newWait(), newEvents(), newGraph(), newHistory(), newReplay(), newHealth(), newLogs(), newCheck(), newSchema(), newVersion())
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return fmt.Errorf("%w (%q lists the flags)", err, c.CommandPath()+" --help")
	})
	return root
}
