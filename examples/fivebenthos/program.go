package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strconv"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/runner"
)

// snapshot is what is known of an instance.
type snapshot = fsm.Snapshot[*benthos.Config, benthos.Observed]

// program is what keeps the instances.
type program struct {
	settings
	*runner.Runner
	instances *fsm.Manager[*benthos.Config, benthos.Observed]
}

// start opens the tree, starting a private one if none is given, and asks for
// all instances to be active. The manager's Refused lists those that are
// refused; if all are, that is an error. If ctx ends meanwhile, stop ends what
// has been started.
func start(ctx context.Context, s settings, listeners []fsm.Listener) (*program, error) {
	r, err := runner.Start(ctx, runner.Config{Dir: s.dir, ScanDir: s.scanDir, Engine: s.engine, Listeners: listeners})
	if err != nil {
		return nil, err
	}
	p := &program{settings: s, Runner: r, instances: r.Streams}
	err = p.ask(ctx, benthos.Active)
	refused := new(fsm.RefusedError)
	switch {
	case err == nil, ctx.Err() != nil:
		return p, nil
	case !errors.As(err, &refused):
	case len(p.instances.Snapshot()) > 0:
		return p, nil
	case len(p.instances.Refused()) > 1:
		err = fmt.Errorf("%w (and %d more)", refused, len(p.instances.Refused())-1)
	}
	return nil, errors.Join(err, p.LetGo()) // what ran before goes on running
}

// scan is the scan directory, given or private.
func (s settings) scan() string { return cmp.Or(s.scanDir, filepath.Join(s.dir, "scan")) }

func (s settings) beatFile() string { return filepath.Join(s.scan(), ".fivebenthos") }

// ask declares the same state for all instances.
func (p *program) ask(ctx context.Context, state fsm.State) error {
	return p.instances.Apply(ctx, p.desired(state))
}

// desired is the declaration of all instances in one state.
func (s settings) desired(state fsm.State) map[string]fsm.Desired[*benthos.Config] {
	all := make(map[string]fsm.Desired[*benthos.Config], s.instances)
	for n := range s.instances {
		all[name(n)] = fsm.Desired[*benthos.Config]{State: state, Spec: s.stream(n)}
	}
	return all
}

func name(n int) string { return "benthos-" + strconv.Itoa(n) }

func (s settings) httpAddr(n int) string {
	return net.JoinHostPort(s.listen, strconv.Itoa(s.httpPort+n))
}

// url is where messages for an instance are posted from this machine.
func (s settings) url(n int) string { return "http://" + reachable(s.listen, s.httpPort+n) + "/" }

// reachable is the address under which what listens on host is reached.
func reachable(host string, port int) string {
	switch host {
	case "0.0.0.0":
		host = "127.0.0.1"
	case "::":
		host = "::1"
	}
	return net.JoinHostPort(host, strconv.Itoa(port))
}

// stream is the configuration of an instance: it prints what is posted to it, a
// message a line. A request with a header "Delay: 2s" is held for that long.
func (s settings) stream(n int) *benthos.Config {
	return &benthos.Config{
		Host:        s.listen,
		MetricsPort: uint16(s.metricsPort + n),
		Metrics:     s.metrics,

		ShutdownTimeout: runner.EngineTime,
		Input: map[string]any{"http_server": map[string]any{
			"address": s.httpAddr(n), "path": "/", "allowed_verbs": []any{"POST"},
		}},
		Pipeline: map[string]any{"processors": []any{
			map[string]any{"sleep": map[string]any{"duration": `${! meta("Delay").or("0s") }`}},
		}},
		Output: map[string]any{"stdout": map[string]any{"codec": "lines"}},
	}
}

// stop ends everything in order: the instances finish what they have accepted,
// their loggers write what they have been given, and a private tree ends last.
func (p *program) stop() error {
	return errors.Join(p.halt(), p.End())
}

// halt stops all instances, and waits for them.
func (p *program) halt() error {
	ctx, cancel := context.WithTimeout(context.Background(), p.stopTimeout)
	defer cancel()
	return p.Halt(ctx)
}
