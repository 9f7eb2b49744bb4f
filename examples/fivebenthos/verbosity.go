package main

import (
	"io"
	"log/slog"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/fsm"
)

// How much is told while instances are kept, as s6-overlay counts it.
const (
	tellProblems    = 0 // what goes wrong
	tellResults     = 1 // and what is well again
	tellTransitions = 2 // and each step on the way
	tellFailures    = 3 // and what fails and is tried again at once
)

// heard returns whether a transition is told of.
func (s settings) heard(t fsm.Transition) bool {
	least := tellTransitions
	switch t.Event {
	case benthos.EventDegraded, benthos.EventStartFailed, benthos.EventRestart:
		least = tellProblems
	case benthos.EventRecovered, benthos.EventStartDone, benthos.EventStopDone:
		least = tellResults
	}
	return s.verbosity >= least
}

// listeners are those of what happens to the instances: the display, and a log
// on stderr of what fails. The transitions that are logged too are below its
// level: the display tells of them.
func (s settings) listeners(show *display, stderr io.Writer) []fsm.Listener {
	all := []fsm.Listener{func(n fsm.Notice) {
		if t, ok := n.(fsm.Transition); ok && s.heard(t) {
			show.transition(t)
		}
	}}
	if s.verbosity >= tellFailures {
		handler := slog.NewTextHandler(show.log(stderr), &slog.HandlerOptions{Level: slog.LevelWarn})
		all = append(all, fsm.LogTo(slog.New(handler)))
	}
	return all
}
