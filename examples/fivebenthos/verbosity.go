package main

import (
	"log/slog"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/fsm"
)

// How much is printed while instances are kept, counted as s6-overlay does.
const (
	tellProblems    = 0 // what goes wrong
	tellResults     = 1 // and recoveries and results
	tellTransitions = 2 // and every transition
	tellFailures    = 3 // and every attempt that failed
)

// heard reports whether a transition is printed.
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

// listeners returns those of what happens to the instances: the display, and a
// log on stderr of what fails. Transitions are logged below the level of that
// log, for the display prints them.
func (s settings) listeners(show *display) []fsm.Listener {
	all := []fsm.Listener{show.told.hear, func(n fsm.Notice) {
		if t, ok := n.(fsm.Transition); ok && s.heard(t) {
			show.transition(t)
		}
	}}
	if s.verbosity >= tellFailures {
		handler := slog.NewTextHandler(show.log(), &slog.HandlerOptions{Level: slog.LevelWarn})
		all = append(all, fsm.LogTo(slog.New(handler)))
	}
	return all
}
