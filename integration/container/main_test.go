//go:build container

package container

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"testing"
)

// The images that the tests run, built once from the working tree: that of
// fivebenthos, and that of evenkeel.
const (
	image         = "evenkeel/fivebenthos:test"
	evenkeelImage = "evenkeel/evenkeel:test"
)

func TestMain(m *testing.M) {
	// Each container is busy with five engines' start.
	flag.Parse()
	if err := flag.Set("test.parallel", "3"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for target, name := range map[string]string{"fivebenthos": image, "evenkeel": evenkeelImage} {
		build := exec.Command("sh", "../../container/build.sh", name, target)
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "cannot build %s: %v\n%s", name, err, out)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}
