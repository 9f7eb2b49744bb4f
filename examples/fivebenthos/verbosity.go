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

// hear has show told only what is to be.
func (s settings) hear(show func(fsm.Transition)) func(fsm.Transition) {
	return func(t fsm.Transition) {
		if s.heard(t) {
			show(t)
		}
	}
}

// logger returns where the failures of a manager go, nil for nowhere. The
// transitions that it logs too are below the level: the display tells of them.
func (s settings) logger(to io.Writer) *slog.Logger {
	if s.verbosity < tellFailures {
		return nil
	}
	return slog.New(slog.NewTextHandler(to, &slog.HandlerOptions{Level: slog.LevelWarn}))
}
