package top

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/stretchr/testify/assert"

	"github.com/evenkeel/evenkeel/api"
	"github.com/evenkeel/evenkeel/fsm"
)

// wild is what others may print: for a terminal it clears the screen, rings, writes
// backwards and begins a line.
const wild = "\x1b[2J \a \u009b31m \x9b32m \u202e \x7f\r\n\ttoken=s3cret 漢字🙂"

// TestViews holds what is drawn.
func TestViews(t *testing.T) {
	for _, size := range []struct{ width, height int }{{80, 24}, {40, 10}, {200, 50}, {120, 30}} {
		for name, keys := range map[string][]string{
			"table": nil, "why": {"enter"}, "log": {"tab", "tab"}, "help": {"?"}, "stop": {"down", "s"}, "filter": {"/", "d", "a", "t"}, "by restarts": {"6"},
		} {
			title := fmt.Sprintf("%s %dx%d", name, size.width, size.height)
			t.Run(title, func(t *testing.T) {
				var p *program
				lines := make(map[string]chan string)
				play(t, size.width, size.height, func() Config {
					p = plant()
					lines["orders"] = make(chan string)
					return Config{Source: p, Logs: printing(lines)}
				}, func(s *stage) {
					s.lives(p, 75)
					s.presses(keys...)
					if s.pane.open {
						for n := range 60 {
							lines["orders"] <- fmt.Sprintf("\tlevel=error msg=%q attempt=%d", "connection refused", n)
						}
						s.passes(time.Second)
					}
					golden(t, filepath.Join("testdata", strings.ReplaceAll(title, " ", "-")+".txt"), s.view())
				})
			})
		}
	}
}

// TestPlain draws with ASCII alone where nothing else is shown.
func TestPlain(t *testing.T) {
	var p *program
	play(t, 80, 24, func() Config { p = plant(); return Config{Source: p, Plain: true} }, func(s *stage) {
		s.lives(p, 75)
		s.presses("5", "5", "enter")
		text := s.view()
		assert.False(t, strings.ContainsFunc(text, func(r rune) bool { return r > 126 }), text)
		golden(t, filepath.Join("testdata", "plain.txt"), text)
	})
}

// TestThousand draws what is visible of a thousand instances, wherever that is.
func TestThousand(t *testing.T) {
	many := func() Config {
		p := &program{events: make(chan api.Event)}
		for n := range 1000 {
			p.list = append(p.list, service(fmt.Sprintf("service-%03d", n), 1000+n, time.Hour))
		}
		p.list[500].Phase, p.list[500].State = fsm.PhaseFailed, "failed"
		return Config{Source: p}
	}
	play(t, 80, 24, many, func(s *stage) {
		golden(t, filepath.Join("testdata", "thousand.txt"), s.view())
		rows := s.frame().rows
		s.presses("end")
		assert.Equal(t, "service-999", s.names()[rows-1])
		s.presses("pgup", "up")
		assert.Equal(t, "service-980", s.chosen.name)
		assert.Contains(t, s.names(), s.chosen.name)
		s.gets(tea.WindowSizeMsg{Width: 80, Height: 6})
		assert.Contains(t, s.names(), s.chosen.name, "it stays visible")
		s.presses("home")
		assert.Equal(t, "service-500", s.names()[0], "what is wrong comes first")
	})
}

// TestAnySize draws something that fits into every size.
func TestAnySize(t *testing.T) {
	for name, keys := range map[string][]string{"table": nil, "why": {"enter"}, "log": {"tab", "tab"}, "help": {"?"}, "question": {"s"}, "filter": {"/"}} {
		t.Run(name, func(t *testing.T) {
			play(t, 80, 24, func() Config {
				return Config{Source: plant(), Logs: func(context.Context, string) <-chan string { return nil }}
			}, func(s *stage) {
				s.presses(keys...)
				for _, width := range []int{1, 2, 3, 8, 9, 10, 20, 33, 60, 80, 101, 150, 200} {
					for _, height := range []int{1, 2, 3, 4, 5, 6, 7, 10, 15, 16, 19, 24, 50} {
						s.gets(tea.WindowSizeMsg{Width: width, Height: height})
						s.view()
					}
				}
			})
		})
	}
}

// TestTextOfOthers reaches the terminal as text, wherever it stands.
func TestTextOfOthers(t *testing.T) {
	lines := make(map[string]chan string)
	hostile := func() Config {
		one := service("a\x1b[31m", 1, time.Hour)
		one.Kind, one.State, one.Reason, one.Error = wild, fsm.State(wild), fsm.Because(wild).With(wild), wild
		wide := service("漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字", 2, time.Hour)
		wide.Reason = fsm.Because(strings.Repeat("e\u0301漢🙂", 50))
		p := &program{events: make(chan api.Event), list: []api.Summary{one, wide}}
		p.why.Chain = []fsm.Link{{Part: wild, Text: wild, By: wild}}
		p.history = []fsm.Transition{{From: wild, To: wild, Event: wild, Reason: fsm.Because(wild)}}
		p.refuses = fmt.Errorf("%s", wild)
		lines["a\x1b[31m"] = make(chan string)
		return Config{Source: p, Logs: printing(lines)}
	}
	for name, keys := range map[string][]string{
		"table": nil, "why": {"enter"}, "log": {"enter", "tab"}, "question": {"s"}, "refusal": {"s", "y"}, "filter": {"/", "\x1b", "漢"},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, 80, 24, hostile, func(s *stage) {
				s.presses(keys...)
				if name == "log" {
					lines["a\x1b[31m"] <- wild + " password=hunter2"
					s.passes(time.Second)
				}
				drawn := s.View().Content
				for _, bad := range []string{"\x1b[2J", "\a", "\u009b", "\x9b32m", "\u202e", "\x7f", "\r", "\t", "\x1b[31m m"} {
					assert.NotContains(t, drawn, bad)
				}
				if name == "log" {
					assert.NotContains(t, drawn, "hunter2")
				}
				golden(t, filepath.Join("testdata", "hostile-"+name+".txt"), s.view())
			})
		})
	}
}
