//go:build integration

package integration

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

type (
	desired  = map[string]fsm.Desired[*s6.Spec]
	snapshot = *fsm.Snapshot[*s6.Spec, s6.Observed]
)

// world is a private tree in a directory of its own, with a manager over it.
// All of it is gone when the test ends, however it ends.
type world struct {
	t      testing.TB
	root   string
	config s6.TreeConfig

	tree     *s6.SystemTree
	services *fsm.Manager[*s6.Spec, s6.Observed]

	mu    sync.Mutex // guards moves
	moves []fsm.Transition
}

// needS6 fails the test where s6 is not installed.
func needS6(t testing.TB) s6.Tools {
	t.Helper()
	tools, err := s6.FindTools()
	if err != nil {
		t.Fatal(err)
	}
	return tools
}

// newWorld makes the directory of a world in which nothing runs yet.
func newWorld(t testing.TB) *world {
	t.Helper()
	needS6(t)
	root, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	w := &world{t: t, root: root, config: s6.TreeConfig{
		ScanDir:     filepath.Join(root, "scan"),
		ServicesDir: filepath.Join(root, "services"),
		LogsDir:     filepath.Join(root, "logs"),
	}}
	t.Cleanup(w.end)
	return w
}

// start makes a world with its tree and manager running.
func start(t testing.TB) *world {
	t.Helper()
	w := newWorld(t)
	w.open()
	w.manage()
	return w
}

func (w *world) context() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), patience)
}

// open starts the private tree, or finds the one that runs.
func (w *world) open() {
	w.t.Helper()
	ctx, cancel := w.context()
	defer cancel()
	tree, _, err := s6.StartPrivate(ctx, w.config)
	require.NoError(w.t, err)
	w.tree = tree
}

// manage starts a manager of the tree's services.
func (w *world) manage() {
	w.t.Helper()
	w.manageOn(w.tree)
}

func (w *world) manageOn(tree s6.Tree) {
	w.t.Helper()
	services, err := s6.NewManager(tree, fsm.Config{Logger: slog.New(slog.NewTextHandler(w.t.Output(), nil)), OnTransition: func(move fsm.Transition) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.moves = append(w.moves, move)
	}})
	require.NoError(w.t, err)
	go services.Run(context.Background())
	w.services = services
}

// unmanage lets go of the services as they are.
func (w *world) unmanage() {
	if w.services == nil {
		return
	}
	ctx, cancel := w.context()
	defer cancel()
	assert.NoError(w.t, w.services.Close(ctx))
	w.services = nil
}

// leave lets go of services and tree as they are.
func (w *world) leave() {
	w.unmanage()
	if w.tree != nil {
		assert.NoError(w.t, w.tree.Close())
		w.tree = nil
	}
}

// end takes everything down and looks for what is left.
func (w *world) end() {
	w.unmanage()
	defer noneLeft(w.t, w.root)
	if w.tree == nil && len(processesOf(w.root)) == 0 {
		return
	}
	ctx, cancel := w.context()
	defer cancel()
	if w.tree == nil {
		tree, _, err := s6.StartPrivate(ctx, w.config)
		if !assert.NoError(w.t, err) {
			return
		}
		w.tree = tree
	}
	err := w.tree.Shutdown(ctx)
	assert.NoError(w.t, errors.Join(err, w.tree.Close()))
	w.tree = nil
}

// declare applies a declaration that is accepted.
func (w *world) declare(d desired) {
	w.t.Helper()
	ctx, cancel := w.context()
	defer cancel()
	require.NoError(w.t, w.services.Apply(ctx, d))
}

// await waits until the named instances are in a phase.
func (w *world) await(phase fsm.Phase, names ...string) {
	w.t.Helper()
	ctx, cancel := w.context()
	defer cancel()
	for _, name := range names {
		require.NoError(w.t, w.services.Wait(ctx, name, phase))
	}
}

// run declares what is to run, and nothing else, and waits for it.
func (w *world) run(specs map[string]*s6.Spec) {
	w.t.Helper()
	w.declare(running(specs))
	for name := range specs {
		w.await(fsm.PhaseRunning, name)
	}
}

func running(specs map[string]*s6.Spec) desired {
	d := make(desired)
	for name, spec := range specs {
		d[name] = fsm.Desired[*s6.Spec]{State: s6.Running, Spec: spec}
	}
	return d
}

func (w *world) snapshot(name string) snapshot {
	w.t.Helper()
	s, ok := w.services.Instance(name)
	require.True(w.t, ok, name)
	return s
}

// pid returns the process that the tree says is the service's, having made
// sure that there is one.
func (w *world) pid(name string) int {
	w.t.Helper()
	status, err := w.tree.Status(w.service(name))
	require.NoError(w.t, err)
	require.True(w.t, status.Up(), "%s: %+v", name, status)
	require.True(w.t, alive(status.PID), "%s: %+v", name, status)
	require.NotZero(w.t, w.supervisor(w.service(name)), name)
	return status.PID
}

func (w *world) service(name string) string { return w.tree.Layout().Service(name) }

// supervisor returns the s6-supervise of a service directory, 0 for none.
func (w *world) supervisor(service string) int {
	w.t.Helper()
	state, err := w.tree.Supervisor(service)
	require.NoError(w.t, err)
	return state.PID
}

// svscan returns the s6-svscan of the scan directory.
func (w *world) svscan() int {
	w.t.Helper()
	state, err := supervise.LockHolder(filepath.Join(w.config.ScanDir, ".s6-svscan", "lock"))
	require.NoError(w.t, err)
	require.NotZero(w.t, state.PID)
	return state.PID
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

// exists reports whether something has the name, links not followed.
func exists(t testing.TB, name string) bool {
	t.Helper()
	_, err := os.Lstat(name)
	if errors.Is(err, os.ErrNotExist) {
		return false
	}
	require.NoError(t, err)
	return true
}

// leftovers lists the names in the services directory that are no service's.
func (w *world) leftovers() (found []string) {
	w.t.Helper()
	require.NoError(w.t, filepath.WalkDir(w.config.ServicesDir, func(name string, e os.DirEntry, err error) error {
		if err == nil && e.Name()[0] == '.' && e.Name() != ".lock" {
			found = append(found, name)
		}
		return err
	}))
	return found
}

// A probe is a service that witnesses, apart from s6 and from evenkeel, that
// it is the only process of its instance: each of its processes holds a lock
// and says when it found it taken. It is ready when it has said so.

// probe returns the spec of a service that runs until it is told to end.
func (w *world) probe(name string) *s6.Spec {
	return w.probeAs(name, "", "exec sleep 1000000")
}

const runsUntilTrapped = "while :; do sleep 0.05 9>&-; done"

// slowProbe returns the spec of a probe that takes its time to end.
func (w *world) slowProbe(name string) *s6.Spec {
	return w.probeAs(name, "trap 'sleep 0.15 9>&-; exit 0' TERM", runsUntilTrapped)
}

// deafProbe returns the spec of a probe that ends only when it is killed.
func (w *world) deafProbe(name string) *s6.Spec {
	return w.probeAs(name, "trap '' TERM", runsUntilTrapped)
}

// probeAs returns the spec of a probe that does something before and after it
// is ready.
func (w *world) probeAs(name, before, after string) *s6.Spec {
	dir := filepath.Join(w.root, "probes", name)
	require.NoError(w.t, os.MkdirAll(dir, 0o755))
	// A process that has just died may not have let go of everything yet, but no
	// longer has a program.
	script := before + `
exec 9>>"$PROBE/lock"
flock -w 0.06 9 || {
	readlink "/proc/$(tail -n 1 "$PROBE/starts")/exe" >/dev/null && echo $$ >>"$PROBE/doubles"
	flock 9
}
echo $$ >>"$PROBE/starts"
echo >&3
exec 3>&-
` + after
	return &s6.Spec{
		Command: []string{"sh", "-c", script},
		Env:     map[string]string{"PROBE": dir},
		Ready:   s6.Readiness{FD: 3},
	}
}

// starts returns the processes that a probe ever had.
func (w *world) starts(name string) (pids []int) {
	w.t.Helper()
	data, err := os.ReadFile(filepath.Join(w.root, "probes", name, "starts"))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	require.NoError(w.t, err)
	for line := range strings.Lines(string(data)) {
		pid, err := strconv.Atoi(strings.TrimSpace(line))
		require.NoError(w.t, err)
		pids = append(pids, pid)
	}
	return pids
}

// single checks that a probe never had two processes at once and now has one,
// the one that s6 names.
func (w *world) single(name string) {
	w.t.Helper()
	assert.NoFileExists(w.t, filepath.Join(w.root, "probes", name, "doubles"))
	pid := w.pid(name)
	probe := "PROBE=" + filepath.Join(w.root, "probes", name)
	eventually(w.t, patience, fmt.Sprintf("%d is the one process of %s", pid, name), func() bool {
		var living []int
		for _, p := range w.starts(name) {
			// The environment cannot be seen while a program becomes another.
			if alive(p) && slices.Contains(environ(p), probe) {
				living = append(living, p)
			}
		}
		return slices.Equal(living, []int{pid})
	})
}

// runsAs waits until a service's process is seen to be of a version.
func (w *world) runsAs(name, v string) {
	w.t.Helper()
	eventually(w.t, patience, name+" runs as version "+v, func() bool { return slices.Contains(environ(w.pid(name)), "VERSION="+v) })
}

// with returns a copy of a spec that was changed.
func with(spec *s6.Spec, change func(*s6.Spec)) *s6.Spec {
	changed := *spec
	changed.Env = make(map[string]string)
	for k, v := range spec.Env {
		changed.Env[k] = v
	}
	change(&changed)
	return &changed
}

// version returns a copy of a spec that needs a process of its own.
func version(spec *s6.Spec, v string) *s6.Spec {
	return with(spec, func(s *s6.Spec) { s.Env["VERSION"] = v })
}
