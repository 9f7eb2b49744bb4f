package main

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/evenkeel/evenkeel/fsm"
)

func TestTroublesAreToldOnceWhenTheyLast(t *testing.T) {
	start := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	about := func(kind, name string, after time.Duration) fsm.Subject {
		return fsm.Subject{At: start.Add(after), Kind: kind, Instance: name}
	}
	failed := func(name string, after time.Duration, why string) fsm.Notice {
		return fsm.PassFailed{Subject: about("benthos", name, after), Err: errors.New(why)}
	}
	owned := func(name string, after time.Duration, n fsm.Notice) fsm.Notice {
		return fsm.Owned{Subject: about("benthos", name, after), Notice: n}
	}
	var ts troubles
	due := func(after time.Duration) (told []string) {
		ts.due(start.Add(after), func(name, why string) { told = append(told, name+": "+why) })
		return told
	}
	ts.hear(failed("b", 0, "fog"))
	ts.hear(failed("moment", 0, "fog"))
	ts.hear(owned("a", 500*time.Millisecond, fsm.PassFailed{Subject: about("s6", "a", 0), Err: errors.New("no room")}))
	ts.hear(fsm.Transition{Subject: about("benthos", "b", 600*time.Millisecond)})
	ts.hear(fsm.PassRecovered{Subject: about("benthos", "moment", 700*time.Millisecond)})
	assert.Empty(t, due(900*time.Millisecond))
	assert.Equal(t, []string{"b: fog"}, due(time.Second))
	assert.Equal(t, []string{"a: no room"}, due(2*time.Second), "a service speaks through its instance")
	assert.Empty(t, due(time.Hour))

	ts.hear(failed("a", time.Hour, "fog"))
	assert.Equal(t, []string{"a: fog"}, due(time.Hour), "another problem, while there is one")
	ts.hear(fsm.PassRecovered{Subject: about("benthos", "a", time.Hour)})
	assert.Equal(t, []string{"a: no room"}, due(time.Hour), "the other is there still")
	ts.hear(owned("a", time.Hour, fsm.PassRecovered{Subject: about("s6", "a", 0)}))
	ts.hear(fsm.Closed{Subject: about("benthos", "b", time.Hour)})
	assert.Empty(t, ts.all)
}

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
}
