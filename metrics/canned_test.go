package metrics_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

// canned is a driver that observes what it is told to.
type canned[D, O any] struct {
	name    string
	observe func(name string) (O, error)
	do      func(name string) error
}

func (c canned[D, O]) Observe(context.Context, fsm.Desired[D]) (O, error) { return c.observe(c.name) }

func (c canned[D, O]) Do(context.Context, fsm.Action, fsm.Desired[D]) error { return c.do(c.name) }

// cannedKind is a kind whose instances are what is asked for as soon as its driver
// has done one action.
func cannedKind[D, O any](t testing.TB, name string, observe func(name string) (O, error), do func(name string) error) fsm.Kind[D, O] {
	t.Helper()
	table, err := fsm.NewRunTable(name)
	require.NoError(t, err)
	if do == nil {
		do = func(string) error { return nil }
	}
	return fsm.Kind[D, O]{
		Name: name, Table: table,
		Open: func(name string, _ func()) (fsm.Driver[D, O], error) { return canned[D, O]{name, observe, do}, nil },
		Decide: func(in fsm.Input[D, O]) (d fsm.Decision) {
			moves := map[fsm.State]fsm.Event{fsm.StateCreating: fsm.EventCreateDone, fsm.StateRemoving: fsm.EventRemoveDone}
			switch in.Desired.State {
			case fsm.StateRunning:
				moves[fsm.StateStopped], moves[fsm.StateStarting] = fsm.EventStart, fsm.EventStartDone
				if in.State == fsm.StateStarting {
					d.Do = []fsm.Action{"go"}
				}
			case fsm.StateStopped:
				moves[fsm.StateRunning], moves[fsm.StateStopping] = fsm.EventStop, fsm.EventStopDone
			case fsm.StateRemoved:
				moves[fsm.StateStopped], moves[fsm.StateRunning] = fsm.EventRemove, fsm.EventStop
				moves[fsm.StateStopping] = fsm.EventStopDone
			}
			d.Fire, d.Reason = moves[in.State], in.Asked()
			return d
		},
	}
}

// runs is what is seen of a service that runs.
func runs(string) (s6.Observed, error) {
	return s6.Observed{
		Exists: true, Linked: true, Supervised: true, LoggerSupervised: true,
		Status: supervise.Status{Stamp: epoch, PID: 7, WantUp: true, Ready: true},
	}, nil
}

// declared returns a declaration of so many instances.
func declared[D any](state fsm.State, spec D, n int) map[string]fsm.Desired[D] {
	all := make(map[string]fsm.Desired[D], n)
	for i := range n {
		all[fmt.Sprintf("instance-%04d", i)] = fsm.Desired[D]{State: state, Spec: spec}
	}
	return all
}

// flows is what is seen of a stream that runs.
func flows(name string) (benthos.Observed, error) {
	o, err := runs(name)
	return benthos.Observed{
		Service: &benthos.Service{Kind: s6.KindName, Name: name, State: s6.StateRunning, Phase: fsm.PhaseRunning, Observed: o, ObservedAt: epoch},
		Current: true, Health: benthos.Health{At: epoch, PID: 7, Alive: true, Ready: true},
		Traffic: benthos.Traffic{At: epoch, InputReceived: 7, OutputSent: 7, LastMessage: epoch},
	}, err
}
