//go:build integration

package benthos

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

// builds are what the tests build, once, and run.
var builds struct {
	dir                   string
	fivebenthos, evenkeel func() error
}

func TestMain(m *testing.M) {
	// Tests wait most of the time, for processes and for s6's delays.
	flag.Parse()
	if err := flag.Set("test.parallel", "6"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	dir, err := os.MkdirTemp("", "fivebenthos-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	builds.dir = dir
	builds.fivebenthos = sync.OnceValue(func() error { return build("../../examples/fivebenthos") })
	builds.evenkeel = sync.OnceValue(func() error { return build("../../cmd/evenkeel") })
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		os.RemoveAll(dir)
		os.Exit(code)
	}))
}

// fivebenthos returns the program that the tests run.
func fivebenthos(t testing.TB) string {
	t.Helper()
	require.NoError(t, builds.fivebenthos())
	return filepath.Join(builds.dir, "fivebenthos")
}

// evenkeel returns the other one.
func evenkeel(t testing.TB) string {
	t.Helper()
	require.NoError(t, builds.evenkeel())
	return filepath.Join(builds.dir, "evenkeel")
}

// build builds a program, with the race detector if the tests have it.
func build(program string) error {
	args := []string{"build", "-o", builds.dir + "/"}
	raced := func(s debug.BuildSetting) bool { return s.Key == "-race" && s.Value == "true" }
	if info, ok := debug.ReadBuildInfo(); ok && slices.ContainsFunc(info.Settings, raced) {
		args = append(args, "-race")
	}
	out, err := exec.Command("go", append(args, program)...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("cannot build %s: %w: %s", program, err, out)
	}
	return nil
}

// bento returns the engine with the Prometheus exporter.
func bento(t testing.TB) string {
	t.Helper()
	return engine(t, "EVENKEEL_BENTHOS", "../../bin/benthos", "make engine")
}

// redpanda returns the engine without one.
func redpanda(t testing.TB) string {
	t.Helper()
	return engine(t, "EVENKEEL_BENTHOS_REDPANDA", "../../bin/benthos-redpanda", "make engine-redpanda")
}

func engine(t testing.TB, variable, built, remedy string) string {
	t.Helper()
	name := os.Getenv(variable)
	if name == "" {
		name = built
	}
	name, err := filepath.Abs(name)
	require.NoError(t, err)
	if _, err := exec.LookPath(name); err != nil {
		t.Fatalf("there is no Benthos at %s: build it with %q or set %s: %v", name, remedy, variable, err)
	}
	return name
}
