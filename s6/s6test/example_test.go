package s6test_test

import (
	"context"
	"fmt"
	"syscall"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/s6test"
)

// A test of one's own program: its process is killed, and the test sees that
// it is noticed. In a testing/synctest bubble the second that s6 waits before
// it starts the next one takes no time.
func Example() {
	tree := s6test.New(s6test.Config{})
	defer tree.Close()
	tree.Install("/usr/local/bin/serve", s6test.Program{Prints: []string{"listening on 8080"}})

	services, err := s6.NewManager(tree, fsm.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go services.Run(ctx)
	err = services.Apply(ctx, map[string]fsm.Desired[*s6.Spec]{
		"web": {State: s6.Running, Spec: &s6.Spec{Command: []string{"/usr/local/bin/serve"}}},
	})
	if err != nil {
		fmt.Println(err)
	}
	if err := services.Wait(ctx, "web", fsm.PhaseRunning); err != nil {
		fmt.Println(err)
	}
	for _, p := range tree.Processes() {
		fmt.Println("runs:", p.Service)
	}
	if err := tree.Kill("web", syscall.SIGKILL); err != nil {
		fmt.Println(err)
	}
	if err := services.Wait(ctx, "web", fsm.PhaseDegraded); err != nil {
		fmt.Println(err)
	}
	web, _ := services.Instance("web")
	fmt.Println(web.State, "since", web.Observed.Last.Signal)
	fmt.Println("violations:", tree.Violations())
	// Unordered output:
	// runs: web
	// runs: web/log
	// degraded since killed
	// violations: []
}
