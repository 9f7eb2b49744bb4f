package fsm

import "slices"

// The states that a table of RunSpec has besides the lifecycle's.
// StateRunning and StateStopped can be asked for.
const (
	StateStopped  State = "stopped"
	StateStarting State = "starting" // told to run, not yet shown to
	StateRunning  State = "running"
	StateDegraded State = "degraded" // to run, and does not, or not well
	StateStopping State = "stopping" // told to stop, not yet shown to have
)

// The events that a table of RunSpec has besides the lifecycle's.
const (
	EventStart       Event = "start"
	EventStartDone   Event = "start_done"
	EventStartFailed Event = "start_failed"
	EventRestart     Event = "restart"
	EventDegraded    Event = "degraded"
	EventRecovered   Event = "recovered"
	EventStop        Event = "stop"
	EventStopDone    Event = "stop_done"
)

// NewRunTable returns the table of a kind whose instances start, run and stop,
// and have no further states: that of RunSpec.
func NewRunTable(name string) (*Table, error) { return NewTable(RunSpec(name)) }

// RunSpec returns what the table of a kind whose instances start, run and stop is
// made from, for kinds that add states and rows to it. start leads from stopped to
// starting; start_done from there to running, start_failed to degraded; restart
// from running to starting, degraded from running to degraded, recovered from
// there to running; stop from every other state to stopping, and stop_done from
// there to stopped. What it returns is the caller's to change.
func RunSpec(name string) TableSpec {
	return TableSpec{
		Name: name,
		States: []StateSpec{
			{StateStopped, PhaseStopped},
			{StateStarting, PhaseStarting},
			{StateRunning, PhaseRunning},
			{StateDegraded, PhaseDegraded},
			{StateStopping, PhaseStopping},
		},
		Initial: StateStopped,
		Targets: []Target{{StateRunning, PhaseRunning}, {StateStopped, PhaseStopped}},
		Rows: slices.Concat(
			Rows(EventStart, StateStarting, StateStopped),
			Rows(EventStartDone, StateRunning, StateStarting),
			Rows(EventStartFailed, StateDegraded, StateStarting),
			Rows(EventRestart, StateStarting, StateRunning),
			Rows(EventDegraded, StateDegraded, StateRunning),
			Rows(EventRecovered, StateRunning, StateDegraded),
			Rows(EventStop, StateStopping, StateStopped, StateStarting, StateRunning, StateDegraded),
			Rows(EventStopDone, StateStopped, StateStopping),
		),
	}
}
