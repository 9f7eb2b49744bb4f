package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/internal/bench"
)

func TestWrite(t *testing.T) {
	root := t.TempDir()
	for _, dir := range []string{bench.RunsDir, bench.PicturesDir} {
		require.NoError(t, os.MkdirAll(filepath.Join(root, dir), 0o700))
	}
	require.ErrorIs(t, write(root), os.ErrNotExist)
	require.NoError(t, os.WriteFile(filepath.Join(root, bench.DocumentName), []byte("<!-- figures: peers -->\n<!-- /figures -->\n"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(root, bench.RunsDir, "peers.txt"), []byte("BenchmarkSleepers/services=3/s6-2 \t 1\t 7 up-ms\n"), 0o600))
	require.NoError(t, write(root))
	text, err := os.ReadFile(filepath.Join(root, bench.DocumentName))
	require.NoError(t, err)
	assert.Contains(t, string(text), "7.00 ms")
	assert.FileExists(t, filepath.Join(root, bench.PicturesDir, "peers-sleepers-services-3.svg"))
}
