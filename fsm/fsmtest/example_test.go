package fsmtest_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/fsm/fsmtest"
)

// door is the simulated world of a door.
type door struct{ open, jammed bool }

func (d *door) Observe(context.Context, fsm.Desired[string]) (open bool, err error) {
	return d.open, nil
}

func (d *door) Do(_ context.Context, action fsm.Action, _ fsm.Desired[string]) error {
	if !d.jammed {
		d.open = action == "push"
	}
	return nil
}

func (d *door) Advance(time.Duration) {}

func decideDoor(in fsm.Input[string, bool]) fsm.Decision {
	open := in.Desired.State == "open"
	switch {
	case in.State == fsm.StateCreating && in.Desired.State != fsm.StateRemoved:
		return fsm.Decision{Fire: fsm.EventCreateDone, Reason: fsm.Because("it is made")}
	case in.State == fsm.StateRemoving:
		return fsm.Decision{Fire: fsm.EventRemoveDone, Reason: fsm.Because("it is gone")}
	case open && in.State == "shut":
		// This takes the push for the open door: wrong where it is jammed.
		return fsm.Decision{Do: []fsm.Action{"push"}, Fire: "opened", Reason: fsm.Because("it was pushed")}
	case open && !in.Observed:
		return fsm.Decision{Fire: "shut", Reason: fsm.Because("it is not open")}
	case !open && in.State == "open":
		return fsm.Decision{Do: []fsm.Action{"pull"}, Fire: "shut", Reason: fsm.Because("it is to be shut")}
	case in.Desired.State == fsm.StateRemoved:
		return fsm.Decision{Fire: fsm.EventRemove, Reason: fsm.Because("it is not wanted")}
	}
	return fsm.Decision{}
}

// console is the t of a test that prints how its first failure begins; a real test has its
// own.
type console struct {
	testing.TB
	failures int
}

func (*console) Helper() {}

func (c *console) Errorf(format string, args ...any) {
	if c.failures++; c.failures == 1 {
		lines := strings.Split(fmt.Sprintf(format, args...), "\n")
		fmt.Println(strings.Join(lines[:min(7, len(lines))], "\n"))
	}
}

// A check finds that a door's Decide believes its own action.
func ExampleCheck() {
	table, err := fsm.NewTable(fsm.TableSpec{
		Name:    "door",
		States:  []fsm.StateSpec{{Name: "shut", Phase: fsm.PhaseStopped}, {Name: "open", Phase: fsm.PhaseRunning}},
		Initial: "shut",
		Targets: []fsm.Target{{Name: "open", Phase: fsm.PhaseRunning}, {Name: "shut", Phase: fsm.PhaseStopped}},
		Rows:    []fsm.Row{{Event: "opened", From: "shut", To: "open"}, {Event: "shut", From: "open", To: "shut"}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	t := new(console) // in a test, its *testing.T
	fsmtest.Check[string, bool]{
		Kind:  fsm.Kind[string, bool]{Name: "door", Table: table, Decide: decideDoor},
		Specs: []string{"oak"},
		Scenes: []fsmtest.Scene[string, bool]{
			{Name: "well oiled", New: func(time.Time) fsmtest.World[string, bool] { return &door{} }},
			{
				Name: "jammed", New: func(time.Time) fsmtest.World[string, bool] { return &door{jammed: true} },
				Ends: map[fsm.State][]fsm.Phase{"open": {fsm.PhaseStopped}},
			},
		},
	}.Run(t)
	// Output:
	// jammed: from to_be_created, asked for open oak: it goes round in circles without letting time pass
	// # asked for open
	//     0.000s  to_be_created -> creating (create): asked to be open
	//     0.000s  creating -> shut (create_done): it is made
	//     0.000s  shut -> open (opened) do [push]: it was pushed
	//     0.000s  open -> shut (shut): it is not open
	//     0.000s  shut -> open (opened) do [push]: it was pushed
}
