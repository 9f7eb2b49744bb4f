package benthos

import "github.com/evenkeel/evenkeel/fsm"

// KindName is the name of the kind.
const KindName = "benthos"

// The states of a Benthos instance besides the lifecycle's.
const (
	StateStopped          fsm.State = "stopped"
	StateStarting         fsm.State = "starting"
	StateConfigLoading    fsm.State = "starting_config_loading"
	StateWaitingForHealth fsm.State = "starting_waiting_for_healthchecks"
	StateWaitingToStay    fsm.State = "starting_waiting_for_service_to_remain_running"
	StateIdle             fsm.State = "idle"
	StateActive           fsm.State = "active"
	StateDegraded         fsm.State = "degraded"
	StateStopping         fsm.State = "stopping"
)

// What can be asked of a Benthos instance besides fsm.StateRemoved. One that
// was asked to be active is idle while it has nothing to process.
const (
	Active  = StateActive
	Stopped = StateStopped
)

// The events of a Benthos instance besides the lifecycle's.
const (
	EventStart              fsm.Event = "start"
	EventS6Started          fsm.Event = "s6_started"
	EventConfigLoaded       fsm.Event = "config_loaded"
	EventHealthchecksPassed fsm.Event = "healthchecks_passed"
	EventStartDone          fsm.Event = "start_done"
	EventStartFailed        fsm.Event = "start_failed"
	EventDataReceived       fsm.Event = "data_received"
	EventNoDataTimeout      fsm.Event = "no_data_timeout"
	EventRestart            fsm.Event = "restart"
	EventDegraded           fsm.Event = "degraded"
	EventRecovered          fsm.Event = "recovered"
	EventStop               fsm.Event = "stop"
	EventStopDone           fsm.Event = "stop_done"
)

// NewTable returns the table of a Benthos instance.
func NewTable() (*fsm.Table, error) {
	rows := []fsm.Row{
		{Event: EventStart, From: StateStopped, To: StateStarting},
		{Event: EventS6Started, From: StateStarting, To: StateConfigLoading},
		{Event: EventConfigLoaded, From: StateConfigLoading, To: StateWaitingForHealth},
		{Event: EventHealthchecksPassed, From: StateWaitingForHealth, To: StateWaitingToStay},
		{Event: EventStartDone, From: StateWaitingToStay, To: StateIdle},
		{Event: EventDataReceived, From: StateIdle, To: StateActive},
		{Event: EventNoDataTimeout, From: StateActive, To: StateIdle},
	}
	starting := []fsm.State{StateStarting, StateConfigLoading, StateWaitingForHealth, StateWaitingToStay}
	for _, from := range starting {
		rows = append(rows, fsm.Row{Event: EventStartFailed, From: from, To: StateDegraded})
	}
	for _, from := range []fsm.State{StateIdle, StateActive} {
		rows = append(rows,
			fsm.Row{Event: EventRestart, From: from, To: StateStarting},
			fsm.Row{Event: EventDegraded, From: from, To: StateDegraded})
	}
	rows = append(rows, fsm.Row{Event: EventRecovered, From: StateDegraded, To: StateIdle})
	for _, from := range append(starting, StateStopped, StateIdle, StateActive, StateDegraded) {
		rows = append(rows, fsm.Row{Event: EventStop, From: from, To: StateStopping})
	}
	rows = append(rows, fsm.Row{Event: EventStopDone, From: StateStopping, To: StateStopped})
	return fsm.NewTable(fsm.TableSpec{
		Name: KindName,
		States: []fsm.StateSpec{
			{Name: StateStopped, Phase: fsm.PhaseStopped},
			{Name: StateStarting, Phase: fsm.PhaseStarting},
			{Name: StateConfigLoading, Phase: fsm.PhaseStarting},
			{Name: StateWaitingForHealth, Phase: fsm.PhaseStarting},
			{Name: StateWaitingToStay, Phase: fsm.PhaseStarting},
			{Name: StateIdle, Phase: fsm.PhaseRunning},
			{Name: StateActive, Phase: fsm.PhaseRunning},
			{Name: StateDegraded, Phase: fsm.PhaseDegraded},
			{Name: StateStopping, Phase: fsm.PhaseStopping},
		},
		Initial: StateStopped,
		Targets: []fsm.Target{
			{Name: Active, Phase: fsm.PhaseRunning},
			{Name: Stopped, Phase: fsm.PhaseStopped},
		},
		Rows: rows,
	})
}
