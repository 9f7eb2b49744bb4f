// Minimal keeps one command running under a private s6 tree until it is
// interrupted: try "pkill -KILL -f 'sleep 1000'".
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"os/signal"
	"syscall"
	"time"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6"
)

func main() {
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

func run() error {
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer cancel()

	tree, _, err := s6.StartPrivate(ctx, s6.TreeConfig{
		ScanDir: "minimal/scan", ServicesDir: "minimal/services", LogsDir: "minimal/logs",
	})
	if err != nil {
		return err
	}
	defer tree.Close()
	services, err := s6.NewManager(tree, fsm.Config{Logger: slog.Default()})
	if err != nil {
		return err
	}
	go services.Run(ctx)

	err = services.Apply(ctx, map[string]fsm.Desired[*s6.Spec]{
		"sleeper": {State: s6.Running, Spec: &s6.Spec{Command: []string{"sleep", "1000"}}},
	})
	if err == nil {
		err = services.Wait(ctx, "sleeper", fsm.PhaseRunning)
	}
	if err == nil {
		sleeper, _ := services.Instance("sleeper")
		fmt.Println("sleeper runs as", sleeper.Observed.PID())
		<-ctx.Done()
	}
	end, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	return errors.Join(err, services.Close(end), tree.Shutdown(end))
}
