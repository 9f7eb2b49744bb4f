package metrics_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/metrics"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/s6test"
)

// A program that keeps services serves their metrics.
func Example() {
	tree := s6test.New(s6test.Config{}) // s6.StartPrivate in a program
	defer tree.Close()
	tree.Install("sleep", s6test.Program{})

	collector := metrics.New(metrics.Config{})
	services, err := s6.NewManager(tree, fsm.Config{
		Listeners: []fsm.Listener{collector.Listen}, OnPass: collector.OnPass,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	metrics.Add(collector, services)
	loop := &fsm.Loop{}
	collector.AddLoop(loop)
	mux := http.NewServeMux()
	mux.Handle("/metrics", collector.Handler())

	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go loop.Run(ctx, services)
	if err := services.Set(ctx, "web", fsm.Desired[*s6.Spec]{State: s6.Running, Spec: &s6.Spec{Command: []string{"sleep"}}}); err != nil {
		fmt.Println(err)
	}
	if err := services.Wait(ctx, "web", fsm.PhaseRunning); err != nil {
		fmt.Println(err)
	}
	page := httptest.NewRecorder()
	mux.ServeHTTP(page, httptest.NewRequestWithContext(ctx, http.MethodGet, "/metrics", nil))
	for line := range strings.Lines(page.Body.String()) {
		if strings.HasPrefix(line, "evenkeel_instance_phase{") && strings.HasSuffix(line, " 1\n") {
			fmt.Print(line)
		}
	}
	// Output:
	// evenkeel_instance_phase{kind="s6",name="web",phase="running"} 1
}
