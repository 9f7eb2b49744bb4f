package harness

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6"
)

// World is a private tree in a directory of its own, with a manager over it.
// Everything is gone when the test ends, however it ends. If the test failed,
// it reports what the world was like.
type World[D, O any] struct {
	T      testing.TB
	Root   string
	Config s6.TreeConfig
	// Settings are those of the manager that is made next, apart from its
	// logger.
	Settings fsm.Config

	Tree    *s6.SystemTree
	Manager *fsm.Manager[D, O]

	mu    sync.Mutex // guards moves
	moves []fsm.Transition
}

// NewWorld makes the directory of a world. Nothing runs in it yet.
func NewWorld[D, O any](t testing.TB) *World[D, O] {
	t.Helper()
	root := NewRoot(t)
	w := &World[D, O]{T: t, Root: root, Config: s6.TreeConfig{
		ScanDir:     filepath.Join(root, "scan"),
		ServicesDir: filepath.Join(root, "services"),
		LogsDir:     filepath.Join(root, "logs"),
	}}
	t.Cleanup(w.End)
	return w
}

// NewRoot makes the directory of a test, with links resolved. When the test
// ends, however it ends, no process of it may be left.
func NewRoot(t testing.TB) string {
	t.Helper()
	NeedS6(t)
	root, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() {
		if t.Failed() {
			KillAll(root)
		}
		NoneLeft(t, root)
	})
	return root
}

// NeedS6 fails the test where s6 is not installed.
func NeedS6(t testing.TB) s6.Tools {
	t.Helper()
	tools, err := s6.FindTools()
	if err != nil {
		t.Fatal(err)
	}
	return tools
}

// Context returns a context that ends with the test's patience.
func (w *World[D, O]) Context() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), Patience)
}

// Open starts the private tree, or finds the one that runs.
func (w *World[D, O]) Open() {
	w.T.Helper()
	ctx, cancel := w.Context()
	defer cancel()
	tree, _, err := s6.StartPrivate(ctx, w.Config)
	require.NoError(w.T, err)
	w.Tree = tree
}

// Manage runs the manager that is made with a configuration.
func (w *World[D, O]) Manage(manager func(fsm.Config) (*fsm.Manager[D, O], error)) {
	w.T.Helper()
	config := w.Settings
	config.Logger = slog.New(slog.NewTextHandler(w.T.Output(), nil))
	config.OnTransition = func(move fsm.Transition) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.moves = append(w.moves, move)
	}
	m, err := manager(config)
	require.NoError(w.T, err)
	go m.Run(context.Background())
	w.Manager = m
}

// Unmanage lets go of the instances as they are.
func (w *World[D, O]) Unmanage() {
	if w.Manager == nil {
		return
	}
	ctx, cancel := w.Context()
	defer cancel()
	assert.NoError(w.T, w.Manager.Close(ctx))
	w.Manager = nil
}

// Leave lets go of instances and tree as they are.
func (w *World[D, O]) Leave() {
	w.Unmanage()
	if w.Tree != nil {
		assert.NoError(w.T, w.Tree.Close())
		w.Tree = nil
	}
}

// End ends everything.
func (w *World[D, O]) End() {
	if w.T.Failed() {
		w.T.Log(w.describe())
	}
	w.Unmanage()
	if w.Tree == nil && len(ProcessesOf(w.Root)) == 0 {
		return
	}
	ctx, cancel := w.Context()
	defer cancel()
	if w.Tree == nil {
		tree, _, err := s6.StartPrivate(ctx, w.Config)
		if !assert.NoError(w.T, err) {
			return
		}
		w.Tree = tree
	}
	err := w.Tree.Shutdown(ctx)
	assert.NoError(w.T, errors.Join(err, w.Tree.Close()))
	w.Tree = nil
}

// describe returns what each instance reports, which processes there are, and
// what s6 has complained about.
func (w *World[D, O]) describe() string {
	var b strings.Builder
	fmt.Fprintln(&b, "what there was when the test had failed:")
	if w.Manager != nil {
		for _, s := range w.Manager.Snapshot() {
			fmt.Fprintf(&b, "  %s, asked to be %s, is %s: %s (error %v, observed at %s, next pass at %s)\n",
				s.Name, s.Desired.State, s.State, s.Reason, s.Err, s.ObservedAt.Format(timeOfDay), s.NextPass.Format(timeOfDay))
		}
	}
	for _, p := range ProcessesOf(w.Root) {
		fmt.Fprintf(&b, "  process %v, in state %s\n", p, p.State)
	}
	said, _ := os.ReadFile(filepath.Join(w.Config.ScanDir, ".stderr"))
	fmt.Fprintf(&b, "  s6 says %q", said)
	return b.String()
}

const timeOfDay = "15:04:05.000"

// Apply declares what is to be.
func (w *World[D, O]) Apply(d map[string]fsm.Desired[D]) error {
	ctx, cancel := w.Context()
	defer cancel()
	return w.Manager.Apply(ctx, d)
}

// Declare applies a declaration that is accepted.
func (w *World[D, O]) Declare(d map[string]fsm.Desired[D]) {
	w.T.Helper()
	require.NoError(w.T, w.Apply(d))
}

// Plan says what Apply would do, by name.
func (w *World[D, O]) Plan(d map[string]fsm.Desired[D]) map[string]fsm.Change {
	w.T.Helper()
	ctx, cancel := w.Context()
	defer cancel()
	changes, err := w.Manager.Plan(ctx, d)
	require.NoError(w.T, err)
	all := make(map[string]fsm.Change)
	for _, c := range changes {
		all[c.Name] = c
	}
	return all
}

// Await waits until the named instances are in a phase.
func (w *World[D, O]) Await(phase fsm.Phase, names ...string) {
	w.T.Helper()
	ctx, cancel := w.Context()
	defer cancel()
	for _, name := range names {
		require.NoError(w.T, w.Manager.Wait(ctx, name, phase))
	}
}

// Run declares that these are to run, and nothing else, and waits for them.
func (w *World[D, O]) Run(all map[string]fsm.Desired[D]) {
	w.T.Helper()
	w.Declare(all)
	for name := range all {
		w.Await(fsm.PhaseRunning, name)
	}
}

// Snapshot returns what an instance says of itself.
func (w *World[D, O]) Snapshot(name string) *fsm.Snapshot[D, O] {
	w.T.Helper()
	s, ok := w.Manager.Instance(name)
	require.True(w.T, ok, name)
	return s
}

// Says waits until an instance is in a state, with a reason that contains the
// texts. A state that the instance leaves by itself may be missed: see Became and ComesTo.
func (w *World[D, O]) Says(name string, state fsm.State, texts ...string) {
	w.T.Helper()
	Eventually(w.T, fmt.Sprintf("%s is %s: %s", name, state, texts), func() error {
		s := w.Snapshot(name)
		said := s.Reason.String()
		if s.State != state || slices.ContainsFunc(texts, func(text string) bool { return !strings.Contains(said, text) }) {
			return fmt.Errorf("it is %s: %s (error %v)", s.State, said, s.Err)
		}
		return nil
	})
}

// Became waits until an instance has entered a state for a reason that holds the
// texts, since that was forgotten last. It may have left it since.
func (w *World[D, O]) Became(name string, state fsm.State, texts ...string) {
	w.T.Helper()
	Eventually(w.T, fmt.Sprintf("%s became %s: %s", name, state, texts), func() error {
		var others []string
		for _, move := range w.Moves() {
			said := move.Reason.String()
			if move.Instance != name {
				continue
			}
			if move.To == state && !slices.ContainsFunc(texts, func(text string) bool { return !strings.Contains(said, text) }) {
				return nil
			}
			others = append(others, fmt.Sprintf("%s: %s", move.To, said))
		}
		return fmt.Errorf("it became %q", others)
	})
}

// ComesTo waits until an instance has entered a state so many times since
// Forget. It may have left the state since.
func (w *World[D, O]) ComesTo(name string, state fsm.State, times int) {
	w.T.Helper()
	Eventually(w.T, fmt.Sprintf("%s has come %d times to %s", name, times, state), func() error {
		passed := w.Passed(name)
		other := func(s fsm.State) bool { return s != state }
		if came := len(slices.DeleteFunc(slices.Clone(passed), other)); came < times {
			return fmt.Errorf("it came to %v", passed)
		}
		return nil
	})
}

// Passed returns the states that an instance was seen to enter.
func (w *World[D, O]) Passed(name string) (states []fsm.State) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, move := range w.moves {
		if move.Instance == name {
			states = append(states, move.To)
		}
	}
	return states
}

// Moves returns all transitions.
func (w *World[D, O]) Moves() []fsm.Transition {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.moves)
}

// Forget forgets the transitions so far.
func (w *World[D, O]) Forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.moves = nil
}

// Service returns the directory of a service.
func (w *World[D, O]) Service(name string) string { return w.Tree.Layout().Service(name) }

// Log returns the directory of a service's logs.
func (w *World[D, O]) Log(name string) string { return filepath.Join(w.Config.LogsDir, name) }

// Exists reports whether something has the name, links not followed.
func Exists(t testing.TB, name string) bool {
	t.Helper()
	_, err := os.Lstat(name)
	if errors.Is(err, os.ErrNotExist) {
		return false
	}
	require.NoError(t, err)
	return true
}
