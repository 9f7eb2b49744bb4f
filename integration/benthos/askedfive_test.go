//go:build integration

package benthos

import (
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/api"
	"github.com/evenkeel/evenkeel/integration/harness"
)

// TestFivebenthosCanBeAsked with the commands of evenkeel. What was stopped by hand
// stays stopped when it is killed and comes back, and what it went through is known
// when it has ended.
func TestFivebenthosCanBeAsked(t *testing.T) {
	t.Parallel()
	h := newHome(t, bento(t))
	asked := func(command string, args ...string) string {
		t.Helper()
		out, err := exec.Command(evenkeel(t), append([]string{command, "--dir", h.root}, args...)...).CombinedOutput()
		require.NoError(t, err, "%s: %s", command, out)
		return string(out)
	}
	p := h.start()
	before := h.serving()
	asked("wait", "benthos-0", "benthos-1", "benthos-2", "benthos-3", "benthos-4", "--timeout", harness.Patience.String())
	assert.Equal(t, 1+five, strings.Count(asked("status"), "\n"))
	assert.Contains(t, asked("why", "benthos-3"), "it is asked to be active (declared)")
	const message = `{"test":"asked"}`
	require.NoError(t, h.post(3, message, 0))
	harness.Eventually(t, "the message is shown", func() bool { return strings.Contains(asked("logs", "benthos-3"), message) })

	asked("stop", "benthos-3")
	asked("wait", "benthos-3", "--for", "stopped", "--timeout", harness.Patience.String())
	p.Slay()
	p = h.start("-json")
	harness.Eventually(t, "it can be asked", func() bool { return exec.Command(evenkeel(t), "status", "--dir", h.root).Run() == nil })
	assert.Contains(t, asked("why", "benthos-3"), "stopped by hand")
	before[3] = 0
	assert.Equal(t, before, h.pids())
	asked("start", "benthos-3")
	h.serving()
	p.interrupt(syscall.SIGINT)
	assert.NoFileExists(t, filepath.Join(h.root, api.SocketName))
	assert.Contains(t, asked("history", "benthos-3"), "stopping -> stopped")
}
