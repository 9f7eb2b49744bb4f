package cli

import (
	"cmp"
	"os"

	"github.com/spf13/cobra"
)

// dirVariable is the environment variable that says where all is that is kept, if
// --dir does not.
const dirVariable = "EVENKEEL_DIR"

// defaultDir is where that is otherwise.
func defaultDir() string { return cmp.Or(os.Getenv(dirVariable), ".") }

// placeFlags are how a command is told where all is that is kept.
func placeFlags(c *cobra.Command, dir, scanDir *string) {
	c.Flags().StringVar(dir, "dir", defaultDir(), "`PATH` of the directory for services/, logs/ and declarations/, kept between runs")
	c.Flags().StringVar(scanDir, "scan-dir", "", "`PATH` of the scan directory of an s6-svscan that runs already; none means a private one in --dir")
}
