//go:build container

package container

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"testing"
)

// image is what the tests run, built once from the working tree.
const image = "evenkeel/fivebenthos:test"

func TestMain(m *testing.M) {
	// Each container is busy with five engines' start.
	flag.Parse()
	if err := flag.Set("test.parallel", "3"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	build := exec.Command("sh", "../../container/build.sh", image)
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "cannot build the image: %v\n%s", err, out)
		os.Exit(1)
	}
	os.Exit(m.Run())
}
