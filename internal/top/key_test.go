package top

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/stretchr/testify/assert"

	"github.com/evenkeel/evenkeel/api"
)

// state says where a model is, as far as keys lead anywhere.
func (s *stage) state(p *program) string {
	parts := []string{s.chosen.name}
	add := func(is bool, format string, args ...any) {
		if is {
			parts = append(parts, fmt.Sprintf(format, args...))
		}
	}
	add(s.by != unsorted, "by %d", s.by)
	add(s.reverse, "reversed")
	add(s.filter != "", "filter %q", s.filter)
	add(s.typing, "typing")
	add(s.help, "help from %d", s.read)
	add(s.pane.open, "pane of %s, page %d, back %d", s.pane.of.name, s.pane.page, s.pane.back)
	add(s.question != nil, "question")
	add(len(p.asked) > 0, "asked to %s", strings.Join(p.asked, ", "))
	add(s.said != "", "says %q", s.said)
	add(s.quit, "quits")
	return strings.Join(parts, "; ")
}

// TestKeys: what each key does. The plant is, what is wrong first: orders, audit,
// bridge, database, importer, migrate, telemetry, web.
func TestKeys(t *testing.T) {
	used := make(map[string]bool)
	for keys, want := range map[string]string{
		"":                          "orders",
		"q":                         "orders; quits",
		"ctrl+c":                    "orders; quits",
		"ctrl+l":                    "orders",
		"/ t e l ctrl+c":            "telemetry; filter \"tel\"; typing; quits",
		"s ctrl+c":                  "orders; question; quits",
		"down":                      "audit",
		"j j k":                     "audit",
		"up":                        "orders",
		"down down up":              "audit",
		"end":                       "web",
		"G down":                    "web",
		"end home":                  "orders",
		"G g":                       "orders",
		"pgdown":                    "web",
		"end pgup":                  "orders",
		"space ctrl+b":              "orders",
		"ctrl+f":                    "web",
		"1":                         "orders; by 0",
		"1 1":                       "orders; by 0; reversed",
		"1 1 1":                     "orders; by 0",
		"1 home":                    "audit; by 0",
		"1 1 home":                  "web; by 0; reversed",
		"2 home":                    "importer; by 1",
		"2 2 home":                  "migrate; by 1; reversed",
		"3 home":                    "audit; by 2",
		"4 end":                     "audit; by 3",
		"5 home":                    "audit; by 4",
		"6 end":                     "web; by 5",
		"7 home":                    "telemetry; by 6",
		"8 8 end":                   "telemetry; by 7; reversed",
		"9 home":                    "migrate; by 8",
		"7 7 0 home":                "orders",
		"?":                         "orders; help from 0",
		"? ?":                       "orders",
		"? esc":                     "orders",
		"? s":                       "orders; help from 0",
		"? enter":                   "orders; help from 0",
		"? q":                       "orders; help from 0; quits",
		"enter":                     "orders; pane of orders, page 0, back 0",
		"enter enter":               "orders",
		"enter esc":                 "orders",
		"enter down":                "audit; pane of audit, page 0, back 0",
		"enter pgdown":              "orders; pane of orders, page 0, back 0", // there is room for all
		"tab":                       "orders; pane of orders, page 0, back 0",
		"tab tab":                   "orders; pane of orders, page 1, back 0",
		"tab tab shift+tab":         "orders; pane of orders, page 0, back 0",
		"tab tab enter tab":         "orders; pane of orders, page 1, back 0",
		"/ w e":                     "web; filter \"we\"; typing",
		"/ W E enter":               "web; filter \"WE\"",
		"/ w e enter esc":           "web",
		"/ w e esc":                 "web",
		"/ w e backspace backspace": "web; typing",
		"/ x y z ctrl+u":            "orders; typing",
		"/ x y z enter s":           "; filter \"xyz\"",
		"/ x y z enter enter":       "; filter \"xyz\"",
		"/ q s ? 1 enter":           "; filter \"qs?1\"",
		"/ d e g r a d e d enter":   "orders; filter \"degraded\"",
		"s":                         "orders; question",
		"s n":                       "orders",
		"s esc":                     "orders",
		"s enter space down s":      "orders; question",
		"down s y":                  "audit; asked to stop audit; says \"stop of audit is asked for\"",
		"s Y":                       "orders; asked to stop orders; says \"stop of orders is asked for\"",
		"s y down":                  "audit; asked to stop orders",
		"S y":                       "orders; asked to start orders; says \"start of orders is asked for\"",
		"r y":                       "orders; asked to restart orders; says \"restart of orders is asked for\"",
		"t y":                       "orders; asked to retry orders; says \"retry of orders is asked for\"",
		"? / w e":                   "web; filter \"we\"; typing",
		"x":                         "orders",
	} {
		t.Run(keys, func(t *testing.T) {
			var p *program
			play(t, 80, 40, func() Config { p = plant(); return Config{Source: p, Logs: printing(nil)} }, func(s *stage) {
				s.presses(strings.Fields(keys)...)
				assert.Equal(t, want, s.state(p))
			})
		})
		for _, key := range strings.Fields(keys) {
			used[key] = true
		}
	}
	for _, b := range bindings() {
		for _, key := range b.keys {
			assert.True(t, used[key] || key == "ctrl+z", "%s is tried", key)
		}
	}
}

// TestSuspend gives the terminal back to the shell.
func TestSuspend(t *testing.T) {
	m := NewModel(t.Context(), Config{Source: &program{}})
	_, next := m.Update(pressed("ctrl+z"))
	assert.IsType(t, tea.SuspendMsg{}, next())
}

// TestHelpScrolls where it does not fit.
func TestHelpScrolls(t *testing.T) {
	play(t, 40, 10, func() Config { return Config{Source: plant()} }, func(s *stage) {
		s.presses("?", "down", "down")
		assert.Equal(t, 2, s.read)
		s.presses("pgdown", "end")
		assert.Contains(t, s.view(), "removed")
		s.presses("down", "up")
		assert.Equal(t, s.unread()-1, s.read)
		s.presses("home")
		assert.Contains(t, s.view(), "quit; Ctrl-C")
	})
}

// TestPaneScrolls as far as there is something to see.
func TestPaneScrolls(t *testing.T) {
	lines := make(map[string]chan string)
	play(t, 60, 10, func() Config {
		lines["orders"] = make(chan string)
		return Config{Source: plant(), Logs: printing(lines)}
	}, func(s *stage) {
		s.presses("enter", "pgdown", "pgdown", "pgdown", "pgdown")
		assert.Contains(t, s.view(), "messages go through")
		s.presses("pgup", "pgup", "pgup", "pgup")
		assert.Contains(t, s.view(), "it is asked to be active")
		s.presses("tab")
		print := func(from, to int) {
			for n := from; n < to; n++ {
				lines["orders"] <- fmt.Sprintf("line %d", n)
			}
			s.passes(time.Second)
		}
		print(0, 20)
		assert.Contains(t, s.view(), "line 19\n")
		s.presses("pgup")
		seen := s.view()
		assert.NotContains(t, seen, "line 19\n")
		print(20, 30)
		inLog := func(text string) (found []string) {
			for line := range strings.Lines(text) {
				if strings.HasPrefix(line, "line ") {
					found = append(found, line)
				}
			}
			return found
		}
		assert.NotEmpty(t, inLog(seen))
		assert.Equal(t, inLog(seen), inLog(s.view()), "who has scrolled back sees the same")
		s.presses("pgup", "pgup", "pgup", "pgup", "pgup", "pgup", "pgup", "pgup")
		assert.Contains(t, s.view(), "line 0\n")
		print(30, 30+logRoom)
		print(30+logRoom, 30+2*logRoom)
		print(30+2*logRoom, 30+3*logRoom)
		s.presses("pgdown")
		s.pane.back = 0
		assert.Contains(t, s.view(), fmt.Sprintf("line %d\n", 30+3*logRoom-1))
		assert.Less(t, len(s.pane.lines), 2*logRoom, "not all is kept")
		close(lines["orders"])
		s.passes(time.Second)
		assert.Contains(t, s.view(), "no more of the log can be followed")
	})
}

// TestLogIsThatOfWhoIsChosen: lines of another one are not taken for it.
func TestLogIsThatOfWhoIsChosen(t *testing.T) {
	lines := make(map[string]chan string)
	play(t, 80, 24, func() Config {
		lines["orders"], lines["audit"] = make(chan string), make(chan string)
		return Config{Source: plant(), Logs: printing(lines)}
	}, func(s *stage) {
		s.presses("tab", "tab")
		lines["orders"] <- "of orders"
		s.presses("down") // before that is drawn
		lines["audit"] <- "of audit"
		s.passes(time.Second)
		s.gets(printed{turn: s.pane.turn - 1, lines: []string{"late, of orders"}})
		assert.Contains(t, s.view(), "of audit")
		assert.NotContains(t, s.view(), "of orders")
		s.presses("esc")
		select {
		case lines["audit"] <- "more":
			assert.Fail(t, "it is followed still")
		case <-time.After(time.Hour):
		}
	})
}

// TestRefusal is shown until it has been read.
func TestRefusal(t *testing.T) {
	var p *program
	play(t, 80, 24, func() Config {
		p = plant()
		p.refuses = errors.New("it cannot be restarted: stopped by hand")
		return Config{Source: p}
	}, func(s *stage) {
		s.presses("r")
		assert.Contains(t, s.view(), "Restart orders? Another process takes the place of a process as soon as")
		s.presses("n", "down", "r")
		assert.Contains(t, s.view(), "Another process takes the place of process 5120")
		s.presses("y")
		assert.Contains(t, s.view(), "cannot restart audit: it cannot be restarted: stopped by hand")
		s.passes(sayTime - time.Second)
		assert.Contains(t, s.view(), "cannot restart audit")
		s.passes(3 * time.Second)
		assert.NotContains(t, s.view(), "cannot restart audit")
	})
}

// TestQuestionIsAboutOne: whatever happens meanwhile, what is named is asked for.
func TestQuestionIsAboutOne(t *testing.T) {
	var p *program
	play(t, 80, 24, func() Config { p = plant(); return Config{Source: p} }, func(s *stage) {
		s.presses("s")
		p.becomes(func() {
			p.list = slices.DeleteFunc(p.list, func(one api.Summary) bool { return one.Name == "orders" })
		})
		s.passes(2 * time.Second)
		assert.Equal(t, "audit", s.chosen.name)
		assert.Contains(t, s.view(), "Stop orders?")
		s.presses("y")
		assert.Equal(t, []string{"stop orders"}, p.asked)
	})
}

// TestNobodySaysYesToWhatCannotBeRead where the terminal has no room for the question.
func TestNobodySaysYesToWhatCannotBeRead(t *testing.T) {
	var p *program
	play(t, 20, 5, func() Config { p = plant(); return Config{Source: p} }, func(s *stage) {
		s.presses("s")
		assert.Contains(t, s.view(), "cannot stop it: the…")
		s.presses("y")
		s.gets(tea.WindowSizeMsg{Width: 80, Height: 24})
		s.presses("s")
		s.gets(tea.WindowSizeMsg{Width: 20, Height: 5})
		s.presses("y")
		assert.Empty(t, p.asked)
		s.gets(tea.WindowSizeMsg{Width: 80, Height: 5})
		s.presses("y")
		assert.Equal(t, []string{"stop orders"}, p.asked)
	})
}

// TestPaste goes where text is typed, and nowhere else.
func TestPaste(t *testing.T) {
	play(t, 80, 24, func() Config { return Config{Source: plant()} }, func(s *stage) {
		s.gets(tea.PasteMsg{Content: "s\ny"})
		assert.Nil(t, s.question)
		s.presses("/")
		s.gets(tea.PasteMsg{Content: "tele\x1b[2Jmetry\n"})
		assert.Equal(t, `tele\x1b[2Jmetry`, s.filter)
		s.gets(tea.PasteMsg{Content: strings.Repeat("x", 1000)})
		assert.Equal(t, `tele\x1b[2Jmetry`, s.filter, "nobody looks for that")
	})
}
