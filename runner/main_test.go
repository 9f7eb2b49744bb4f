package runner

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// lockEnv makes this test a program that locks the file of this name, says so,
// and stays.
const lockEnv = "RUNNER_TEST_LOCK"

func TestMain(m *testing.M) {
	if path := os.Getenv(lockEnv); path != "" {
		fmt.Println(TakeOver(context.Background(), path, slog.New(slog.DiscardHandler)))
		select {}
	}
	goleak.VerifyTestMain(m)
}
