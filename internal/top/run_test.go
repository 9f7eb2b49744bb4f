package top

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/api"
	"github.com/evenkeel/evenkeel/internal/screen"
)

// output keeps what is written to a terminal.
type output struct {
	mu      sync.Mutex // guards the rest
	written strings.Builder
	writes  int
}

func (s *output) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writes++
	return s.written.Write(p)
}

// shows returns what stands on it, with lines ended as a terminal that is not raw does,
// and how often something was written.
func (s *output) shows(width, height int) (text string, writes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return screen.Of(strings.ReplaceAll(s.written.String(), "\n", "\r\n"), width, height), s.writes
}

// TestRun draws until somebody quits, and leaves the terminal as it was.
func TestRun(t *testing.T) {
	for name, env := range map[string][]string{
		"colours": {"TERM=xterm-256color", "TTY_FORCE=1"}, "none": {"TERM=xterm-256color", "TTY_FORCE=1", "NO_COLOR=1"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := plant()
				typed, keys := io.Pipe()
				var s output
				ended := make(chan error)
				go func() {
					ended <- Run(t.Context(), Config{Source: p}, Terminal{In: typed, Out: &s, Env: env, Width: 80, Height: 24})
				}()
				time.Sleep(3*time.Second + every/2)
				text, _ := s.shows(80, 24)
				assert.Contains(t, text, "›▲ orders     degraded  43s        4  -             -")
				press := func(key string) {
					_, err := io.WriteString(keys, key)
					require.NoError(t, err)
					time.Sleep(time.Second)
				}
				press("s")
				text, _ = s.shows(80, 24)
				assert.Contains(t, text, "Stop orders?")
				press("y")
				p.becomes(func() { assert.Equal(t, []string{"stop orders"}, p.asked) })
				go press("q")
				assert.NoError(t, <-ended)
				require.NoError(t, keys.Close())
				written := s.written.String()
				assert.Contains(t, written, "\x1b[?1049h")
				assert.Less(t, strings.LastIndex(written, "\x1b[?1049h"), strings.LastIndex(written, "\x1b[?1049l"), "the terminal is as it was")
				assert.Equal(t, name == "colours", strings.Contains(written, "\x1b[32m") || strings.Contains(written, ";32m"), "%q", written)
				time.Sleep(2 * every)
			})
		})
	}
}

// TestRunWritesLittle: where only ages change, once a second at most; and where they
// are shown in minutes, once a minute.
func TestRunWritesLittle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &program{events: make(chan api.Event), list: []api.Summary{
			stream("old", 2, 20*time.Hour, 100, 100), service("young", 1, 0),
		}}
		ctx, end := context.WithCancel(t.Context())
		var s output
		ended := make(chan error)
		go func() {
			ended <- Run(ctx, Config{Source: p}, Terminal{Out: &s, Env: []string{"TERM=xterm"}, Width: 80, Height: 24})
		}()
		writes := func(d time.Duration) int {
			_, before := s.shows(80, 24)
			time.Sleep(d)
			_, after := s.shows(80, 24)
			return after - before
		}
		time.Sleep(time.Minute + every/2) // the bars of rates have filled
		assert.InDelta(t, 60, writes(time.Minute), 1)
		p.becomes(func() { p.list = p.list[:1] })
		time.Sleep(time.Minute)
		assert.InDelta(t, 5, writes(5*time.Minute), 1)
		end()
		assert.NoError(t, <-ended, "it was told to end")
		assert.Contains(t, s.written.String(), "\x1b[?1049l")
		time.Sleep(2 * every)
	})
}

// TestRunWhereNobodyAnswers says so, and draws nothing.
func TestRunWhereNobodyAnswers(t *testing.T) {
	p := &program{err: errors.New("no program runs there")}
	var s output
	assert.EqualError(t, Run(t.Context(), Config{Source: p}, Terminal{Out: &s}), "no program runs there")
	assert.Empty(t, s.written.String())
}
