package api

import (
	"time"

	"github.com/evenkeel/evenkeel/fsm"
)

// EventType says what has happened.
type EventType string

// What can happen to an instance, and Missed: that a watcher has not been told of
// everything.
const (
	Moved     EventType = "transition" // it is in another state
	Failing   EventType = "failing"    // passes over it fail, or with another error
	Recovered EventType = "recovered"  // passes over it succeed again
	Refused   EventType = "refused"    // its declaration was refused
	Taken     EventType = "taken"      // it is not refused any more
	Warned    EventType = "warned"     // its declaration was taken with a warning
	Overran   EventType = "overran"    // a pass over it does not end
	Closed    EventType = "closed"     // it is gone
	Missed    EventType = "missed"     // events before this one are not there any more
)

// Event is something that has happened to an instance.
type Event struct {
	// ID grows from one event to the next, over restarts of the program as well as
	// long as no clock is set back. It is no larger than what a JSON number can hold.
	ID   int64     `json:"id" doc:"grows from one event to the next"`
	At   time.Time `json:"at"`
	Type EventType `json:"type" enum:"transition,failing,recovered,refused,taken,warned,overran,closed,missed"`
	Kind string    `json:"kind,omitempty"`
	Name string    `json:"name,omitempty"`
	// Of a transition.
	From   fsm.State  `json:"from,omitempty"`
	To     fsm.State  `json:"to,omitempty"`
	Phase  *fsm.Phase `json:"phase,omitempty" doc:"the phase of the state that it is in now"`
	Event  fsm.Event  `json:"event,omitempty" doc:"what led to the transition"`
	Reason fsm.Reason `json:"reason,omitzero"`
	// Error is what failed, was refused or was warned of.
	Error    string    `json:"error,omitempty" doc:"what failed, was refused or was warned of"`
	Failures int       `json:"failures,omitempty" doc:"how many passes have failed in a row"`
	Since    time.Time `json:"since,omitzero" doc:"when the first of those was"`
	NextTry  time.Time `json:"nextTry,omitzero"`
	Held     bool      `json:"held,omitempty"`
}

// eventOf returns a notice as it is shown, and whether it is.
func eventOf(n fsm.Notice) (e Event, shown bool) {
	about := n.About()
	e = Event{At: about.At, Kind: about.Kind, Name: about.Instance}
	var err error
	switch n := n.(type) {
	case fsm.Transition:
		e.Type, e.From, e.To, e.Event, e.Phase = Moved, n.From, n.To, n.Event, &n.ToPhase
		e.Reason = fsm.Because(fsm.MaskText(n.Reason.Summary)).With(fsm.MaskText(n.Reason.Evidence))
	case fsm.PassFailed:
		e.Type, e.Failures, e.Since, e.NextTry, e.Held, err = Failing, n.Failures, n.Since, n.NextTry, n.Held, n.Err
	case fsm.PassRecovered:
		e.Type, e.Failures, e.Since, err = Recovered, n.Failures, n.Since, n.Err
	case fsm.Refused:
		e.Type, err = Refused, n.Err
	case fsm.RefusalEnded:
		e.Type, err = Taken, n.Err
	case fsm.Warned:
		e.Type, err = Warned, n.Err
	case fsm.Overran:
		e.Type = Overran
	case fsm.Closed:
		e.Type, err = Closed, n.Err
	default:
		return e, false
	}
	if err != nil {
		e.Error = fsm.MaskText(err.Error())
	}
	return e, true
}
