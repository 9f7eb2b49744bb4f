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

// NewTable returns the table of a service. It has the rows of fsm.NewRunTable,
// and those of what a Spec says about a process that has ended by itself:
// back_off leads to backing_off, and retry from there to starting; finish leads
// to done and give_up to failed, and start from there to starting.
func NewTable() (*fsm.Table, error) {
	wanted := []fsm.State{StateStarting, StateRunning, StateDegraded}
	return fsm.NewTable(fsm.TableSpec{
		Name: KindName,
		States: []fsm.StateSpec{
			{Name: StateStopped, Phase: fsm.PhaseStopped},
			{Name: StateStarting, Phase: fsm.PhaseStarting},
			{Name: StateRunning, Phase: fsm.PhaseRunning},
			{Name: StateDegraded, Phase: fsm.PhaseDegraded},
			{Name: StateBackingOff, Phase: fsm.PhaseDegraded},
			{Name: StateDone, Phase: fsm.PhaseDone},
			{Name: StateFailed, Phase: fsm.PhaseFailed},
			{Name: StateStopping, Phase: fsm.PhaseStopping},
		},
		Initial: StateStopped,
		Targets: []fsm.Target{{Name: Running, Phase: fsm.PhaseRunning}, {Name: Stopped, Phase: fsm.PhaseStopped}},
		Rows: slices.Concat(
			fsm.Rows(EventStart, StateStarting, StateStopped, StateDone, StateFailed),
			fsm.Rows(EventStartDone, StateRunning, StateStarting),
			fsm.Rows(EventStartFailed, StateDegraded, StateStarting),
			fsm.Rows(EventRestart, StateStarting, StateRunning),
			fsm.Rows(EventDegraded, StateDegraded, StateRunning),
			fsm.Rows(EventRecovered, StateRunning, StateDegraded),
			fsm.Rows(EventBackOff, StateBackingOff, append(wanted, StateStopped)...),
			fsm.Rows(EventRetry, StateStarting, StateBackingOff),
			fsm.Rows(EventFinish, StateDone, append(wanted, StateStopped, StateBackingOff)...),
			fsm.Rows(EventGiveUp, StateFailed, append(wanted, StateStopped, StateBackingOff)...),
			fsm.Rows(EventStop, StateStopping, append(wanted, StateStopped, StateBackingOff, StateDone, StateFailed)...),
			fsm.Rows(EventStopDone, StateStopped, StateStopping),
		),
	})
}
