package s6

import (
	"slices"

	"github.com/evenkeel/evenkeel/fsm"
)

// KindName is the name of the kind of plain services.
const KindName = "s6"

// The states of a service besides the lifecycle's.
const (
	StateStopped    = fsm.StateStopped
	StateStarting   = fsm.StateStarting
	StateRunning    = fsm.StateRunning
	StateDegraded   = fsm.StateDegraded
	StateBackingOff = fsm.State("backing_off") // its process failed, and pauses before the next try
	StateDone       = fsm.State("done")        // its process ended well, and is not run again
	StateFailed     = fsm.State("failed")      // its process failed, and is not run again
	StateStopping   = fsm.StateStopping
)

// What can be asked of a service besides fsm.StateRemoved.
const (
	Running = StateRunning
	Stopped = StateStopped
)

// The events of a service besides the lifecycle's.
const (
	EventStart       = fsm.EventStart
	EventStartDone   = fsm.EventStartDone
	EventStartFailed = fsm.EventStartFailed
	EventRestart     = fsm.EventRestart
	EventDegraded    = fsm.EventDegraded
	EventRecovered   = fsm.EventRecovered
	EventBackOff     = fsm.Event("back_off")
	EventRetry       = fsm.Event("retry")
	EventFinish      = fsm.Event("finish")
	EventGiveUp      = fsm.Event("give_up")
	EventStop        = fsm.EventStop
	EventStopDone    = fsm.EventStopDone
)

// NewTable returns the table of a service. It has the rows of fsm.RunSpec, and
// those of what a Spec says about a process that has ended by itself: back_off
// leads to backing_off, and retry from there to starting; finish leads to done and
// give_up to failed, and start from there to starting.
func NewTable() (*fsm.Table, error) {
	spec := fsm.RunSpec(KindName)
	last := len(spec.States) - 1 // stopping, which diagrams show last
	spec.States = slices.Insert(spec.States, last,
		fsm.StateSpec{Name: StateBackingOff, Phase: fsm.PhaseDegraded},
		fsm.StateSpec{Name: StateDone, Phase: fsm.PhaseDone},
		fsm.StateSpec{Name: StateFailed, Phase: fsm.PhaseFailed})
	unended := []fsm.State{StateStarting, StateRunning, StateDegraded, StateStopped}
	spec.Rows = slices.Concat(spec.Rows,
		fsm.Rows(EventStart, StateStarting, StateDone, StateFailed),
		fsm.Rows(EventBackOff, StateBackingOff, unended...),
		fsm.Rows(EventRetry, StateStarting, StateBackingOff),
		fsm.Rows(EventFinish, StateDone, append(unended, StateBackingOff)...),
		fsm.Rows(EventGiveUp, StateFailed, append(unended, StateBackingOff)...),
		fsm.Rows(EventStop, StateStopping, StateBackingOff, StateDone, StateFailed))
	return fsm.NewTable(spec)
}
