//go:build integration

package integration

import (
	"flag"
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// roleEnv makes the test binary another program: a service, or a program that
// manages services.
const roleEnv = "EVENKEEL_TEST_ROLE"

func TestMain(m *testing.M) {
	role := os.Getenv(roleEnv)
	if role == "" {
		// Tests wait most of the time, for processes and for s6's delays.
		flag.Parse()
		if err := flag.Set("test.parallel", "8"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		goleak.VerifyTestMain(m)
		return
	}
	// What this process starts has to be itself, and not what this process is
	// told to be.
	if err := os.Unsetenv(roleEnv); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	play, ok := map[string]func() error{
		"answer":  playAnswer,
		"report":  playReport,
		"manage":  playManage,
		"private": playPrivate,
		"obey":    playObey,
	}[role]
	if !ok {
		fmt.Fprintf(os.Stderr, "no role %q\n", role)
		os.Exit(2)
	}
	if err := play(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
