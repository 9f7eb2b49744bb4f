package benthos

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

// TestExplain: what is said of a stream is what its engine says, and what is to say
// of its service.
func TestExplain(t *testing.T) {
	now := time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)
	explain := explains(func(s *Service) []fsm.Link {
		return []fsm.Link{{Part: fsm.PartSeen, Text: "its service is " + string(s.State)}, {Part: fsm.PartHelp, Text: "see to its service"}}
	})
	for name, tt := range map[string]struct {
		state fsm.State
		phase fsm.Phase
		but   func(*Observed)
		seen  []string
		help  string
	}{
		"it works": {StateActive, fsm.PhaseRunning, func(*Observed) {}, []string{
			"its engine answers and is ready",
			"10 messages have come in (2.5/s), 8 have gone out (2.0/s), 1 writes have failed, 0 of them lately",
			"its service is running",
		}, "see to its service"},
		"its output fails": {StateDegraded, fsm.PhaseDegraded, func(o *Observed) {
			o.LogProblem, o.LogTime, o.Traffic.RecentErrors = "cannot send: connection refused", now, 1
		}, []string{
			"cannot send: connection refused", "its engine answers and is ready",
			"10 messages have come in (2.5/s), 8 have gone out (2.0/s), 1 writes have failed, 1 of them lately",
			"its service is running",
		}, "mend what its output writes to: it is well again by itself once writes succeed"},
		"it is not ready": {StateDegraded, fsm.PhaseDegraded, func(o *Observed) {
			o.Health.Ready, o.Health.Problem, o.Traffic, o.Health.MetricsProblem = false, "/ready says 503: not connected", Traffic{}, "404"
		}, []string{
			"its engine answers and is not ready: /ready says 503: not connected", "its metrics cannot be read: 404", "its service is running",
		}, "mend what its input or its output connects to: it is well again by itself once its engine is ready"},
		"it hangs": {StateDegraded, fsm.PhaseDegraded, func(o *Observed) {
			o.Health = Health{At: now, PID: 7, Problem: "no answer within a second"}
			o.Traffic = Traffic{}
		}, []string{"its engine does not answer: no answer within a second", "its service is running"}, "see to its service"},
		"it was just replaced": {StateStarting, fsm.PhaseStarting, func(o *Observed) { o.Health.PID, o.Traffic = 6, Traffic{} },
			[]string{"its engine has not been asked yet how it is", "its service is running"}, "see to its service"},
		"its port is taken": {StateDegraded, fsm.PhaseDegraded, func(o *Observed) {
			o.PortTaken, o.Service.Observed, o.Service.State = "port 4195 is that of process 99", s6.Observed{}, s6.StateStopped
		}, []string{"port 4195 is that of process 99", "its service is stopped"}, "end what listens there, or give the stream another port"},
		"its input has come to its end": {StateDone, fsm.PhaseDone, func(o *Observed) { o.Service.Observed, o.Service.State = s6.Observed{}, s6.StateDone },
			[]string{"its service is done"}, "its input has come to its end: it runs again only if it is restarted or its declaration changes"},
		"nothing is known of its service": {fsm.StateCreating, fsm.PhaseCreating, func(o *Observed) { *o = Observed{} }, nil, ""},
	} {
		s := &fsm.Snapshot[*Config, Observed]{
			State: tt.state, Phase: tt.phase, Desired: fsm.Desired[*Config]{State: Active},
			Observed: Observed{
				Service: &Service{State: s6.StateRunning, Observed: s6.Observed{Supervised: true, Status: supervise.Status{PID: 7, WantUp: true}}},
				Asked:   s6.Running, Current: true,
				Health:  Health{At: now, PID: 7, Alive: true, Ready: true},
				Traffic: Traffic{At: now, InputReceived: 10, InputRate: 2.5, OutputSent: 8, OutputRate: 2, OutputErrors: 1},
			},
		}
		tt.but(&s.Observed)
		var seen []string
		help := ""
		for _, l := range explain(s) {
			if l.Part == fsm.PartHelp {
				assert.Empty(t, help, name)
				help = l.Text
			} else {
				seen = append(seen, l.Text)
			}
		}
		assert.Equal(t, tt.seen, seen, name)
		assert.Equal(t, tt.help, help, name)
	}
}
