package main

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/fsm"
)

func TestReasonIsToldThatMovesNoInstance(t *testing.T) {
	start := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	ready, none := fsm.Because("it is ready"), fsm.Reason{}
	metrics := func(port string) fsm.Reason {
		return none.With("cannot get http://127.0.0.1:9080/metrics: read from port " + port + ": time-out")
	}
	at := func(state fsm.State, phase fsm.Phase, r fsm.Reason) *snapshot {
		return &snapshot{Name: "a", State: state, Phase: phase, Reason: r, History: []fsm.Transition{{To: state, Reason: ready}}}
	}
	rs := make(remarks)
	after := func(seconds int) time.Time { return start.Add(time.Duration(seconds) * time.Second) }
	assert.Empty(t, rs.due(after(0), at("idle", fsm.PhaseRunning, ready)), "its transition told it")
	assert.Empty(t, rs.due(after(1), at("idle", fsm.PhaseRunning, metrics("40001"))), "it may be over in a moment")
	assert.Equal(t, metrics("40002").String(), rs.due(after(2), at("idle", fsm.PhaseRunning, metrics("40002"))))
	for n := range 9 {
		assert.Empty(t, rs.due(after(3+n), at("idle", fsm.PhaseRunning, metrics("4000"+string(rune('0'+n))))), "told once")
	}
	assert.Equal(t, "it is over: "+metrics("40001").String(), rs.due(after(20), at("idle", fsm.PhaseRunning, none)))
	assert.Empty(t, rs.due(after(21), at("idle", fsm.PhaseRunning, none)))

	crashed := fsm.Because("it crashed 3 times")
	assert.Empty(t, rs.due(after(30), at("degraded", fsm.PhaseDegraded, crashed)))
	assert.Empty(t, rs.due(after(31), at("degraded", fsm.PhaseDegraded, fsm.Because("it is down"))))
	assert.Equal(t, "it is down: 1", rs.due(after(32), at("degraded", fsm.PhaseDegraded, fsm.Because("it is down").With("1"))))
	assert.Empty(t, rs.due(after(33), at("degraded", fsm.PhaseDegraded, fsm.Because("it is down").With("2"))), "told once, whatever the evidence is")
	assert.Empty(t, rs.due(after(34), at("idle", fsm.PhaseRunning, none)), "a transition told that")
	failing := at("idle", fsm.PhaseRunning, metrics("1"))
	failing.Err = errors.New("fog")
	assert.Empty(t, rs.due(after(40), failing))
	assert.Empty(t, rs.due(after(42), failing), "its problem is told")
	assert.Empty(t, rs.due(after(50), at("starting", fsm.PhaseStarting, metrics("1"))))
	assert.Empty(t, rs.due(after(52), at("starting", fsm.PhaseStarting, metrics("1"))), "it moves on by itself")

	without := at("idle", fsm.PhaseRunning, fsm.Because("its metrics cannot be read").With("there are none"))
	without.Desired.Spec = &benthos.Config{Metrics: benthos.MetricsNone}
	without.Observed.Health.MetricsProblem = "there are none"
	assert.Empty(t, rs.due(after(60), without))
	assert.Empty(t, rs.due(after(62), without), "it was asked for none")
}
