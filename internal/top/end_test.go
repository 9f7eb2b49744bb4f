package top

import (
	"context"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

// TestQuitOfAProgram: the table stays until the program has ended, and says that it
// ends. Ctrl-C is passed on each time, q once.
func TestQuitOfAProgram(t *testing.T) {
	begun, quits := make(chan struct{}), 0
	play(t, 80, 24, func() Config {
		begun, quits = make(chan struct{}), 0
		return Config{Source: plant(), Quit: func() { quits++ }, Ending: begun}
	}, func(s *stage) {
		s.presses("q", "ctrl+c")
		assert.Equal(t, 2, quits)
		assert.NotContains(t, s.view(), "ending")
		close(begun)
		s.passes(0)
		text := s.view()
		assert.Contains(t, text, "ending 8 ▲ 1 degraded", "there is no room for more")
		assert.Contains(t, text, "The program ends: what runs finishes what it has accepted, and stops. Ctrl-C")
		s.presses("q")
		assert.Equal(t, 2, quits, "it ends already")
		s.presses("ctrl+c")
		assert.Equal(t, 3, quits)
		assert.False(t, s.quit)
		s.presses("down", "/")
		assert.Contains(t, s.view(), "\n/", "all else is as it was")
	})
}

// TestSaid: what the program says is shown for a while, and obeyed by no terminal.
func TestSaid(t *testing.T) {
	said := make(chan string)
	play(t, 80, 24, func() Config {
		said = make(chan string)
		return Config{Source: plant(), Said: said}
	}, func(s *stage) {
		says := func(line string) {
			said <- line
			s.passes(0)
		}
		says("cannot \x1b[2J it")
		assert.Contains(t, s.view(), `cannot \x1b[2J it`)
		says("another")
		assert.Contains(t, s.view(), "\nanother\n")
		s.passes(sayTime + 2*every)
		assert.NotContains(t, s.view(), "\nanother\n")
	})
}

// TestNothingCanBeTyped: no key is named, and the first instance is that whose reason
// is shown, also when it is another one.
func TestNothingCanBeTyped(t *testing.T) {
	var p *program
	play(t, 80, 24, func() Config { p = plant(); return Config{Source: p, Quit: func() {}} }, func(s *stage) {
		s.deaf = true
		s.passes(2 * every)
		assert.NotContains(t, s.view(), "q quit")
		assert.Equal(t, s.names()[0], s.chosen.name)
		last := s.names()[len(s.names())-1]
		p.becomes(func() {
			for n := range p.list {
				if p.list[n].Name == last {
					p.list[n].Error = "broken"
				} else {
					p.list[n].Error, p.list[n].Phase = "", s.rows[s.shown[len(s.shown)-1].key()].Phase
				}
			}
		})
		s.passes(15 * time.Second)
		assert.Equal(t, last, s.names()[0])
		assert.Equal(t, last, s.chosen.name)
	})
}

// gated is an output that takes nothing any more until its gate is open.
type gated struct {
	output
	gate chan struct{}
}

func (g *gated) Write(p []byte) (int, error) {
	<-g.gate
	return g.output.Write(p)
}

// TestRunEndsThoughTheTerminalTakesNothing, soon after it was told to.
func TestRunEndsThoughTheTerminalTakesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		typed, keys := io.Pipe()
		s := gated{gate: make(chan struct{})}
		ctx, end := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() {
			ended <- Run(ctx, Config{Source: plant()}, Terminal{In: typed, Out: &s, Env: []string{"TERM=xterm"}, Width: 80, Height: 24})
		}()
		time.Sleep(3 * every)
		begun := time.Now()
		end()
		assert.NoError(t, <-ended)
		assert.LessOrEqual(t, time.Since(begun), leaveTime)
		close(s.gate)
		assert.NoError(t, keys.Close())
		time.Sleep(2 * every)
	})
}
