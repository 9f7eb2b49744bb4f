package s6_test

import (
	"context"
	"fmt"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/s6test"
)

// A manager keeps services in the state that was asked for. Here the tree is
// in memory; s6.StartPrivate and s6.Attach give real ones.
func ExampleNewManager() {
	tree := s6test.New(s6test.Config{})
	defer tree.Close()
	tree.Install("sleep", s6test.Program{})

	services, err := s6.NewManager(tree, fsm.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go services.Run(ctx)

	wanted := map[string]fsm.Desired[*s6.Spec]{
		"sleeper": {State: s6.Running, Spec: &s6.Spec{Command: []string{"sleep", "1000"}}},
	}
	if err := services.Apply(ctx, wanted); err != nil {
		fmt.Println(err)
	}
	if err := services.Wait(ctx, "sleeper", fsm.PhaseRunning); err != nil {
		fmt.Println(err)
	}
	sleeper, _ := services.Instance("sleeper")
	fmt.Println("sleeper is", sleeper.State)

	changed := map[string]fsm.Desired[*s6.Spec]{
		"sleeper": {State: s6.Running, Spec: &s6.Spec{Command: []string{"sleep", "2000"}}},
	}
	plan, err := services.Plan(ctx, changed)
	if err != nil {
		fmt.Println(err)
	}
	for _, change := range plan {
		fmt.Printf("%s: %s, %s\n", change.Name, change.Kind, change.Why)
	}

	if err := services.Apply(ctx, nil); err != nil {
		fmt.Println(err)
	}
	if err := services.Wait(ctx, "sleeper", fsm.PhaseRemoved); err != nil {
		fmt.Println(err)
	}
	fmt.Println(len(tree.Processes()), "processes are left")
	// Output:
	// sleeper is running
	// sleeper: restart, its process was started from something else
	// 0 processes are left
}

// A spec says all that is wrong with it.
func ExampleSpec_Validate() {
	spec := &s6.Spec{Command: []string{"serve"}, Dir: "work", StopSignal: "STOP"}
	fmt.Println(spec.Validate())
	// Output:
	// dir: "work" must be an absolute path
	// stopSignal: "STOP" must be one of [TERM INT HUP QUIT KILL USR1 USR2 ALRM ABRT]
}
