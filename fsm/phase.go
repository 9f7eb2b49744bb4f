package fsm

import (
	"fmt"
	"slices"
)

// Phase is what any instance can be said to be doing, whatever the states of
// its own kind are called. The zero Phase is no phase.
type Phase uint8

// The phases. Every state of every table belongs to exactly one.
const (
	PhaseToBeCreated Phase = iota + 1 // nothing has been made yet
	PhaseCreating                     // being made
	PhaseStopped                      // there, not running
	PhaseStarting                     // told to run, not yet shown to
	PhaseRunning                      // shown to run by the last observation
	PhaseDegraded                     // should run and does not, or not well
	PhaseDone                         // did what it was to do, and nothing of it runs any more
	PhaseFailed                       // given up: nothing of it runs until somebody asks for it again
	PhaseStopping                     // told to stop, not yet shown to have
	PhaseRemoving                     // being taken away
	PhaseRemoved                      // gone
)

var phaseNames = [...]string{
	PhaseToBeCreated: "to_be_created",
	PhaseCreating:    "creating",
	PhaseStopped:     "stopped",
	PhaseStarting:    "starting",
	PhaseRunning:     "running",
	PhaseDegraded:    "degraded",
	PhaseDone:        "done",
	PhaseFailed:      "failed",
	PhaseStopping:    "stopping",
	PhaseRemoving:    "removing",
	PhaseRemoved:     "removed",
}

// String returns the phase's name in snake case, "unknown" for no phase.
func (p Phase) String() string {
	if p == 0 || int(p) >= len(phaseNames) {
		return "unknown"
	}
	return phaseNames[p]
}

// exists reports whether an instance of that phase has been made, and is not
// being removed.
func (p Phase) exists() bool { return p > PhaseCreating && p < PhaseRemoving }

// Over reports whether an instance of that phase has come to its end: nothing of
// it runs, and nothing will by itself, though it may be asked to.
func (p Phase) Over() bool { return p == PhaseDone || p == PhaseFailed }

// MarshalText returns the phase's name.
func (p Phase) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText takes what MarshalText returns, and refuses every other text.
func (p *Phase) UnmarshalText(text []byte) error {
	if string(text) == Phase(0).String() {
		*p = 0
		return nil
	}
	n := slices.Index(phaseNames[1:], string(text))
	if n < 0 {
		return fmt.Errorf("cannot read phase: %q is none of %q", text, phaseNames[1:])
	}
	*p = Phase(n + 1)
	return nil
}
