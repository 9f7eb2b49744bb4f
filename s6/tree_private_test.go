package s6

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What cannot be told not to start with the tree is not there for it, and keeps no
// other from being told.
func TestHoldDown(t *testing.T) {
	dir := t.TempDir()
	tree := &SystemTree{layout: Layout{ScanDir: filepath.Join(dir, "scan"), ServicesDir: filepath.Join(dir, "services")}}
	names := []string{"a", "b", "c"}
	for _, name := range names {
		require.NoError(t, os.MkdirAll(filepath.Join(tree.layout.Service(name), "data"), 0o755))
		require.NoError(t, os.MkdirAll(tree.layout.ScanDir, 0o755))
		require.NoError(t, os.Symlink(tree.layout.Service(name), tree.layout.Link(name)))
	}
	down := func(name string) string { return filepath.Join(tree.layout.Service(name), "down") }
	require.NoError(t, os.Mkdir(down("a"), 0o755)) // no file can be written there
	require.NoError(t, tree.holdDown(append(names, "nobody")))
	assert.NoFileExists(t, tree.layout.Link("a"))
	for _, name := range names[1:] {
		assert.FileExists(t, down(name))
		assert.FileExists(t, filepath.Join(tree.layout.Link(name), "down"))
	}
	require.NoError(t, os.MkdirAll(filepath.Join(tree.layout.Link("a"), "full"), 0o755))
	assert.ErrorContains(t, tree.holdDown(names), "cannot keep a from being started with the tree")
}
