package cli

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestLogIsFollowed for as long as somebody looks, with what goes wrong meanwhile.
func TestLogIsFollowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKept(t)
		k.prints("a", "old\n")
		ctx, cancel := context.WithCancel(t.Context())
		said := followed(k.dir)(ctx, "a")
		assert.Equal(t, "old", <-said)
		k.prints("a", "new\n")
		assert.Equal(t, "new", <-said)
		require.NoError(t, os.Remove(filepath.Join(k.dir, "logs/a/current")))
		require.NoError(t, os.Mkdir(filepath.Join(k.dir, "logs/a/current"), 0o755))
		assert.Contains(t, <-said, "cannot read log")
		cancel()
		time.Sleep(time.Second)
		_, more := <-said
		assert.False(t, more)
	})
}
