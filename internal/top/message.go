package top

import (
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/evenkeel/evenkeel/api"
	"github.com/evenkeel/evenkeel/fsm"
)

// listed is the answer to how all instances are.
type listed struct {
	at   time.Time
	list api.List
	err  error
}

// happened is that something has happened to an instance, or that the program can be
// asked again.
type happened struct{}

// ticked is that another second has passed.
type ticked struct{ at time.Time }

// told is the answer to how one instance is, and why.
type told struct {
	of      key
	why     fsm.Why
	history []fsm.Transition
	err     error
}

// printed are lines of a log. next asks for more of it; nil says that it has ended.
type printed struct {
	turn  int // which following of a log that is
	lines []string
	next  tea.Cmd
}

// ending is that the program has begun to end.
type ending struct{}

// said is a line that the program says.
type said struct{ line string }

// answered is the answer to what was asked for by hand.
type answered struct {
	verb, name string
	err        error
}
