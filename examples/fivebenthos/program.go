package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/internal/proc"
	"github.com/evenkeel/evenkeel/s6"
)

// treeTime bounds the start of a private tree, against hanging.
const treeTime = time.Minute

// snapshot is what is known of an instance.
type snapshot = fsm.Snapshot[*benthos.Config, benthos.Observed]

// program is what keeps the instances: a tree, a manager and its loop.
type program struct {
	settings
	tree      *s6.SystemTree
	instances *fsm.Manager[*benthos.Config, benthos.Observed]
}

// start opens the tree, starting a private one if none is given, and asks for
// all instances to be active. The manager's Refused lists those that are
// refused; if all are, that is an error. If ctx ends meanwhile, stop ends what
// has been started.
func start(ctx context.Context, s settings, listeners []fsm.Listener) (*program, error) {
	tree, started, err := openTree(ctx, s)
	if err != nil {
		return nil, err
	}
	manager, err := benthos.NewManager(tree, benthos.Options{Engine: s.engine}, fsm.Config{Listeners: listeners})
	if err != nil {
		return nil, errors.Join(err, tree.Close())
	}
	go manager.Run(context.WithoutCancel(ctx))
	p := &program{settings: s, tree: tree, instances: manager}
	err = p.ask(ctx, benthos.Active)
	refused := new(fsm.RefusedError)
	switch {
	case err == nil, ctx.Err() != nil:
		return p, nil
	case !errors.As(err, &refused):
	case len(manager.Snapshot()) > 0:
		return p, nil
	case len(manager.Refused()) > 1:
		err = fmt.Errorf("%w (and %d more)", refused, len(manager.Refused())-1)
	}
	return nil, errors.Join(err, p.letGo(started)) // what ran before goes on running
}

// openTree reports whether it started the tree.
func openTree(ctx context.Context, s settings) (tree *s6.SystemTree, started bool, err error) {
	config := s6.TreeConfig{
		ScanDir:     s.scanDir,
		ServicesDir: filepath.Join(s.dir, "services"),
		LogsDir:     filepath.Join(s.dir, "logs"),
	}
	if s.scanDir != "" {
		tree, err = s6.Attach(config)
		return tree, false, err
	}
	config.ScanDir = s.scan()
	// A signal ends what has been started in order, not half-way.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), treeTime)
	defer cancel()
	return s6.StartPrivate(ctx, config)
}

// scan is the scan directory, given or private.
func (s settings) scan() string { return cmp.Or(s.scanDir, filepath.Join(s.dir, "scan")) }

func (s settings) beatFile() string { return filepath.Join(s.scan(), beatName) }

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

		ShutdownTimeout: engineTime,
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
	return errors.Join(p.halt(), p.end())
}

// halt asks every instance to stop, whatever its spec is, and waits for all.
func (p *program) halt() error {
	ctx, cancel := context.WithTimeout(context.Background(), p.stopTimeout)
	defer cancel()
	desired := p.desired(benthos.Stopped)
	for _, s := range p.instances.Snapshot() {
		if s.Desired.Spec != nil {
			desired[s.Name] = fsm.Desired[*benthos.Config]{State: benthos.Stopped, Spec: s.Desired.Spec}
		}
	}
	for name := range desired {
		if _, held := p.instances.Instance(name); !held {
			delete(desired, name)
		}
	}
	errs := []error{p.instances.Apply(ctx, desired)}
	stopped := make(chan error)
	waits := 0
	for name := range desired {
		if p.instances.Refused()[name] == nil {
			waits++
			go func() { stopped <- p.waitStopped(ctx, name) }()
		}
	}
	for range waits {
		errs = append(errs, <-stopped)
	}
	return errors.Join(errs...)
}

// waitStopped waits until an instance has stopped, or is seen never to have
// been created: what keeps it from being created does not keep the program from
// ending.
func (p *program) waitStopped(ctx context.Context, name string) error {
	ctx, enough := context.WithCancel(ctx)
	defer enough()
	stopped := make(chan error, 1)
	go func() { stopped <- p.instances.Wait(ctx, name, fsm.PhaseStopped) }()
	for {
		select {
		case err := <-stopped:
			return err
		case <-time.After(100 * time.Millisecond):
		}
		s, held := p.instances.Instance(name)
		if held && s.Phase <= fsm.PhaseCreating && problem(s) != nil && !p.runs(name) {
			enough()
			<-stopped
			return nil
		}
	}
}

// runs reports whether a process of an instance runs, apart from its
// supervisors.
func (p *program) runs(name string) bool {
	found, err := processes(p.tree.Layout().Service(name))
	if errors.Is(err, fs.ErrNotExist) {
		return false
	}
	return err != nil || slices.ContainsFunc(found, func(p proc.Process) bool { return !supervises(p) })
}

// end ends the loop and a private tree, once the instances have ended.
func (p *program) end() error { return p.letGo(p.scanDir == "") }

// letGo lets go of the instances as they are, and of the tree, which it ends
// first if asked to.
func (p *program) letGo(endTree bool) error {
	ctx, cancel := context.WithTimeout(context.Background(), endTime)
	defer cancel()
	errs := []error{p.instances.Close(ctx)}
	if endTree {
		errs = append(errs, p.tree.Shutdown(ctx))
	}
	return errors.Join(append(errs, p.tree.Close())...)
}
