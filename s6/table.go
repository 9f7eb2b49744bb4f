package s6

import "github.com/evenkeel/evenkeel/fsm"

// KindName is the name of the kind of plain services.
const KindName = "s6"

// The states of a service besides the lifecycle's.
const (
	StateStopped  = fsm.StateStopped
	StateStarting = fsm.StateStarting
	StateRunning  = fsm.StateRunning
	StateDegraded = fsm.StateDegraded
	StateStopping = fsm.StateStopping
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
	EventStop        = fsm.EventStop
	EventStopDone    = fsm.EventStopDone
)

// NewTable returns the table of a service, which is that of what runs.
func NewTable() (*fsm.Table, error) { return fsm.NewRunTable(KindName) }
