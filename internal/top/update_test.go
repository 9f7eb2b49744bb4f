package top

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/evenkeel/evenkeel/api"
	"github.com/evenkeel/evenkeel/fsm"
)

// TestProgramRestarts: what was seen last stays, greyed, until the program is there
// again.
func TestProgramRestarts(t *testing.T) {
	var p *program
	play(t, 80, 24, func() Config { p = plant(); return Config{Source: p} }, func(s *stage) {
		s.lives(p, 30)
		s.presses("down", "enter")
		assert.Contains(t, s.View().Content, "\x1b[32m●")
		p.becomes(func() { p.err = errors.New("cannot ask through x.sock: no program runs there") })
		p.ends <- struct{}{}
		s.passes(2 * time.Second)
		assert.Contains(t, s.view(), "What is shown is old: cannot ask through x.sock")
		assert.Contains(t, s.View().Content, "\x1b[2mbridge")
		assert.NotContains(t, s.View().Content, "\x1b[32m", "no phase is known to be so still")
		golden(t, "testdata/lost.txt", s.view())
		_, before := p.asks()
		s.passes(10 * time.Second)
		_, after := p.asks()
		assert.InDelta(t, 10, after-before, 1, "it is looked for once a second")
		p.becomes(func() { p.err = nil })
		s.passes(2 * time.Second)
		assert.NotContains(t, s.view(), "old")
		assert.Contains(t, s.View().Content, "\x1b[32m●")
		assert.Equal(t, "audit", s.chosen.name)
		bars := s.rows[key{"benthos", "telemetry"}].in.bars(minute, s.look.levels)
		assert.Contains(t, strings.Trim(bars, " "), strings.Repeat(" ", 11), "what nobody saw is missing")
	})
}

// TestWhoIsChosenStaysSo, whatever the order becomes, and its neighbour is when it is
// gone.
func TestWhoIsChosenStaysSo(t *testing.T) {
	var p *program
	play(t, 80, 24, func() Config { p = plant(); return Config{Source: p} }, func(s *stage) {
		s.presses("end", "up")
		assert.Equal(t, "telemetry", s.chosen.name)
		p.becomes(func() { p.list[6].Phase, p.list[6].State = fsm.PhaseFailed, "failed" })
		s.passes(time.Second)
		assert.Equal(t, "telemetry", s.chosen.name)
		assert.Equal(t, []string{"orders", "telemetry", "audit"}, s.names()[:3], "what is wrong comes first")
		p.becomes(func() { p.list = slices.Delete(p.list, 6, 7) })
		s.passes(time.Second)
		assert.Equal(t, "audit", s.chosen.name)
		s.presses("tab")
		p.becomes(func() { p.list = nil })
		s.passes(time.Second)
		assert.Empty(t, s.chosen)
		assert.Contains(t, s.view(), "there is no instance")
		s.presses("s", "enter", "down")
		assert.Nil(t, s.question)
		assert.False(t, s.pane.open)
	})
}

// TestWhatHappensIsShownSoon, and however much happens, little is asked.
func TestWhatHappensIsShownSoon(t *testing.T) {
	var p *program
	play(t, 80, 24, func() Config { p = plant(); return Config{Source: p} }, func(s *stage) {
		s.passes(every / 2)
		p.becomes(func() { p.list[2].Phase, p.list[2].State = fsm.PhaseStopping, "stopping" })
		p.events <- api.Event{}
		s.passes(settles)
		assert.Contains(t, s.view(), "stopping")
		p.becomes(func() { p.takes = 300 * time.Millisecond })
		s.passes(450 * time.Millisecond) // an answer is on its way
		p.becomes(func() { p.list[2].Phase, p.list[2].State = fsm.PhaseStopped, "stopped meanwhile" })
		p.events <- api.Event{}
		s.passes(700 * time.Millisecond)
		assert.Contains(t, s.view(), "stopped mea", "it is asked again")
		p.becomes(func() { p.takes = 0 })
		s.passes(every)
		before, _ := p.asks()
		for end := time.Now().Add(10 * time.Second); time.Now().Before(end); {
			p.events <- api.Event{}
			s.passes(10 * time.Millisecond)
		}
		after, _ := p.asks()
		assert.LessOrEqual(t, after-before, 10+int(10*time.Second/settles))
		s.passes(time.Minute)
		last, _ := p.asks()
		assert.InDelta(t, 60, last-after, 2, "once a second where nothing happens")
	})
}

// TestWhyIsKeptUp while it is open, and asked of nobody else.
func TestWhyIsKeptUp(t *testing.T) {
	var p *program
	play(t, 80, 24, func() Config { p = plant(); return Config{Source: p} }, func(s *stage) {
		s.presses("enter")
		p.becomes(func() { p.why.Chain[0].Text = "it is asked to be stopped" })
		s.passes(time.Second)
		assert.Contains(t, s.view(), "it is asked to be stopped")
		s.gets(told{of: key{"s6", "web"}, why: fsm.Why{Chain: []fsm.Link{{Text: "of web"}}}})
		assert.NotContains(t, s.view(), "of web")
		s.gets(told{of: s.chosen, err: errors.New("no instance has that name")})
		assert.Contains(t, s.view(), "cannot say why: no instance has that name")
	})
}

// TestEveryPhaseIsTold without its colour.
func TestEveryPhaseIsTold(t *testing.T) {
	for _, l := range []look{fancy(), plain()} {
		seen := make(map[string]bool)
		for p := fsm.PhaseToBeCreated; p <= fsm.PhaseRemoved; p++ {
			assert.NotEqual(t, l.unknown, l.mark(p), p)
			assert.Contains(t, inOrder(), p)
			seen[l.mark(p)] = true
		}
		assert.Len(t, seen, len(inOrder())-3, "what is made or taken away looks the same")
		assert.Equal(t, l.unknown, l.mark(0))
	}
}

// TestColumnsSortBothWays without a change of who is equal.
func TestColumnsSortBothWays(t *testing.T) {
	play(t, 200, 24, func() Config { return Config{Source: plant()} }, func(s *stage) {
		for c := range columns {
			s.sort(c)
			there := s.names()
			assert.True(t, slices.IsSortedFunc(s.shown, c.compare), c.title())
			s.sort(c)
			assert.True(t, slices.IsSortedFunc(s.shown, func(a, b *row) int { return c.compare(b, a) }), c.title())
			assert.ElementsMatch(t, there, s.names())
		}
	})
}

// BenchmarkSecond is what a second costs with so many instances.
func BenchmarkSecond(b *testing.B) {
	for _, n := range []int{10, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			list := make([]api.Summary, n)
			for i := range list {
				list[i] = stream(fmt.Sprintf("stream-%d", i), i+1, time.Hour, float64(i), float64(i))
			}
			m := NewModel(b.Context(), Config{Source: &program{}})
			m.width, m.height = 80, 24
			for b.Loop() {
				m.Update(ticked{time.Now()})
				m.Update(listed{time.Now(), api.List{Instances: list}, nil})
				m.View()
			}
		})
	}
}

// TestWhatIsOnItsWay comes after what is wrong, and before what is well.
func TestWhatIsOnItsWay(t *testing.T) {
	var p *program
	play(t, 80, 24, func() Config { p = plant(); return Config{Source: p} }, func(s *stage) {
		p.becomes(func() {
			p.list[6].State, p.list[6].Phase, p.list[6].Settled, p.list[6].Runs = "stopping", fsm.PhaseStopping, false, false
		})
		s.passes(time.Second)
		assert.Equal(t, []string{"orders", "audit", "telemetry", "bridge"}, s.names()[:4])
	})
}

// TestWhatFailsAgainAndAgainStays among what is wrong, until it has run for a while.
func TestWhatFailsAgainAndAgainStays(t *testing.T) {
	var p *program
	play(t, 80, 24, func() Config { p = plant(); return Config{Source: p} }, func(s *stage) {
		becomes := func(state fsm.State, phase fsm.Phase) {
			p.becomes(func() { p.list[6].State, p.list[6].Phase = state, phase })
			s.passes(time.Second)
		}
		for range 5 {
			becomes("degraded", fsm.PhaseDegraded)
			assert.Equal(t, []string{"orders", "telemetry"}, s.names()[:2])
			becomes("active", fsm.PhaseRunning)
			assert.Equal(t, []string{"orders", "telemetry"}, s.names()[:2])
		}
		s.passes(lately)
		assert.Equal(t, []string{"orders", "audit"}, s.names()[:2])
	})
}
