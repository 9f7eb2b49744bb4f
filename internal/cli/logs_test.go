package cli

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestLogsEndWithoutWhoReads: a signal ends the command although what it prints is
// not read any more.
func TestLogsEndWithoutWhoReads(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "logs", "a"), 0o755))
	lines := strings.Repeat("@400000006b03c4e616a351b8 more than a pipe has room for\n", 10_000)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "logs", "a", "current"), []byte(lines), 0o644))
	for follow, want := range map[bool]error{true: nil, false: exitProblems} {
		r, w, err := os.Pipe()
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- showLogs(ctx, logsOptions{dir: dir, last: -1, follow: follow}, nil, w, io.Discard) }()
		_, err = r.Read(make([]byte, 1))
		require.NoError(t, err)
		cancel()
		assert.Equal(t, want, <-ended)
		require.NoError(t, r.Close()) // what is being printed fails
		require.NoError(t, w.Close())
	}
}

func TestParseSince(t *testing.T) {
	now := time.Date(2026, 11, 23, 4, 44, 49, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"":                          {},
		"90s":                       now.Add(-90 * time.Second),
		"0s":                        now,
		"2026-11-23T04:44:48.5Z":    now.Add(-500 * time.Millisecond),
		"2026-11-23T05:44:49+01:00": now,
	} {
		at, err := parseSince(text, now)
		require.NoError(t, err, text)
		assert.True(t, want.Equal(at), "%s is %v", text, at)
	}
	for _, text := range []string{"-90s", "yesterday", "2026-11-23", "90"} {
		_, err := parseSince(text, now)
		assert.ErrorContains(t, err, "cannot use --since \""+text+"\": say how long ago", text)
	}
}
