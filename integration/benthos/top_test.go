//go:build integration

package benthos

import (
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/evenkeel/evenkeel/integration/harness"
)

// watch starts an evenkeel top on a terminal of its own.
func (p *plant) watch(env ...string) *watched {
	p.t.Helper()
	t := p.t.(*testing.T)
	return watch(t, newTerminal(t, 24, 80), exec.Command(evenkeel(t), "top", "--dir", p.root), env...)
}

// left checks that the terminal is as it was.
func (w *watched) left() {
	w.T.Helper()
	assert.Equal(w.T, w.before, w.settings(w.T))
	harness.Eventually(w.T, "the table is gone", func() bool {
		return strings.TrimSpace(w.term.screen()) == ""
	})
}

// TestTop shows what runs, has it stopped and started, outlives the program that it
// asks, and leaves its terminal as it was.
func TestTop(t *testing.T) {
	t.Parallel()
	p := newPlant(t)
	p.write(`services:
  - {name: one, s6ServiceConfig: {command: [sleep, '1000000']}}
  - {name: two, dependsOn: [one], s6ServiceConfig: {command: [sleep, '1000000']}}
`)
	program := p.start()
	p.asked("wait", "one", "two", "--timeout", harness.Patience.String())
	before := p.pids("one", "two")

	top := p.watch()
	top.shows("2 running", "›● one ", " ● two ", fmt.Sprint(before["two"]))
	top.press("s")
	top.shows("Stop one?")
	top.press("n")
	top.press("\r")
	top.shows("it is asked to be running (declared)", "starting -> running")
	top.press("s")
	top.shows("Stop one?")
	top.press("y")
	top.shows("○ one ", "1 stopped", "stopped by hand: by ")
	p.asked("wait", "one", "--for", "stopped", "--timeout", harness.Patience.String())
	assert.Equal(t, []string{"one"}, changedPIDs(before, p.pidsNow("one", "two")), "what depends on it goes on")
	top.press("r")
	top.shows("Restart one?")
	top.press("y")
	top.shows("cannot restart one: ")
	top.press("S")
	top.shows("Start one?")
	top.press("y")
	top.shows("● one ", "2 running")

	p.killed(program, "one", "two")
	top.shows("What is shown is old: ", "● one ")
	program = p.start()
	harness.Eventually(t, "it has come back", func() bool {
		return !strings.Contains(top.term.screen(), "What is shown is old: ")
	})
	top.shows("2 running")
	top.press("q")
	assert.Zero(t, top.End(), top.term.printed.String())
	top.left()

	top = p.watch("NO_COLOR=1")
	top.shows("2 running")
	top.Signal(syscall.SIGTERM)
	assert.Zero(t, top.End())
	top.left()
	assert.NotRegexp(t, "\x1b\\[[0-9;]*3[0-9][;m]", top.term.printed.String(), "no colours")
	top = p.watch()
	top.shows("2 running")
	assert.Regexp(t, "\x1b\\[[0-9;]*3[0-9][;m]", top.term.printed.String(), "colours")
	top.press("\x03") // as Ctrl-C
	assert.Zero(t, top.End())
	top.left()
	top = p.watch("TERM=dumb")
	assert.Equal(t, 1, top.End())
	harness.Eventually(t, "it says why", func() bool {
		return strings.Contains(top.term.printed.String(), `cannot draw a table: the terminal (TERM="dumb") can move no cursor: "evenkeel status -w" prints`)
	})
	p.ends(program)
}
