//go:build integration

package benthos

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6"
)

type (
	desired  = map[string]fsm.Desired[*benthos.Config]
	snapshot = *fsm.Snapshot[*benthos.Config, benthos.Observed]
	streams  = map[string]*benthos.Config
)

// world is a private tree in a directory of its own, with a manager of Benthos
// instances over it. All of it is gone when the test ends, however it ends.
type world struct {
	t       testing.TB
	root    string
	options benthos.Options

	tree      *s6.SystemTree
	instances *fsm.Manager[*benthos.Config, benthos.Observed]

	mu    sync.Mutex // guards moves
	moves []fsm.Transition
}

// newWorld makes a world with its tree and manager running. Intervals are short
// where a test would have to wait for them.
func newWorld(t testing.TB, engine string, change ...func(*benthos.Options)) *world {
	t.Helper()
	w := &world{t: t, root: newRoot(t)}
	// Only what is not there is to count as not answering, not a busy machine.
	client := benthos.NewClient(benthos.ClientConfig{Timeout: 5 * time.Second})
	t.Cleanup(client.Close)
	w.options = benthos.Options{
		Engine: engine, Prober: benthos.NewProber(client),
		HealthInterval: 100 * time.Millisecond, ActivityWindow: time.Second, ErrorWindow: 2 * time.Second,
	}
	for _, c := range change {
		c(&w.options)
	}
	t.Cleanup(w.end)
	w.open()
	w.manage()
	return w
}

func (w *world) context() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), patience)
}

func (w *world) open() {
	w.t.Helper()
	ctx, cancel := w.context()
	defer cancel()
	tree, _, err := s6.StartPrivate(ctx, s6.TreeConfig{
		ScanDir:     filepath.Join(w.root, "scan"),
		ServicesDir: filepath.Join(w.root, "services"),
		LogsDir:     filepath.Join(w.root, "logs"),
	})
	require.NoError(w.t, err)
	w.tree = tree
}

func (w *world) manage() {
	w.t.Helper()
	config := fsm.Config{OnTransition: func(move fsm.Transition) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.moves = append(w.moves, move)
	}}
	if test, ok := w.t.(*testing.T); ok {
		config.Logger = slog.New(slog.NewTextHandler(test.Output(), nil))
	}
	instances, err := benthos.NewManager(w.tree, w.options, config)
	require.NoError(w.t, err)
	go instances.Run(context.Background())
	w.instances = instances
}

// unmanage lets go of the instances as they are.
func (w *world) unmanage() {
	if w.instances == nil {
		return
	}
	ctx, cancel := w.context()
	defer cancel()
	assert.NoError(w.t, w.instances.Close(ctx))
	w.instances = nil
}

// end takes everything down.
func (w *world) end() {
	w.unmanage()
	if w.tree == nil {
		return
	}
	ctx, cancel := w.context()
	defer cancel()
	err := w.tree.Shutdown(ctx)
	assert.NoError(w.t, errors.Join(err, w.tree.Close()))
	w.tree = nil
}

// apply declares what is to be.
func (w *world) apply(d desired) error {
	ctx, cancel := w.context()
	defer cancel()
	return w.instances.Apply(ctx, d)
}

// plan says what apply would do, by name.
func (w *world) plan(d desired) map[string]fsm.Change {
	w.t.Helper()
	ctx, cancel := w.context()
	defer cancel()
	changes, err := w.instances.Plan(ctx, d)
	require.NoError(w.t, err)
	all := make(map[string]fsm.Change)
	for _, c := range changes {
		all[c.Name] = c
	}
	return all
}

// await waits until the named instances are in a phase.
func (w *world) await(phase fsm.Phase, names ...string) {
	w.t.Helper()
	ctx, cancel := w.context()
	defer cancel()
	for _, name := range names {
		require.NoError(w.t, w.instances.Wait(ctx, name, phase))
	}
}

// run declares that these streams are to be active, and nothing else, and waits
// for them.
func (w *world) run(all streams) {
	w.t.Helper()
	require.NoError(w.t, w.apply(active(all)))
	for name := range all {
		w.await(fsm.PhaseRunning, name)
	}
}

func active(all streams) desired { return inState(benthos.Active, all) }

func inState(state fsm.State, all streams) desired {
	d := make(desired)
	for name, c := range all {
		d[name] = fsm.Desired[*benthos.Config]{State: state, Spec: c}
	}
	return d
}

func (w *world) snapshot(name string) snapshot {
	w.t.Helper()
	s, ok := w.instances.Instance(name)
	require.True(w.t, ok, name)
	return s
}

// says waits until an instance is in a state, for a reason that holds the texts.
func (w *world) says(name string, state fsm.State, texts ...string) {
	w.t.Helper()
	end := time.Now().Add(patience)
	for {
		s := w.snapshot(name)
		said := s.Reason.String()
		if s.State == state && !slices.ContainsFunc(texts, func(text string) bool { return !contains(said, text) }) {
			return
		}
		if time.Now().After(end) {
			require.FailNow(w.t, "it did not come about in "+patience.String(), "%s is %s: %s (%v), not %s: %s", name, s.State, s.Reason, s.Err, state, texts)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// comesTo waits until an instance has entered a state so many times. It may have
// left it since.
func (w *world) comesTo(name string, state fsm.State, times int) {
	w.t.Helper()
	eventually(w.t, patience, fmt.Sprintf("%s has come %d times to %s", name, times, state), func() bool {
		other := func(s fsm.State) bool { return s != state }
		return len(slices.DeleteFunc(w.passed(name), other)) >= times
	})
}

// pid returns the one engine process of an instance, from the process table.
func (w *world) pid(name string) int {
	w.t.Helper()
	pids := w.pids(name)
	require.Len(w.t, pids, 1, name)
	return pids[0]
}

func (w *world) pids(name string) []int { return engines(w.tree.Layout().Service(name)) }

// pidsOf returns the processes of some streams.
func (w *world) pidsOf(all streams) map[string]int {
	w.t.Helper()
	pids := make(map[string]int)
	for name := range all {
		pids[name] = w.pid(name)
	}
	return pids
}

func (w *world) logged(name, text string) int {
	w.t.Helper()
	return logged(w.t, w.tree.Layout().Log(name), text)
}

// passed returns the states that an instance was seen to enter.
func (w *world) passed(name string) (states []fsm.State) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, move := range w.moves {
		if move.Instance == name {
			states = append(states, move.To)
		}
	}
	return states
}

// forget forgets the states passed so far.
func (w *world) forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.moves = nil
}

// fiveStreams returns streams named s0 to s4 that print what is posted to them.
func fiveStreams(t testing.TB) streams {
	t.Helper()
	all := make(streams)
	for n := range five {
		all[fmt.Sprintf("s%d", n)] = printer(t)
	}
	return all
}

// printer returns a stream that prints what is posted to it, after the time
// that the header Delay gives.
func printer(t testing.TB) *benthos.Config {
	t.Helper()
	first := freePorts(t, 2)
	return &benthos.Config{
		MetricsPort: uint16(first),
		Input: map[string]any{"http_server": map[string]any{
			"address": local(first + 1), "path": "/", "allowed_verbs": []any{"POST"},
		}},
		Pipeline: map[string]any{"processors": []any{
			map[string]any{"sleep": map[string]any{"duration": `${! meta("Delay").or("0s") }`}},
		}},
		Output: map[string]any{"stdout": map[string]any{"codec": "lines"}},
	}
}

func local(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// inputPort returns the port that a printer takes messages on.
func inputPort(c *benthos.Config) int { return int(benthos.Ports(*c)[1].Port) }

// changed returns a copy of a stream that needs a process of its own.
func changed(c *benthos.Config, change func(*benthos.Config)) *benthos.Config {
	copied := c.Clone()
	change(&copied)
	return &copied
}

// relabelled returns a copy of a stream that does the same otherwise.
func relabelled(c *benthos.Config, label string) *benthos.Config {
	return changed(c, func(c *benthos.Config) { c.Output["label"] = label })
}

// with returns the streams with one of them replaced.
func with(all streams, name string, c *benthos.Config) streams {
	all = maps.Clone(all)
	all[name] = c
	return all
}
