package order

import (
	"time"

	"github.com/evenkeel/evenkeel/fsm"
)

// ID names an instance.
type ID struct{ Kind, Name string }

// Is is what an instance has to be for another one to start.
type Is string

// What an instance can have to be. One that is done counts as each of them.
const (
	Ready   Is = "ready"   // running, as its kind means that
	Running Is = "running" // its process runs, whether it is ready or not
	Done    Is = "done"    // it has come to its end well
)

// Need says that an instance needs another.
type Need struct {
	ID
	Is Is // Ready if it is empty
}

// Member is what is declared of an instance.
type Member struct {
	// Needs are what it starts after, and stops before.
	Needs []Need
	// Runs: it is asked to run.
	Runs bool
	// StopTime is how long its stop may take.
	StopTime time.Duration
}

// View is what is seen of an instance. The zero View is of one that is not there.
type View struct {
	// There: its manager has it.
	There bool
	// Settled: it is where it was asked to be, as far as that goes, by what is asked
	// of it now.
	Settled bool
	Phase   fsm.Phase
	// Up: its process runs.
	Up bool
	// Says is how it is, for a sentence that begins with "it is".
	Says string
}

// Look returns what is seen of an instance of a manager. up reports whether a
// process runs.
func Look[D, O any](m *fsm.Manager[D, O], name string, up func(O) bool) View {
	s, settled := m.Settled(name)
	if s == nil {
		if why := m.Refused()[name]; why != nil {
			return View{Says: "refused: " + why.Error()}
		}
		return View{Says: "not there"}
	}
	says := string(s.State) + " since " + s.Since.Format(time.RFC3339)
	switch {
	case s.Err != nil:
		says += ": " + s.Err.Error()
	case s.Reason.Summary != "":
		says += ": " + s.Reason.Summary
	}
	return View{There: true, Settled: settled, Phase: s.Phase, Up: up(s.Observed), Says: says}
}

// is reports whether an instance is what another one needs it to be.
func (v View) is(what Is) bool {
	switch {
	case v.Phase == fsm.PhaseDone:
		return v.There && v.Settled
	case what == Ready:
		return v.There && v.Settled && v.Phase == fsm.PhaseRunning
	case what == Running:
		return v.There && v.Up
	}
	return false
}

// stopped reports whether an instance that is to stop has.
func (v View) stopped() bool {
	switch v.Phase {
	case fsm.PhaseStopped, fsm.PhaseRemoved, fsm.PhaseDone, fsm.PhaseFailed:
		return v.Settled
	}
	return !v.There
}
