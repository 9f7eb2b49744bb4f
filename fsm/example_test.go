package fsm_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/evenkeel/evenkeel/fsm"
)

// gate is a driver: a gate that can be raised, lowered, and forced open.
type gate struct {
	open atomic.Bool
}

func (g *gate) Observe(context.Context, fsm.Desired[string]) (open bool, err error) {
	return g.open.Load(), nil
}

func (g *gate) Do(_ context.Context, action fsm.Action, _ fsm.Desired[string]) error {
	g.open.Store(action == "raise")
	return nil
}

func gateTable() (*fsm.Table, error) {
	return fsm.NewTable(fsm.TableSpec{
		Name:    "gate",
		States:  []fsm.StateSpec{{Name: "closed", Phase: fsm.PhaseStopped}, {Name: "open", Phase: fsm.PhaseRunning}},
		Initial: "closed",
		Targets: []fsm.Target{{Name: "closed", Phase: fsm.PhaseStopped}, {Name: "open", Phase: fsm.PhaseRunning}},
		Rows:    []fsm.Row{{Event: "opened", From: "closed", To: "open"}, {Event: "shut", From: "open", To: "closed"}},
	})
}

// decideGate is pure: what to do follows from the state, what is desired and
// what was observed.
func decideGate(in fsm.Input[string, bool]) fsm.Decision {
	up := in.Desired.State == "open"
	switch {
	case in.State == fsm.StateCreating:
		return fsm.Decision{Fire: fsm.EventCreateDone, Reason: fsm.Because("there is nothing to make")}
	case up && !in.Observed:
		return fsm.Decision{Do: []fsm.Action{"raise"}, Reason: fsm.Because("it is down")}
	case up && in.State == "closed":
		return fsm.Decision{Fire: "opened", Reason: fsm.Because("it is up")}
	case !up && in.Observed:
		return fsm.Decision{Do: []fsm.Action{"lower"}, Reason: fsm.Because("it is up")}
	case !up && in.State == "open":
		return fsm.Decision{Fire: "shut", Reason: fsm.Because("it is down")}
	}
	return fsm.Decision{}
}

func Example() {
	table, err := gateTable()
	if err != nil {
		fmt.Println(err)
		return
	}
	kind := fsm.Kind[string, bool]{
		Name: "gate", Table: table, Decide: decideGate,
		Open: func(string, func()) (fsm.Driver[string, bool], error) { return &gate{}, nil },
	}
	m, err := fsm.NewManager(kind, fsm.Config{OnTransition: func(t fsm.Transition) {
		fmt.Printf("%s: %s -> %s (%s): %s\n", t.Instance, t.From, t.To, t.Event, t.Reason)
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, stop := context.WithTimeout(context.Background(), 10*time.Second)
	go m.Run(ctx)

	if err := m.Apply(ctx, map[string]fsm.Desired[string]{"north": {State: "open"}}); err != nil {
		fmt.Println(err)
	}
	if err := m.Wait(ctx, "north", fsm.PhaseRunning); err != nil {
		fmt.Println(err)
	}
	s, _ := m.Instance("north")
	fmt.Println("open:", s.Observed)

	stop()
	if err := m.Close(context.Background()); err != nil {
		fmt.Println(err)
	}
	// Output:
	// north: to_be_created -> creating (create): asked to be open
	// north: creating -> closed (create_done): there is nothing to make
	// north: closed -> open (opened): it is up
	// open: true
}

func ExampleTable_Mermaid() {
	table, err := gateTable()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(table.Mermaid())
	// Output:
	// stateDiagram-v2
	//     [*] --> to_be_created
	//     to_be_created --> creating: create
	//     removed --> creating: create
	//     creating --> closed: create_done
	//     to_be_created --> removing: remove
	//     creating --> removing: remove
	//     closed --> removing: remove
	//     removing --> removed: remove_done
	//     closed --> open: opened
	//     open --> closed: shut
	//     removed --> [*]
}
