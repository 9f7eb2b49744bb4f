package api

import (
	"cmp"
	"encoding/json"
	"fmt"
	"time"

	"github.com/evenkeel/evenkeel/fsm"
)

// Summary is an instance in a list. Times are RFC 3339.
type Summary struct {
	Kind  string    `json:"kind" doc:"the kind of instance, such as s6 or benthos"`
	Name  string    `json:"name"`
	State fsm.State `json:"state,omitempty" doc:"its state, in the words of its kind; none where it was refused and does not exist"`
	Phase fsm.Phase `json:"phase" doc:"what it is doing, in the words of every kind"`
	Since time.Time `json:"since,omitzero" doc:"since when it is in this state"`
	// Desired is what is asked of it, Runs whether that is to run.
	Desired fsm.State `json:"desired,omitempty" doc:"the state that is asked of it"`
	Runs    bool      `json:"runs" doc:"it is asked to run"`
	// Settled: there is nothing left to do for that.
	Settled bool `json:"settled" doc:"nothing is left to do for what is asked"`
	// Layer names what has it wait, where it does, and Waits says for what.
	Layer string     `json:"layer,omitempty" doc:"the layer that holds it, such as order, or by hand"`
	Waits fsm.Reason `json:"waits,omitzero" doc:"what it waits for"`
	// Reason explains State.
	Reason fsm.Reason `json:"reason,omitzero" doc:"why it is in this state, with the evidence"`
	// Error, Failures, NextTry and Held are of the last pass, as in fsm.Snapshot.
	Error    string    `json:"error,omitempty" doc:"why the last pass over it failed"`
	Failures int       `json:"failures,omitempty" doc:"how many passes have failed in a row"`
	NextTry  time.Time `json:"nextTry,omitzero" doc:"when what failed is tried again"`
	Held     bool      `json:"held,omitempty" doc:"it is not tried again until something changes"`
	NextPass time.Time `json:"nextPass,omitzero" doc:"when it is looked at again"`
	// Refused says why its last declaration was refused.
	Refused string `json:"refused,omitempty" doc:"why its last declaration was refused"`
	Figures
}

// Figures are what a table shows of an instance beside its state. What a kind does
// not have is left out.
type Figures struct {
	PID      int       `json:"pid,omitempty" doc:"its process, where one runs"`
	Up       time.Time `json:"up,omitzero" doc:"since when that runs"`
	Restarts int       `json:"restarts,omitempty" doc:"how often its process has ended since its supervisor began"`
	Traffic  *Traffic  `json:"traffic,omitempty" doc:"what its process has done"`
}

// Traffic is what has gone through an instance. The counters begin with its process.
type Traffic struct {
	Received     uint64  `json:"received" doc:"messages that came in"`
	Sent         uint64  `json:"sent" doc:"messages that went out"`
	Failed       uint64  `json:"failed" doc:"writes that failed"`
	ReceivedRate float64 `json:"receivedRate" doc:"messages a second that came in lately"`
	SentRate     float64 `json:"sentRate" doc:"messages a second that went out lately"`
}

// Instance is all that is shown of an instance.
type Instance struct {
	Summary
	Generation uint64           `json:"generation" doc:"how often what is asked has changed"`
	ObservedAt time.Time        `json:"observedAt,omitzero" doc:"when it was last observed"`
	History    []fsm.Transition `json:"history,omitempty" doc:"its newest transitions, oldest first"`
	Spec       json.RawMessage  `json:"spec,omitempty" doc:"what is asked for, without secrets"`
	Observed   json.RawMessage  `json:"observed,omitempty" doc:"what was observed, without secrets"`
}

// Shown returns a snapshot as it is shown in a list, without what only a manager
// knows: Refused, and Runs.
func Shown[D, O any](s *fsm.Snapshot[D, O]) Summary {
	shown := Summary{
		Kind: s.Kind, Name: s.Name, State: s.State, Phase: s.Phase, Since: s.Since,
		Desired: cmp.Or(s.Asked, s.Desired.State), Settled: s.Settled,
		Layer: s.HeldBy, Waits: s.Waits, Reason: s.Reason,
		Failures: s.Failures, NextTry: s.NextTry, Held: s.Held, NextPass: s.NextPass,
	}
	if s.Err != nil {
		shown.Error = fsm.MaskText(s.Err.Error())
	}
	return shown
}

// Wrong says in one line what is wrong with an instance that is asked to run and
// does not, "" where nothing is. What is done, or waits, is not wrong.
func (s *Summary) Wrong() string {
	switch {
	case !s.Runs || s.Phase == fsm.PhaseRunning || s.Phase == fsm.PhaseDone || s.Layer != "" && s.Phase == fsm.PhaseStopped:
		return ""
	case s.State == "":
		return s.Name + " is refused: " + s.Refused
	}
	return s.Name + " is " + string(s.State) + ": " + cmp.Or(s.Error, s.Reason.String(), "it has only just begun")
}

// shownJSON returns a value as JSON of which nothing does something to a terminal.
func shownJSON(v any) ([]byte, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("cannot write as JSON: %w", err)
	}
	return fsm.EscapeJSON(text), nil
}
