//go:build integration

package peers

import (
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"testing"

	"go.uber.org/goleak"

	"github.com/evenkeel/evenkeel/integration/harness"
)

// built is the directory of the programs that are built.
var built string

// TestMain has all that is measured in one directory, so that nothing of it is left
// when the run is interrupted.
func TestMain(m *testing.M) {
	flag.Parse()
	dir, err := os.MkdirTemp("", "peers-")
	if err == nil {
		err = os.Setenv("TMPDIR", dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	built = dir
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		<-interrupted
		harness.KillAll(dir)
		os.RemoveAll(dir)
		os.Exit(1)
	}()
	goleak.VerifyTestMain(m, goleak.IgnoreCurrent(), goleak.Cleanup(func(code int) {
		os.RemoveAll(dir)
		os.Exit(code)
	}))
}
