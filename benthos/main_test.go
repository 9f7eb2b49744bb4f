package benthos_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// TestMain lets this binary stand in for an engine's lint command: a Linter
// whose environment has fakeLintEnv runs it as its engine.
func TestMain(m *testing.M) {
	if mode := os.Getenv(fakeLintEnv); mode != "" {
		os.Exit(fakeLint(mode, os.Args[1:]))
	}
	goleak.VerifyTestMain(m)
}
