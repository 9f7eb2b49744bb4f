package s6

import (
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/internal/proc"
)

// TestBusy: a process that has something to do is told from one that waits for
// something that may never come.
func TestBusy(t *testing.T) {
	start := func(name string, args ...string) int {
		cmd := exec.Command(name, args...)
		require.NoError(t, cmd.Start())
		t.Cleanup(func() {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		})
		return cmd.Process.Pid
	}
	works, waits, stopped := start("sh", "-c", "while :; do :; done"), start("sleep", "1000000"), start("sh", "-c", "kill -STOP $$")
	for pid, state := range map[int]string{waits: "S", stopped: "T"} {
		require.Eventually(t, func() bool {
			p, err := proc.System.Read(pid)
			return err == nil && p.State == state
		}, time.Minute, time.Millisecond)
	}
	require.Eventually(t, func() bool { return !busy(0, -1, waits, stopped) }, time.Minute, time.Millisecond)
	assert.True(t, busy(waits, works))
}
