package s6

import "github.com/evenkeel/evenkeel/fsm"

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
		Rows: []fsm.Row{
			{Event: EventStart, From: StateStopped, To: StateStarting},
			{Event: EventStartDone, From: StateStarting, To: StateRunning},
			{Event: EventStartFailed, From: StateStarting, To: StateDegraded},
			{Event: EventRestart, From: StateRunning, To: StateStarting},
			{Event: EventDegraded, From: StateRunning, To: StateDegraded},
			{Event: EventRecovered, From: StateDegraded, To: StateRunning},
			{Event: EventStop, From: StateStopped, To: StateStopping},
			{Event: EventStop, From: StateStarting, To: StateStopping},
			{Event: EventStop, From: StateRunning, To: StateStopping},
			{Event: EventStop, From: StateDegraded, To: StateStopping},
			{Event: EventStopDone, From: StateStopping, To: StateStopped},
		},
	})
}
