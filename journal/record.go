package journal

import (
	"encoding/json"
	"time"

	"github.com/evenkeel/evenkeel/fsm"
)

// Record is one entry of a journal. Exactly one of its pointers is set.
type Record struct {
	// File and Line say where it stands; Line counts from 1. They are zero for one
	// that has not been read.
	File string `json:"-"`
	Line int    `json:"-"`

	At         time.Time   `json:"at"`
	Begun      *Begun      `json:"begun,omitempty"`
	Pass       *Pass       `json:"pass,omitempty"`
	Transition *Transition `json:"transition,omitempty"`
	Note       *Note       `json:"note,omitempty"`
	Gap        *Gap        `json:"gap,omitempty"`
}

// Begun says that a program has begun to write: it comes before its first record.
type Begun struct {
	PID int `json:"pid"`
}

// Pass is a pass over an instance. Texts in it are masked.
type Pass struct {
	Kind     string `json:"kind"`
	Instance string `json:"instance"`
	// State is that in which the pass found the instance.
	State fsm.State `json:"state"`
	// Input is the fsm.Input of the kind that was decided on, as JSON; nil where
	// nothing was decided. Times in it are as far from its Now as they were by the
	// clock that nobody sets.
	Input json.RawMessage `json:"input,omitempty"`
	// Decision, and what became of it, are as in fsm.Reconciled.
	Decision fsm.Decision  `json:"decision,omitzero"`
	PutOff   bool          `json:"putOff,omitempty"`
	Did      int           `json:"did,omitempty"`
	Fired    bool          `json:"fired,omitempty"`
	Err      string        `json:"error,omitempty"` // why the pass failed
	Took     time.Duration `json:"took"`
}

// Transition is one of an instance. Owned says that another instance owns it.
type Transition struct {
	fsm.Transition
	Owned bool `json:"owned,omitempty"`
}

// Note is something that happened to an instance and moved no state.
type Note struct {
	fsm.Subject
	What  What   `json:"what"`
	Text  string `json:"text,omitempty"`
	Owned bool   `json:"owned,omitempty"` // another instance owns it
}

// What a Note is about.
type What string

// What notes are about: the notices of package fsm, what was declared, and a pass
// that has no JSON.
const (
	Refused    What = "refused"
	Taken      What = "taken" // it is not refused any more
	Warned     What = "warned"
	Failed     What = "failed"
	Recovered  What = "recovered"
	Overran    What = "overran"
	Closed     What = "closed"
	Declared   What = "declared"
	Unrecorded What = "unrecorded"
)

// Gap says that records are missing: as many, at most, and why.
type Gap struct {
	Missing int    `json:"missing"`
	Why     string `json:"why"`
}
