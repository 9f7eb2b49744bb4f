// Bridge runs a Benthos stream while something listens on port 5020:
// try "nc -lk 5020". The engine is bin/benthos, which "make engine" builds.
package main

import (
	"context"
	"errors"
	"log"
	"log/slog"
	"net"
	"os/signal"
	"syscall"
	"time"

	"github.com/evenkeel/evenkeel/benthos"
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
	tree, _, err := s6.StartPrivate(ctx, s6.TreeConfig{ScanDir: "bridge/scan", ServicesDir: "bridge/services", LogsDir: "bridge/logs"})
	if err != nil {
		return err
	}
	defer tree.Close()
	kind, err := NewKind(tree, benthos.Options{Engine: "bin/benthos"}, dial)
	if err != nil {
		return err
	}
	bridges, err := fsm.NewManager(kind, fsm.Config{Logger: slog.Default()})
	if err != nil {
		return err
	}
	err = bridges.Apply(ctx, map[string]fsm.Desired[*Bridge]{"press": {State: fsm.StateRunning, Spec: &Bridge{
		Address: "127.0.0.1:5020",
		Stream: benthos.Config{
			MetricsPort: 9080, Output: map[string]any{"stdout": map[string]any{}},
			Input: map[string]any{"generate": map[string]any{"mapping": `root = "hello"`, "interval": "1s"}},
		},
	}}})
	err = errors.Join(err, bridges.Run(ctx))
	end, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	return errors.Join(err, bridges.Close(end), tree.Shutdown(end))
}

func dial(address string) error {
	conn, err := net.DialTimeout("tcp", address, time.Second)
	if err != nil {
		return err
	}
	return conn.Close()
}
