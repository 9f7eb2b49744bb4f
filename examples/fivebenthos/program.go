package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/evenkeel/evenkeel/api"
	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/config"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/internal/serve"
	"github.com/evenkeel/evenkeel/internal/words"
	"github.com/evenkeel/evenkeel/runner"
)

// snapshot is what is known of an instance.
type snapshot = fsm.Snapshot[*benthos.Config, benthos.Observed]

// program is what keeps the instances, and what can be asked about them.
type program struct {
	settings
	*runner.Runner
	instances *fsm.Manager[*benthos.Config, benthos.Observed]

	keeper runner.Keeper // takes what is declared, and records it
	record serve.Recorder
	shown  *api.Server
	server *serve.Server
}

// start opens the tree, starting a private one if none is given, and asks for
// all instances to be active. The manager's Refused lists those that are
// refused; if all are, that is an error. If ctx ends meanwhile, stop ends what
// has been started. What harms nothing is told.
func start(ctx context.Context, s settings, listeners []fsm.Listener, tell func(problem error)) (*program, error) {
	feed, record := api.NewFeed(), serve.NewRecorder(s.dir, serve.JournalSize, tell)
	place := runner.Config{
		Dir: s.dir, ScanDir: s.scanDir, Engine: s.engine, Store: serve.StoreIn(s.dir), Listeners: append(listeners, feed.Hear),
	}
	record.Hear(&place)
	r, err := runner.Start(ctx, place)
	if err != nil {
		record.End()
		return nil, err
	}
	p := &program{
		settings: s, Runner: r, instances: r.Streams,
		keeper: record.Keeper(r), record: record, shown: serve.Shown(s.dir, r, feed),
	}
	p.server = serve.Begin(s.dir, serve.Address{}, p.shown, tell)
	err = p.ask(ctx, p.desired(benthos.Active))
	if refused := p.refused(); err == nil && len(refused) > 0 && len(p.instances.Snapshot()) == 0 {
		err = refused[0]
		if len(refused) > 1 {
			err = fmt.Errorf("%w (and %d more)", err, len(refused)-1)
		}
	}
	if err == nil || ctx.Err() != nil {
		return p, nil
	}
	defer p.close()
	return nil, errors.Join(err, p.LetGo()) // what ran before goes on running
}

// close has nobody ask any more, and what has happened on disk.
func (p *program) close() {
	p.server.End()
	p.record.End()
}

// refused says of each instance that is refused why, by their names.
func (p *program) refused() (all []error) {
	refused := p.instances.Refused()
	for _, name := range slices.Sorted(maps.Keys(refused)) {
		all = append(all, &fsm.RefusedError{Name: name, Err: refused[name]})
	}
	return all
}

// table says how the instances are, one a line.
func (p *program) table() string {
	var all []api.Summary
	for _, kind := range p.shown.Sources {
		all = append(all, kind.List()...)
	}
	return words.Table(all, time.Now())
}

// scan is the scan directory, given or private.
func (s settings) scan() string { return cmp.Or(s.scanDir, filepath.Join(s.dir, "scan")) }

func (s settings) beatFile() string { return filepath.Join(s.scan(), ".fivebenthos") }

// ask declares all instances.
func (p *program) ask(ctx context.Context, all map[config.Key]config.Entry) error {
	return p.keeper.Apply(ctx, runner.Wanted{Declaration: &config.Declaration{Entries: all}})
}

// desired is the declaration of all instances in one state.
func (s settings) desired(state fsm.State) map[config.Key]config.Entry {
	all := make(map[config.Key]config.Entry, s.instances)
	for n := range s.instances {
		all[key(name(n))] = config.Entry{State: state, Stream: s.stream(n), At: config.Position{File: "fivebenthos"}}
	}
	return all
}

// key is how an instance is declared.
func key(name string) config.Key { return config.Key{Kind: config.KindStream, Name: name} }

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
