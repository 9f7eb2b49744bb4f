package s6log_test

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/filesystem/filesystemtest"
	"github.com/evenkeel/evenkeel/filesystem/memfs"
	"github.com/evenkeel/evenkeel/s6/s6log"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

// stamped returns lines with a stamp each, a second apart from start on.
func stamped(start time.Time, texts ...string) string {
	var b strings.Builder
	for n, text := range texts {
		fmt.Fprintf(&b, "%s %s\n", supervise.FormatTAI64N(start.Add(time.Duration(n)*time.Second)), text)
	}
	return b.String()
}

func textsOf(lines []s6log.Line) (texts []string) {
	for _, line := range lines {
		texts = append(texts, line.Text)
	}
	return texts
}

func TestTail(t *testing.T) {
	start := time.Unix(1000, 0)
	log := newLogger(t)
	tail := s6log.Tail{FS: log.fsys, Dir: logPath}
	since := func(from time.Time) []string {
		t.Helper()
		lines, err := tail.Since(from)
		require.NoError(t, err)
		return textsOf(lines)
	}
	log.write(stamped(start, "one", "two", "three") + "no stamp\n")
	assert.Equal(t, []string{"two", "three"}, since(start.Add(time.Second)))
	assert.Empty(t, since(time.Time{}), "they were returned")
	log.write(stamped(start, "four"))
	assert.Equal(t, []string{"four"}, since(start))
	require.NoError(t, tail.Close())
	require.NoError(t, tail.Close())
	assert.Equal(t, []string{"one", "two", "three", "no stamp", "four"}, since(time.Time{}), "from the beginning again")
	log.write(strings.Repeat(stamped(start, ""), 5000) + stamped(start, "last"))
	assert.NotContains(t, since(time.Time{}), "last", "more is written than is read at once")
	assert.Contains(t, since(time.Time{}), "last", "what is between is left out")
	require.NoError(t, tail.Close())
}

func TestTailOfNoLog(t *testing.T) {
	tail := s6log.Tail{FS: memfs.New(), Dir: logPath}
	lines, err := tail.Since(time.Time{})
	assert.NoError(t, err)
	assert.Empty(t, lines)
	assert.NoError(t, tail.Close())
	tail.FS = filesystemtest.Inject(tail.FS, filesystemtest.OnPath(logPath, filesystemtest.Fail(syscall.EIO)))
	_, err = tail.Since(time.Time{})
	assert.ErrorIs(t, err, syscall.EIO)
}
