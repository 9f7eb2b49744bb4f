package proc

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWhereMemoryIsCounted(t *testing.T) {
	for name, tt := range map[string]struct {
		groups string
		files  []string
	}{
		"version 2": {"0::/system.slice/x.service\n", []string{
			"/sys/fs/cgroup/system.slice/x.service/memory.events", "/sys/fs/cgroup/memory.events"}},
		"version 2, in a container": {"0::/\n", []string{"/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory.events"}},
		"version 1": {"4:memory:/docker/a\n3:cpuset:/docker/a\n", []string{
			"/sys/fs/cgroup/memory/docker/a/memory.oom_control", "/sys/fs/cgroup/memory/memory.oom_control"}},
		"no memory": {"8:pids:/\nnonsense\n", nil},
	} {
		assert.Equal(t, tt.files, memoryFiles(tt.groups), name)
	}
}

func TestOOMKills(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "self"), 0o700))
	_, err := FS(dir).OOMKills()
	require.ErrorIs(t, err, os.ErrNotExist)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "self", "cgroup"), []byte("8:pids:/\n"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "vmstat"), []byte("nr_free_pages 1\noom_kill_x 3\n"), 0o600))
	_, err = FS(dir).OOMKills()
	require.ErrorContains(t, err, "oom_kill is not counted")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "vmstat"), []byte("nr_free_pages 1\noom_kill 42\n"), 0o600))
	n, err := FS(dir).OOMKills()
	require.NoError(t, err)
	assert.EqualValues(t, 42, n)
	_, err = System.OOMKills()
	assert.NoError(t, err, "Linux counts them since 4.13")
}
