package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/evenkeel/evenkeel/runner"
)

func newHealth() *cobra.Command {
	var place runner.Config
	c := &cobra.Command{
		Use:   "health",
		Short: "Say whether evenkeel run is well, and change nothing",
		Long: `Health says of the evenkeel run that has the same --dir and --scan-dir whether it
makes its passes, and whether all runs that is to run. It exits with 0 then,
otherwise with 1 and the reason. It looks at a lock and at the file .evenkeel in
the scan directory, which evenkeel run renews every second.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			ctx, cancel := context.WithTimeout(c.Context(), runner.HealthTime)
			defer cancel()
			return runner.CheckHealth(ctx, "evenkeel", place.Dir, beatFile(place))
		},
	}
	placeFlags(c, &place.Dir, &place.ScanDir)
	return c
}
