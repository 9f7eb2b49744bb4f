package proc_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/internal/proc"
)

// A process is found by where it works and by what it has open, also once that
// was deleted.
func TestTouching(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	require.NoError(t, os.Mkdir(filepath.Join(dir, "a"), 0o755))
	p := exec.Command("sh", "-c", `exec 9>file; echo; exec sleep 1000`)
	p.Dir = filepath.Join(dir, "a")
	out, err := p.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, p.Start())
	t.Cleanup(func() { _ = p.Process.Kill(); _ = p.Wait() })
	_, err = out.Read(make([]byte, 1))
	require.NoError(t, err)

	touch := func() proc.Touch {
		all, err := proc.System.Touching(dir)
		require.NoError(t, err)
		at := slices.IndexFunc(all, func(p2 proc.Touch) bool { return p2.PID == p.Process.Pid })
		require.GreaterOrEqual(t, at, 0)
		return all[at]
	}
	a := filepath.Join(dir, "a")
	assert.Equal(t, proc.Touch{PID: p.Process.Pid, Dir: a, Open: []string{a + "/file"}}, touch())
	require.NoError(t, os.RemoveAll(a))
	assert.Equal(t, proc.Touch{PID: p.Process.Pid, Dir: a + " (deleted)", Open: []string{a + "/file (deleted)"}}, touch())
}
