//go:build integration

package benthos

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/evenkeel/evenkeel/integration/harness"
	"github.com/evenkeel/evenkeel/internal/screen"
)

// watched is an evenkeel top on a terminal.
type watched struct {
	*harness.Program
	term   *terminal
	before *unix.Termios
}

// watch starts an evenkeel top on a terminal of its own.
func (p *plant) watch(env ...string) *watched {
	p.t.Helper()
	w := &watched{term: newTerminal(p.t.(*testing.T), 24, 80)}
	w.before = w.settings(p.t)
	cmd := exec.Command(evenkeel(p.t), "top", "--dir", p.root)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = w.term.slave, w.term.slave, w.term.slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	cmd.Env = append(append(os.Environ(), "TERM=xterm-256color", "LC_ALL=C.UTF-8"), env...)
	w.Program = harness.Start(p.t, cmd)
	return w
}

// settings are those of the terminal, such as whether it echoes.
func (w *watched) settings(t testing.TB) *unix.Termios {
	t.Helper()
	settings, err := unix.IoctlGetTermios(int(w.term.slave.Fd()), unix.TCGETS)
	require.NoError(t, err)
	return settings
}

// shows waits until a text stands on the terminal.
func (w *watched) shows(texts ...string) {
	w.T.Helper()
	for _, text := range texts {
		harness.Eventually(w.T, "it shows "+text, func() bool {
			return strings.Contains(screen.Of(w.term.printed.String(), w.term.columns, w.term.rows), text)
		})
	}
}

// press types on the terminal.
func (w *watched) press(keys string) {
	w.T.Helper()
	_, err := w.term.master.WriteString(keys)
	require.NoError(w.T, err)
}

// left checks that the terminal is as it was.
func (w *watched) left() {
	w.T.Helper()
	assert.Equal(w.T, w.before, w.settings(w.T))
	harness.Eventually(w.T, "the table is gone", func() bool {
		return strings.TrimSpace(screen.Of(w.term.printed.String(), w.term.columns, w.term.rows)) == ""
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
		return !strings.Contains(screen.Of(top.term.printed.String(), 80, 24), "What is shown is old: ")
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
