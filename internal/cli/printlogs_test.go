package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// screen is what outlets print to. While it has a gate, a write waits for it.
type screen struct {
	gate <-chan struct{}

	mu   sync.Mutex // guards text
	text strings.Builder
}

func (s *screen) Write(p []byte) (int, error) {
	if s.gate != nil {
		<-s.gate
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// asText is a log for people.
var asText = logOptions{format: choice{is: "text"}, level: choice{is: "info"}}

// kept is the directory of an evenkeel run that keeps an instance, a. It has the
// log of the program itself besides.
type kept struct {
	t   *testing.T
	dir string
}

func newKept(t *testing.T) kept {
	t.Helper()
	k := kept{t, t.TempDir()}
	for _, dir := range []string{"services/a", "logs/a", "logs/evenkeel"} {
		require.NoError(t, os.MkdirAll(filepath.Join(k.dir, dir), 0o755))
	}
	return k
}

// appends has the logger of an instance write a text.
func (k kept) appends(name, text string) {
	k.t.Helper()
	log, err := os.OpenFile(filepath.Join(k.dir, "logs", name, "current"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	require.NoError(k.t, err)
	_, err = log.WriteString(text)
	require.NoError(k.t, err)
	require.NoError(k.t, log.Close())
}

// prints has an instance print a text, between two looks at its log, and waits for
// the next ones.
func (k kept) prints(name, text string) {
	k.t.Helper()
	time.Sleep(50 * time.Millisecond)
	synctest.Wait()
	k.appends(name, text)
	time.Sleep(450 * time.Millisecond)
	synctest.Wait()
}

func TestLogsArePrinted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, out, errs := newKept(t), new(screen), new(screen)
		k.prints("a", "old\n")
		log := asText.open(out, errs)
		end := printLogs(k.dir, log, []string{"a", "long-name"})
		k.prints("a", "one \x1b[31mred password=geheim\n")
		k.prints("evenkeel", "a         | one\n")
		assert.Equal(t, "a         | one \\x1b[31mred password=***\n", out.String())

		require.NoError(t, os.MkdirAll(filepath.Join(k.dir, "services/b"), 0o755))
		require.NoError(t, os.MkdirAll(filepath.Join(k.dir, "logs/b/current"), 0o755))
		k.prints("a", "two\n")
		assert.Contains(t, errs.String(), " b log not read: cannot read log: ")
		require.NoError(t, os.Remove(filepath.Join(k.dir, "logs/b/current")))
		k.prints("b", "of another\n")
		assert.True(t, strings.HasSuffix(out.String(), "\na         | two\nb         | of another\n"), out.String())

		k.prints("a", "last words, with")
		go func() {
			time.Sleep(50 * time.Millisecond)
			k.appends("a", " an end\n")
		}()
		end()
		log.flush()
		assert.True(t, strings.HasSuffix(out.String(), "\na         | last words, with an end\n"), out.String())
	})
}

// TestLogsTakeNoRoomFromOthers: where nobody reads, lines wait where they are, the
// end does not wait for them, and what is to be printed besides has room.
func TestLogsTakeNoRoomFromOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		k, out := newKept(t), &screen{gate: gate}
		k.prints("a", "")
		log := asText.open(out, new(screen))
		end := printLogs(k.dir, log, nil)
		var text strings.Builder
		for n := range 40_000 {
			fmt.Fprintf(&text, "line %d %s\n", n, strings.Repeat("x", 80))
		}
		k.prints("a", text.String())
		time.Sleep(time.Minute)
		fmt.Fprintln(log.out, "a stopped -> starting")
		close(gate)
		k.prints("a", "")
		time.Sleep(time.Second)
		assert.Equal(t, 40_001, strings.Count(out.String(), "\n"))
		assert.Contains(t, out.String(), "\na stopped -> starting\n")
		assert.NotContains(t, out.String(), "left out")
		end()
		log.flush()
	})
}

// TestEndDoesNotWaitForWhoDoesNotRead longer than for the last lines.
func TestEndDoesNotWaitForWhoDoesNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		k, out := newKept(t), &screen{gate: gate}
		k.prints("a", "")
		log := asText.open(out, new(screen))
		end := printLogs(k.dir, log, nil)
		k.prints("a", strings.Repeat("long\n", 200_000))
		begun := time.Now()
		end()
		assert.Equal(t, lastLinesTime, time.Since(begun))
		close(gate)
		log.flush()
	})
}

// TestLinesAmongRecordsAreRecords: with the time at which they were printed.
func TestLinesAmongRecordsAreRecords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, out := newKept(t), new(screen)
		k.prints("a", "")
		log := logOptions{format: choice{is: "json"}, level: choice{is: "info"}}.open(out, new(screen))
		end := printLogs(k.dir, log, nil)
		k.prints("a", "\x1b[2J password=hunter2\n")
		end()
		log.flush()
		var record map[string]any
		require.NoError(t, json.Unmarshal([]byte(out.String()), &record), out.String())
		delete(record, "time")
		assert.Equal(t, map[string]any{"level": "INFO", "msg": "printed", "name": "a", "line": "\x1b[2J password=***"}, record)
		assert.NotContains(t, out.String(), "\x1b")
	})
}
