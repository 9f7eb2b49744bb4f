package cli

import (
	"github.com/spf13/cobra"
)

// newByHand returns a command that asks for something by hand.
func newByHand(verb, short, long string) *cobra.Command {
	var dir string
	c := &cobra.Command{
		Use: verb + " NAME...", Short: short, Long: long,
		Args: cobra.MinimumNArgs(1), ValidArgsFunction: completeNames(&dir),
		RunE: func(c *cobra.Command, names []string) error {
			return askFor(c.Context(), dir, verb, names)
		},
	}
	askedDirFlag(c, &dir)
	return c
}

func newStart() *cobra.Command {
	return newByHand("start", "Start instances again that were stopped by hand",
		`Start has an instance that was stopped by hand be again what is declared of it. It
does nothing to others: what is declared as stopped stays so.`)
}

func newRestart() *cobra.Command {
	return newByHand("restart", "Restart instances",
		`Restart has another process take the place of the one that runs, as soon as that
has ended. What is done, has failed or pauses is started at once. It is refused for
what is not to run, or waits for others.`)
}

func newRetry() *cobra.Command {
	return newByHand("retry", "Try at once what failed or is held",
		`Retry makes the next pass over an instance try at once what has failed, however
long that was put off, and what is held.`)
}
