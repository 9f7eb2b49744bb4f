package benthos

import (
	"slices"

	"github.com/evenkeel/evenkeel/fsm"
)

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
	StateDone             fsm.State = "done"   // its input has come to its end
	StateFailed           fsm.State = "failed" // given up
	StateStopping         fsm.State = "stopping"
)

// What can be asked of a Benthos instance besides fsm.StateRemoved. An instance
// that was asked to be active is idle while it has nothing to process.
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
	EventFinish             fsm.Event = "finish"
	EventGiveUp             fsm.Event = "give_up"
	EventStop               fsm.Event = "stop"
	EventStopDone           fsm.Event = "stop_done"
)

// NewTable returns the table of a Benthos instance.
func NewTable() (*fsm.Table, error) {
	starting := []fsm.State{StateStarting, StateConfigLoading, StateWaitingForHealth, StateWaitingToStay}
	wanted := append(slices.Clone(starting), StateIdle, StateActive, StateDegraded)
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
			{Name: StateDone, Phase: fsm.PhaseDone},
			{Name: StateFailed, Phase: fsm.PhaseFailed},
			{Name: StateStopping, Phase: fsm.PhaseStopping},
		},
		Initial: StateStopped,
		Targets: []fsm.Target{
			{Name: Active, Phase: fsm.PhaseRunning},
			{Name: Stopped, Phase: fsm.PhaseStopped},
		},
		Rows: slices.Concat(
			fsm.Rows(EventStart, StateStarting, StateStopped, StateDone, StateFailed),
			fsm.Rows(EventS6Started, StateConfigLoading, StateStarting),
			fsm.Rows(EventConfigLoaded, StateWaitingForHealth, StateConfigLoading),
			fsm.Rows(EventHealthchecksPassed, StateWaitingToStay, StateWaitingForHealth),
			fsm.Rows(EventStartDone, StateIdle, StateWaitingToStay),
			fsm.Rows(EventDataReceived, StateActive, StateIdle),
			fsm.Rows(EventNoDataTimeout, StateIdle, StateActive),
			fsm.Rows(EventStartFailed, StateDegraded, starting...),
			fsm.Rows(EventRestart, StateStarting, StateIdle, StateActive),
			fsm.Rows(EventDegraded, StateDegraded, StateIdle, StateActive),
			fsm.Rows(EventRecovered, StateIdle, StateDegraded),
			fsm.Rows(EventFinish, StateDone, wanted...),
			fsm.Rows(EventGiveUp, StateFailed, wanted...),
			fsm.Rows(EventStop, StateStopping, append(wanted, StateStopped, StateDone, StateFailed)...),
			fsm.Rows(EventStopDone, StateStopped, StateStopping),
		),
	})
}
