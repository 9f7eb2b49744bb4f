package order

import (
	"cmp"
	"time"

	"github.com/evenkeel/evenkeel/fsm"
)

// ID names an instance.
type ID struct{ Kind, Name string }

// Compare orders instances by their names, and those of one name by their kinds.
func (id ID) Compare(other ID) int {
	return cmp.Or(cmp.Compare(id.Name, other.Name), cmp.Compare(id.Kind, other.Kind))
}

// Is is what an instance has to be for another one to start.
type Is string

// What an instance can have to be. One that is done counts as each of them.
const (
	Ready   Is = "ready"   // running, as its kind means that, also with what was before a change
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

// View is what is seen of an instance, for what is asked of it now.
type View struct {
	// Ready, Up and Done: it is Ready, Running or Done.
	Ready, Up, Done bool
	// Started: it was started, and not stopped since.
	Started bool
	// Stopped: nothing of it runs, or it is not there.
	Stopped bool
	// Waits: it waits for others.
	Waits bool
	// Goes: it is being removed.
	Goes bool
	// Says is how it is, for a sentence that begins with "it is".
	Says string
}

// Look returns what is seen of an instance of a manager. process reports whether a
// process of it is there, and whether that does its work and is to go on.
func Look[D, O any](m *fsm.Manager[D, O], name string, process func(*O) (there, works bool)) View {
	s, current := m.Current(name)
	if s == nil {
		if why := m.Refused()[name]; why != nil {
			return View{Stopped: true, Says: "refused: " + why.Error()}
		}
		return View{Stopped: true, Says: "not there"}
	}
	there, works := process(&s.Observed)
	v := View{Up: current && works, Waits: s.Waits != (fsm.Reason{}), Says: string(s.State) + " since " + s.Since.Format(time.RFC3339)}
	switch {
	case s.Err != nil:
		v.Says += ": " + s.Err.Error()
	case s.Reason.Summary != "":
		v.Says += ": " + s.Reason.Summary
	}
	switch s.Phase {
	case fsm.PhaseStarting, fsm.PhaseRunning, fsm.PhaseDegraded, fsm.PhaseDone, fsm.PhaseFailed, fsm.PhaseStopping:
		v.Started = true
	}
	switch settled := current && s.Settled; s.Phase {
	case fsm.PhaseToBeCreated, fsm.PhaseCreating: // which may fail for ever
		v.Stopped = current && !there
	case fsm.PhaseStopped, fsm.PhaseRemoved, fsm.PhaseFailed:
		v.Stopped = settled
	case fsm.PhaseDone:
		v.Done, v.Stopped = settled, settled
	case fsm.PhaseStopping:
		v.Up = false
	case fsm.PhaseRemoving:
		v.Up, v.Goes = false, true
	case fsm.PhaseRunning:
		v.Ready = settled && works
	case fsm.PhaseDegraded:
		v.Ready = settled && works && s.Reason != (fsm.Reason{}) && s.Reason == s.Desired.Rejected // it runs as it did before
	}
	if v.Started && v.Waits {
		v.Ready, v.Up, v.Done = false, false, false // it is about to stop
	}
	return v
}

// is reports whether an instance is what another one needs it to be.
func (v View) is(what Is) bool {
	return v.Done || what == Ready && v.Ready || what == Running && v.Up
}
