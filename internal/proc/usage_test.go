package proc

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func TestUsageOfAProcess(t *testing.T) {
	cmd := start(t)
	args, err := System.Args(cmd.Process.Pid)
	require.NoError(t, err)
	assert.Equal(t, []string{"cat"}, args)
	pss, err := System.PSS(cmd.Process.Pid)
	require.NoError(t, err)
	assert.Greater(t, pss, uint64(4096))

	before, err := CPU(cmd.Process.Pid)
	require.NoError(t, err)
	assert.Positive(t, before, "it has started")
	own, err := CPU(os.Getpid())
	require.NoError(t, err)
	var usage unix.Rusage
	require.NoError(t, unix.Getrusage(unix.RUSAGE_SELF, &usage))
	assert.LessOrEqual(t, own, time.Duration(usage.Utime.Nano()+usage.Stime.Nano())+Tick, "it is that of all threads")

	_, err = System.Args(noPID)
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = System.PSS(noPID)
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = System.ChildrenCPU(noPID)
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = CPU(noPID)
	require.Error(t, err)
}

// What a process has had that has ended is with the parent that has waited for it.
func TestTimeOfChildrenCounts(t *testing.T) {
	table := t.TempDir()
	dir := filepath.Join(table, "17")
	require.NoError(t, os.Mkdir(dir, 0o700))
	stat := "17 (a b) S 1 17 17 0 -1 4194560 100 200 0 0 3 5 70 11 20 0 1 0 12345 1000 10 18446744073709551615 " +
		strings.Repeat("0 ", 27) + "0\n"
	require.NoError(t, os.WriteFile(filepath.Join(dir, "stat"), []byte(stat), 0o600))
	had, err := FS(table).ChildrenCPU(17)
	require.NoError(t, err)
	assert.Equal(t, 81*Tick, had)
}
