package cli

import (
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

	"github.com/evenkeel/evenkeel/runner"
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
		outlet, errOutlet := runner.NewOutlet(out, "evenkeel", runner.OutletRoom), runner.NewOutlet(errs, "evenkeel", runner.OutletRoom)
		end := printLogs(k.dir, outlet, errOutlet, []string{"a", "long-name"})
		k.prints("a", "one \x1b[31mred password=geheim\n")
		k.prints("evenkeel", "a         | one\n")
		assert.Equal(t, "a         | one \\x1b[31mred password=***\n", out.String())

		require.NoError(t, os.MkdirAll(filepath.Join(k.dir, "services/b"), 0o755))
		require.NoError(t, os.MkdirAll(filepath.Join(k.dir, "logs/b/current"), 0o755))
		k.prints("a", "two\n")
		assert.Contains(t, errs.String(), "evenkeel: b: cannot read log: ")
		require.NoError(t, os.Remove(filepath.Join(k.dir, "logs/b/current")))
		k.prints("b", "of another\n")
		assert.True(t, strings.HasSuffix(out.String(), "\na         | two\nb         | of another\n"), out.String())

		k.prints("a", "last words, with")
		go func() {
			time.Sleep(50 * time.Millisecond)
			k.appends("a", " an end\n")
		}()
		end()
		runner.Flush(runner.FlushTime, outlet, errOutlet)
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
		outlet, errOutlet := runner.NewOutlet(out, "evenkeel", runner.OutletRoom), runner.NewOutlet(new(screen), "evenkeel", runner.OutletRoom)
		end := printLogs(k.dir, outlet, errOutlet, nil)
		var text strings.Builder
		for n := range 40_000 {
			fmt.Fprintf(&text, "line %d %s\n", n, strings.Repeat("x", 80))
		}
		k.prints("a", text.String())
		time.Sleep(time.Minute)
		fmt.Fprintln(outlet, "a stopped -> starting")
		close(gate)
		k.prints("a", "")
		time.Sleep(time.Second)
		assert.Equal(t, 40_001, strings.Count(out.String(), "\n"))
		assert.Contains(t, out.String(), "\na stopped -> starting\n")
		assert.NotContains(t, out.String(), "left out")
		end()
		runner.Flush(runner.FlushTime, outlet, errOutlet)
	})
}

// TestEndDoesNotWaitForWhoDoesNotRead longer than for the last lines.
func TestEndDoesNotWaitForWhoDoesNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		k, out := newKept(t), &screen{gate: gate}
		k.prints("a", "")
		outlet, errOutlet := runner.NewOutlet(out, "evenkeel", runner.OutletRoom), runner.NewOutlet(new(screen), "evenkeel", runner.OutletRoom)
		end := printLogs(k.dir, outlet, errOutlet, nil)
		k.prints("a", strings.Repeat("long\n", 200_000))
		begun := time.Now()
		end()
		assert.Equal(t, lastLinesTime, time.Since(begun))
		close(gate)
		runner.Flush(runner.FlushTime, outlet, errOutlet)
	})
}
