package top

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	tea "charm.land/bubbletea/v2"
	"golang.org/x/sys/unix"

	"github.com/evenkeel/evenkeel/runner"
)

// Terminal is what a table is drawn on.
type Terminal struct {
	In  io.Reader // what is typed; nil for a table that is only looked at
	Out io.Writer
	// Env has the variables that say what the terminal can do, as os.Environ: TERM,
	// COLORTERM, NO_COLOR.
	Env []string
	// Width and Height are those of an Out that is no terminal, in cells.
	Width, Height int
}

// Undrawable says why no table can be drawn there, "" where one can.
func (t Terminal) Undrawable() string {
	switch term := t.variable("TERM"); {
	case !runner.IsTerminal(t.Out):
		return "the output is not a terminal"
	case term == "" || term == "dumb":
		return fmt.Sprintf("the terminal (TERM=%q) can move no cursor", term)
	case t.controls() && t.foreground() != unix.Getpgrp():
		return "the terminal is another program's: this one runs in the background"
	}
	return ""
}

// Untyped says why nothing can be typed there, "" where that can be.
func (t Terminal) Untyped() string {
	if typed, is := t.In.(io.Writer); !is || !runner.IsTerminal(typed) {
		return "the input is not a terminal"
	}
	return ""
}

// Small reports whether there is no room for a table of a few instances.
func (t Terminal) Small() bool {
	const width, height = 40, 8
	w, h := t.size()
	return w > 0 && h > 0 && (w < width || h < height)
}

// ASCII reports whether the terminal is the console of Linux, whose fonts have few
// characters, or a locale is set whose characters are not those of Unicode. Where none
// is set, as in most containers, the terminal is expected to show them.
func (t Terminal) ASCII() bool {
	if t.variable("TERM") == "linux" {
		return true
	}
	locale := strings.ToLower(cmp.Or(t.variable("LC_ALL"), t.variable("LC_CTYPE"), t.variable("LANG")))
	return locale != "" && !strings.Contains(locale, "utf-8") && !strings.Contains(locale, "utf8")
}

// variable returns a variable of the environment, of several the last.
func (t Terminal) variable(name string) (value string) {
	for _, v := range t.Env {
		if of, found := strings.CutPrefix(v, name+"="); found {
			value = of
		}
	}
	return value
}

// Foreign reports whether the terminal controls other programs alone, as that of a
// container: whether anything typed there arrives is not known.
func (t Terminal) Foreign() bool { return !t.controls() }

// controls reports whether the terminal controls this process.
func (t Terminal) controls() bool { return t.foreground() > 0 }

// foreground returns the group of processes that the terminal has in its foreground:
// who sets it up from the background is stopped. 0 where it controls others.
func (t Terminal) foreground() int {
	file, is := t.Out.(*os.File)
	if !is {
		return 0
	}
	group, err := unix.IoctlGetInt(int(file.Fd()), unix.TIOCGPGRP)
	if err != nil {
		return 0
	}
	return group
}

// size returns how many cells the terminal has, 0 where nobody knows.
func (t Terminal) size() (width, height int) {
	file, is := t.Out.(*os.File)
	if !is {
		return 0, 0
	}
	size, err := unix.IoctlGetWinsize(int(file.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return 0, 0
	}
	return int(size.Col), int(size.Row)
}

// follow sends each size that the terminal comes to have, until ctx ends. A terminal
// that does not control the process, as that of a container, sends no signal.
func (t Terminal) follow(ctx context.Context, send func(tea.Msg)) {
	width, height := t.size()
	for ctx.Err() == nil {
		wait(ctx, every)
		if w, h := t.size(); w > 0 && h > 0 && (w != width || h != height) {
			width, height = w, h
			send(tea.WindowSizeMsg{Width: w, Height: h})
		}
	}
}

// remember returns what puts the settings of the terminal back that it has now.
func (t Terminal) remember() (restore func()) {
	file, is := t.In.(*os.File)
	if !is {
		return func() {}
	}
	settings, err := unix.IoctlGetTermios(int(file.Fd()), unix.TCGETS)
	if err != nil {
		return func() {}
	}
	return func() { _ = unix.IoctlSetTermios(int(file.Fd()), unix.TCSETS, settings) }
}
