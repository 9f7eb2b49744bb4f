package fsm

import (
	"slices"
	"time"
)

// Transition is one move of an instance's state machine.
type Transition struct {
	Subject
	From    State  `json:"from"`
	To      State  `json:"to"`
	Event   Event  `json:"event"`
	ToPhase Phase  `json:"phase"`
	Reason  Reason `json:"reason"`
}

// Snapshot is what was known of an instance when its last pass ended. It is
// never changed afterwards; nothing in it may be modified.
type Snapshot[D, O any] struct {
	Kind string `json:"kind"`
	Name string `json:"name"`

	State State     `json:"state"`
	Phase Phase     `json:"phase"`
	Since time.Time `json:"since,omitzero"` // when State was entered

	// Desired is what the pass worked towards, and Generation how many times
	// it had been changed by then; zero means that nothing has been asked yet.
	Desired    Desired[D] `json:"desired,omitzero"`
	Generation uint64     `json:"generation"`

	// Waits says what the instance waits for, where it has to wait with what is
	// asked of it. Desired is what it is asked meanwhile.
	Waits Reason `json:"waits,omitzero"`
	// HeldBy is the layer that has it wait, Hold.By, and Asked the state that is asked
	// of it all the same; empty where it does not wait.
	HeldBy string `json:"heldBy,omitempty"`
	Asked  State  `json:"asked,omitempty"`

	// Observed is the last successful observation, made at ObservedAt; zero
	// before the first.
	Observed   O         `json:"observed,omitzero"`
	ObservedAt time.Time `json:"observedAt,omitzero"`

	// Reason explains State. Settled says that the pass found nothing to do
	// for this Generation.
	Reason  Reason `json:"reason,omitzero"`
	Settled bool   `json:"settled"`

	// Err is why the last pass failed, Failures how many have in a row, and
	// NextTry when what failed is tried again. Held means that it will not be,
	// until something changes; NextTry is zero then.
	Err      error     `json:"error,omitempty"`
	Failures int       `json:"failures,omitempty"`
	NextTry  time.Time `json:"nextTry,omitzero"`
	Held     bool      `json:"held,omitempty"`

	// NextPass is when the instance was to be looked at again, unless woken.
	NextPass time.Time `json:"nextPass,omitzero"`

	// History is the newest transitions, oldest first.
	History []Transition `json:"history,omitempty"`

	failing time.Time // since when Err, for as many Failures

	owned error // why something is held that the driver owns, where the pass had nothing to do

	pass uint64 // the number of the last pass that was not given up
	seen uint64 // the number of the pass that made the observation
}

// holds returns the error for which the instance, or what its driver owns, is not
// tried again until something changes; nil if it is.
func (s *Snapshot[D, O]) holds() error {
	if s.Held {
		return s.Err
	}
	return s.owned
}

// pushed returns a history with t added and no more than limit entries. The
// old one stays as it is, for snapshots share it.
func pushed(history []Transition, t Transition, limit int) []Transition {
	if over := len(history) + 1 - limit; over > 0 {
		history = history[over:]
	}
	return append(slices.Clip(history), t)
}
