package main

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/runner"
)

// wild is what an engine may answer or print: for a terminal it clears the
// screen, rings, writes backwards, and begins a line.
const wild = "\x1b[2J \a \u009b31m \x9b32m \u202e \x7f\r\n15:04:05.000 benthos-1 idle -> active"

// TestTextOfOthersReachesNoTerminalRaw: whatever is printed, from whatever is in
// reasons, errors, names and states.
func TestTextOfOthersReachesNoTerminalRaw(t *testing.T) {
	about := fsm.Subject{Instance: wild, Kind: "benthos"}
	moved := fsm.Transition{Subject: about, From: "idle", To: fsm.State(wild), Event: fsm.Event(wild), Reason: fsm.Because(wild).With(wild)}
	for name, c := range map[string]struct {
		settings settings
		print    func(*display)
		lines    int
	}{
		"a transition":           {settings{}, func(d *display) { d.transition(moved) }, 1},
		"a transition as JSON":   {settings{json: true}, func(d *display) { d.transition(moved) }, 1},
		"a problem":              {settings{}, func(d *display) { d.report(report{State: "idle", Problem: wild}) }, 1},
		"a problem as JSON":      {settings{json: true}, func(d *display) { d.report(report{State: wild, Problem: wild}) }, 1},
		"a reason":               {settings{}, func(d *display) { d.report(report{Instance: "a", Reason: wild}) }, 1},
		"a problem of its own":   {settings{}, func(d *display) { d.problem(errors.New(wild)) }, 2},
		"a failure, as it is":    {settings{}, func(d *display) { d.printf("   problem: %s\n", wild) }, 2},
		"a finding, as JSON too": {settings{json: true}, func(d *display) { d.json(finding{Name: wild, Seen: []string{wild}, Problem: wild}) }, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := new(strings.Builder)
				o := runner.NewOutlet(r, "fivebenthos", runner.OutletRoom)
				c.print(newDisplay(c.settings, os.Stdin, o, o))
				runner.Flush(runner.FlushTime, o)
				text := r.String()
				harmless(t, text)
				if name != "a transition" { // its instance has a name that was checked
					assert.Equal(t, c.lines, strings.Count(text, "\n"), "%q", text)
				}
				if c.settings.json {
					assert.True(t, json.Valid([]byte(text)), text)
				}
			})
		})
	}
}

func TestLogReachesNoTerminalRaw(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := new(strings.Builder)
		o := runner.NewOutlet(r, "fivebenthos", runner.OutletRoom)
		s := settings{verbosity: tellFailures}
		for _, l := range s.listeners(newDisplay(s, os.Stdin, o, o)) {
			l(fsm.PassFailed{Subject: fsm.Subject{Instance: wild}, Err: errors.New(wild)})
			l(fsm.Refused{Subject: fsm.Subject{Instance: wild}, Err: errors.New(wild)})
		}
		runner.Flush(runner.FlushTime, o)
		harmless(t, r.String())
		assert.Equal(t, 2, strings.Count(r.String(), "\n"), r.String())
	})
}

func harmless(t *testing.T, text string) {
	t.Helper()
	require.NotEmpty(t, text)
	hidden := func(r rune) bool { return !unicode.IsGraphic(r) && r != '\n' || r == unicode.ReplacementChar }
	assert.False(t, strings.ContainsFunc(text, hidden), "%q", text)
}
