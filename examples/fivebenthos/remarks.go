package main

import (
	"cmp"
	"strings"
	"time"
	"unicode"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/runner"
)

// remarks are what was said of instances that stay in their state: that metrics
// cannot be read, for one, moves no instance. One goroutine has them.
type remarks map[string]*remark

// remark is a reason for which an instance is as it is, and which came after the
// transition to its state.
type remark struct {
	state  fsm.State
	reason fsm.Reason
	since  time.Time
	told   bool
}

// due returns what is to be said of an instance, "" for nothing: its reason,
// once that has lasted, and that it is over. What differs in numbers alone, as
// ports and times do, is the same.
func (rs remarks) due(now time.Time, s *snapshot) string {
	said, known := rs[s.Name]
	reason := later(s)
	if known && said.state == s.State && said.same(reason) {
		if said.told || now.Sub(said.since) < troublePatience {
			return ""
		}
		said.told = true
		return reason.String()
	}
	delete(rs, s.Name)
	if reason != (fsm.Reason{}) {
		rs[s.Name] = &remark{state: s.State, reason: reason, since: now}
	} else if known && said.told && said.state == s.State {
		return "it is over: " + said.reason.String()
	}
	return ""
}

// later returns the reason of an instance that lasts in its state, nothing if
// that is the one for which it came there.
func later(s *snapshot) fsm.Reason {
	if s.Phase != fsm.PhaseRunning && s.Phase != fsm.PhaseDegraded || runner.StreamProblem(s) != nil {
		return fsm.Reason{}
	}
	if spec := s.Desired.Spec; spec != nil && spec.Metrics == benthos.MetricsNone && s.Reason.Evidence == s.Observed.Health.MetricsProblem {
		return fsm.Reason{} // it was asked for none
	}
	if n := len(s.History); n > 0 && (&remark{reason: s.History[n-1].Reason}).same(s.Reason) {
		return fsm.Reason{}
	}
	return s.Reason
}

// same reports whether a reason says the same, whatever its evidence is.
func (r *remark) same(other fsm.Reason) bool {
	says := func(r fsm.Reason) string {
		return strings.Map(func(c rune) rune {
			if unicode.IsDigit(c) {
				return -1
			}
			return c
		}, cmp.Or(r.Summary, r.Evidence))
	}
	return says(r.reason) == says(other)
}
