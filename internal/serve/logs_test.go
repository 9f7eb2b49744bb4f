package serve

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
		dir := t.TempDir()
		current := filepath.Join(LogsIn(dir), "a", "current")
		require.NoError(t, os.MkdirAll(filepath.Dir(current), 0o755))
		prints := func(text string) { // between two looks at its log
			time.Sleep(50 * time.Millisecond)
			synctest.Wait()
			log, err := os.OpenFile(current, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
			require.NoError(t, err)
			_, err = log.WriteString(text)
			require.NoError(t, err)
			require.NoError(t, log.Close())
			time.Sleep(450 * time.Millisecond)
			synctest.Wait()
		}
		prints("old\n")
		ctx, cancel := context.WithCancel(t.Context())
		said := Followed(dir)(ctx, "a")
		assert.Equal(t, "old", <-said)
		prints("new\n")
		assert.Equal(t, "new", <-said)
		require.NoError(t, os.Remove(current))
		require.NoError(t, os.Mkdir(current, 0o755))
		assert.Contains(t, <-said, "cannot read log")
		cancel()
		time.Sleep(time.Second)
		_, more := <-said
		assert.False(t, more)
	})
}
