package s6_test

import (
	"path"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/s6test"
)

// TestPlantedLinksAreNotFollowed: what a link in a service directory leads to is
// not written, and a service directory that is a link is not taken.
func TestPlantedLinksAreNotFollowed(t *testing.T) {
	inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
		fsys := tree.FS()
		require.NoError(t, fsys.MkdirAll("/etc", 0o755))
		require.NoError(t, fsys.MkdirAll("/home/other", 0o755))
		const theirs = "precious"
		for _, file := range []string{"/etc/started", "/etc/lock", "/etc/down"} {
			require.NoError(t, fsys.WriteFile(file, []byte(theirs), 0o600))
		}
		require.NoError(t, fsys.MkdirAll(tree.Layout().Service("a")+"/data", 0o755))
		require.NoError(t, fsys.Symlink("/etc/started", tree.Layout().Service("a")+"/data/started"))
		require.NoError(t, fsys.Symlink("/etc/lock", tree.Layout().Service("a")+"/data/lock"))
		require.NoError(t, fsys.Symlink("/etc", tree.Layout().Service("a")+"/config"))
		require.NoError(t, fsys.Symlink("/home/other", tree.Layout().Service("b")))

		p := start(t, tree)
		all := running("a", "b")
		all["a"].Spec.ConfigFiles = map[string]string{"started": "ours", "passwd": "ours"}
		require.NoError(t, p.Apply(t.Context(), all))
		pass(30 * time.Second)
		assert.NotZero(t, pids(t, tree)["a"])
		b, _ := p.Instance("b")
		assert.ErrorContains(t, b.Err, "/data/services/b is a link, which is not followed: remove it")
		assert.Empty(t, list(t, fsys, "/home/other"))

		require.NoError(t, fsys.Symlink("/etc/down", path.Join(tree.Layout().Service("a"), "down")))
		require.NoError(t, p.Apply(t.Context(), map[string]desired{"a": {State: s6.Stopped, Spec: all["a"].Spec}}))
		pass(time.Minute)
		assert.NotContains(t, pids(t, tree), "a", "the process ends all the same")
		for _, file := range []string{"/etc/started", "/etc/lock", "/etc/down"} {
			data, err := fsys.ReadFile(file)
			require.NoError(t, err)
			assert.Equal(t, theirs, string(data), file)
		}
		assert.Equal(t, "/etc/down\n/etc/lock\n/etc/started\n", list(t, fsys, "/etc"))
		p.stop()
	})
}
