//go:build integration

package integration

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/filesystem"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/integration/harness"
	"github.com/evenkeel/evenkeel/internal/proc"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/s6log"
)

var (
	logKills = flag.Int("log-kills", 24, "how many kills the campaign against logs makes")
	logSeed  = flag.Uint64("log-seed", 1, "which kills they are; 0 means by the clock")
)

// campaign reads the log of a service that prints numbered lines and says of
// each line that it was accepted, and judges it.
type campaign struct {
	*world
	spec   *s6.Spec
	reader *s6log.Reader
	lines  []s6log.Line
}

func startCampaign(t *testing.T) *campaign {
	t.Helper()
	w := start(t)
	spec := w.probeAs("a", "", `n=0; while :; do n=$((n+1)); echo "$$ line $n"; echo $n >>"$PROBE/accepted.$$"; test $((n % 20)) != 0 || sleep 0.01 9>&-; done`)
	spec.Log.Files, spec.Log.FileSize = manyFiles, 4096
	reader, err := s6log.NewReader(filesystem.OS{}, filepath.Join(w.Config.LogsDir, "a"), s6log.FromBeginning)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, reader.Close()) })
	reader.Files = manyFiles
	w.run(map[string]*s6.Spec{"a": spec})
	return &campaign{world: w, spec: spec, reader: reader}
}

// end ends the service and judges its log.
func (c *campaign) end() (count, lost, gaps int) {
	c.T.Helper()
	c.grows()
	c.Await(fsm.PhaseRunning, "a")
	c.Declare(desired{"a": {State: s6.Stopped, Spec: c.spec}})
	c.Await(fsm.PhaseStopped, "a")
	c.logSettles("a")
	c.read()
	return c.judge()
}

// accepted returns how many lines of one of the service's processes write(2) has
// certainly accepted.
func (c *campaign) accepted(pid int) int {
	c.T.Helper()
	data, err := os.ReadFile(filepath.Join(c.Root, "probes", "a", fmt.Sprintf("accepted.%d", pid)))
	if os.IsNotExist(err) {
		return 0
	}
	require.NoError(c.T, err)
	whole := strings.Fields(string(data[:strings.LastIndexByte(string(data), '\n')+1]))
	if len(whole) == 0 {
		return 0
	}
	n, err := strconv.Atoi(whole[len(whole)-1])
	require.NoError(c.T, err)
	return n
}

func (c *campaign) read() {
	c.T.Helper()
	lines, err := c.reader.Read(0)
	require.NoError(c.T, err)
	c.lines = append(c.lines, lines...)
}

// grows waits until lines of the newest process are read.
func (c *campaign) grows() {
	c.T.Helper()
	starts := c.starts("a")
	newest, before := starts[len(starts)-1], len(c.lines)
	harness.Eventually(c.T, "the log goes on", func() bool {
		c.read()
		for _, line := range c.lines[before:] {
			if number(line.Text, newest) > 0 {
				return true
			}
		}
		return false
	})
}

func (c *campaign) killLogger() {
	c.T.Helper()
	holder, err := c.Tree.Logger("a")
	require.NoError(c.T, err)
	if holder.PID > 0 { // or it has not begun
		harness.Slay(c.T, holder.PID)
	}
}

// judge checks that each accepted line is there once and in order, or that the
// reader says before the next one that lines may be missing. It returns how
// many there are, how many are missing, and where.
func (c *campaign) judge() (count, lost, gaps int) {
	c.T.Helper()
	last := make(map[int]int)
	said := make(map[int]bool) // since the last line of that process
	for _, line := range c.lines {
		if line.Gap {
			for _, pid := range c.starts("a") {
				said[pid] = true
			}
		}
		for _, pid := range c.starts("a") {
			n := number(line.Text, pid)
			if n == 0 {
				continue
			}
			require.Greater(c.T, n, last[pid], "%q comes twice, or late", line.Text)
			if missing := n - last[pid] - 1; missing > 0 {
				require.True(c.T, said[pid], "%d lines before %q are missing, and nothing is said", missing, line.Text)
				lost, gaps = lost+missing, gaps+1
			}
			last[pid], said[pid] = n, false
			count++
		}
	}
	for _, pid := range c.starts("a") {
		if missing := c.accepted(pid) - last[pid]; missing > 0 {
			require.True(c.T, said[pid], "the last %d lines of process %d are missing, and nothing is said", missing, pid)
			lost, gaps = lost+missing, gaps+1
		}
	}
	return count, lost, gaps
}

// Whatever is killed, each accepted line is in the log once and in order, or
// its reader says where lines are missing.
func TestCampaignAgainstLogs(t *testing.T) {
	t.Parallel()
	seed := *logSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("go test -tags integration ./integration -run TestCampaignAgainstLogs -log-kills %d -log-seed %d", *logKills, seed)
	random := rand.New(rand.NewPCG(seed, 0))
	c := startCampaign(t)
	w := c.world
	logger := filepath.Join(w.Service("a"), "log")
	for range *logKills {
		c.grows()
		switch random.IntN(5) {
		case 0, 1, 2:
			c.killLogger()
		case 3:
			starts := len(w.starts("a"))
			harness.Slay(t, w.pid("a"))
			harness.Eventually(t, "it starts again", func() bool { return len(w.starts("a")) > starts })
		case 4:
			var supervisor int
			harness.Eventually(t, "its logger is supervised", func() bool { supervisor = w.supervisor(logger); return supervisor != 0 })
			harness.Slay(t, supervisor)
			c.killLogger()
			harness.Eventually(t, "its logger is supervised again", func() bool { pid := w.supervisor(logger); return pid != 0 && pid != supervisor })
		}
	}
	count, lost, gaps := c.end()
	t.Logf("%d lines in %d files, %d missing at %d places that the reader names", count, w.archives("a")+1, lost, gaps)
	assert.Greater(t, count, 1000)
}

// The pipe of a process that started under an s6-svscan that was killed is held
// by the process and its supervisor alone until a logger finds it.
func TestScannerIsKilledTwiceAroundARestart(t *testing.T) {
	t.Parallel()
	c := startCampaign(t)
	const rounds = 3
	for range rounds {
		c.grows()
		first, supervisor := c.svscan(), c.supervisor(c.Service("a"))
		harness.Slay(t, first)
		c.rescanned(first)
		harness.Eventually(t, "the supervisor is told to exit after its process", func() bool {
			process, err := proc.System.Open(supervisor)
			require.NoError(t, err)
			defer process.Close()
			output, err := process.Descriptor(1)
			require.NoError(t, err)
			return output == os.DevNull
		})
		// The supervisor that the logger has does not hand over for a while.
		second, starts, slow := c.svscan(), len(c.starts("a")), c.supervisor(filepath.Join(c.Service("a"), "log"))
		harness.Stop(t, slow)
		harness.Slay(t, c.pid("a"))
		harness.Eventually(t, "it starts again", func() bool { return len(c.starts("a")) > starts })
		harness.Slay(t, second)
		harness.Kill(t, slow, syscall.SIGCONT)
		c.rescanned(second)
	}
	count, lost, _ := c.end()
	assert.Positive(t, count)
	assert.Zero(t, lost)
	assert.Len(t, c.starts("a"), 1+rounds)
}
