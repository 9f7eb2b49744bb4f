package s6

import (
	"slices"

	"github.com/evenkeel/evenkeel/fsm"
)

// KindName is the name of the kind of plain services.
const KindName = "s6"

// The states of a service besides the lifecycle's.
const (
	StateStopped  fsm.State = "stopped"
	StateStarting fsm.State = "starting"
	StateRunning  fsm.State = "running"
	StateDegraded fsm.State = "degraded"
	StateStopping fsm.State = "stopping"
)

// What can be asked of a service besides fsm.StateRemoved.
const (
	Running = StateRunning
	Stopped = StateStopped
)

// The events of a service besides the lifecycle's.
const (
	EventStart       fsm.Event = "start"
	EventStartDone   fsm.Event = "start_done"
	EventStartFailed fsm.Event = "start_failed"
	EventRestart     fsm.Event = "restart"
	EventDegraded    fsm.Event = "degraded"
	EventRecovered   fsm.Event = "recovered"
	EventStop        fsm.Event = "stop"
	EventStopDone    fsm.Event = "stop_done"
)

// NewTable returns the table of a service.
func NewTable() (*fsm.Table, error) {
	return fsm.NewTable(fsm.TableSpec{
		Name: KindName,
		States: []fsm.StateSpec{
			{Name: StateStopped, Phase: fsm.PhaseStopped},
			{Name: StateStarting, Phase: fsm.PhaseStarting},
			{Name: StateRunning, Phase: fsm.PhaseRunning},
			{Name: StateDegraded, Phase: fsm.PhaseDegraded},
			{Name: StateStopping, Phase: fsm.PhaseStopping},
		},
		Initial: StateStopped,
		Targets: []fsm.Target{
			{Name: Running, Phase: fsm.PhaseRunning},
			{Name: Stopped, Phase: fsm.PhaseStopped},
		},
		Rows: slices.Concat(
			fsm.Rows(EventStart, StateStarting, StateStopped),
			fsm.Rows(EventStartDone, StateRunning, StateStarting),
			fsm.Rows(EventStartFailed, StateDegraded, StateStarting),
			fsm.Rows(EventRestart, StateStarting, StateRunning),
			fsm.Rows(EventDegraded, StateDegraded, StateRunning),
			fsm.Rows(EventRecovered, StateRunning, StateDegraded),
			fsm.Rows(EventStop, StateStopping, StateStopped, StateStarting, StateRunning, StateDegraded),
			fsm.Rows(EventStopDone, StateStopped, StateStopping),
		),
	})
}
