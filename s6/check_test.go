package s6_test

import (
	"bytes"
	"context"
	"io"
	"os"
	"path"
	"path/filepath"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/fsm/fsmtest"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/s6test"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

type (
	desired = fsm.Desired[*s6.Spec]
)

// settle has a manager bring the services of a tree where they are asked to
// be, and lets go of them again, as a program does that ends.
func settle(t testing.TB, tree s6.Tree, all map[string]desired) {
	t.Helper()
	m, err := s6.NewManager(tree, fsm.Config{})
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	go m.Run(ctx)
	require.NoError(t, m.Apply(ctx, all))
	for name, d := range all {
		phase := fsm.PhaseRunning
		if d.State == s6.Stopped {
			phase = fsm.PhaseStopped
		}
		require.NoError(t, m.Wait(ctx, name, phase))
	}
	require.NoError(t, m.Close(ctx))
}

func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// treeWorld is the world of one service of a tree in memory.
type treeWorld struct {
	fsm.Driver[*s6.Spec, s6.Observed]
	// blind makes so many observations fail.
	blind int
}

func (w *treeWorld) Observe(ctx context.Context, d desired) (s6.Observed, error) {
	if w.blind > 0 {
		w.blind--
		return s6.Observed{}, syscall.EIO
	}
	return w.Driver.Observe(ctx, d)
}

func (*treeWorld) Advance(d time.Duration) { pass(d) }
func (*treeWorld) Now() time.Time          { return time.Now() }

// checkScene is a scene before there is a tree for it.
type checkScene struct {
	name   string
	config s6test.Config
	// set changes a tree with a service "a" in it that runs, or an empty one
	// where fresh is set.
	set   func(t testing.TB, tree *s6test.Tree)
	fresh bool
	blind int
	ends  map[fsm.State][]fsm.Phase
	// vandal: the scene itself deletes what must not be deleted.
	vandal bool
	// short: a short run has it. Those together use every row of the table.
	short bool
}

var (
	plainSpec = &s6.Spec{Command: []string{"sleep", "1000"}}
	fullSpec  = &s6.Spec{
		Command: []string{"/opt/serve", "-v"}, Env: map[string]string{"A": "b"}, ConfigFiles: map[string]string{"c.yaml": "x"},
		Ready: s6.Readiness{FD: 4}, StartTimeout: 5 * time.Second, StopTimeout: 3 * time.Second,
		Policy: s6.Policy{Restart: s6.RestartOnFailure, Backoff: s6.Backoff{From: 10 * time.Second, To: 20 * time.Second}, GiveUpAfter: 2},
		Check:  s6.Check{TCP: "127.0.0.1:5432", Every: 2 * time.Second, Failures: 2, Restart: true},
		Finish: []string{"/opt/clean"}, Log: s6.Log{RemoveWithService: true},
	}
)

// noProgram takes all programs away.
func noProgram(t testing.TB, tree *s6test.Tree) {
	require.NoError(t, tree.FS().Remove("/opt/serve"))
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		require.NoError(t, tree.FS().RemoveAll(dir))
	}
}

func runs(p s6test.Program) func(testing.TB, *s6test.Tree) {
	return func(_ testing.TB, tree *s6test.Tree) { tree.SetProgram("a", p) }
}

// comesTo has an earlier program run the full spec until it came to a phase.
func comesTo(phase fsm.Phase, program s6test.Program) func(testing.TB, *s6test.Tree) {
	return func(t testing.TB, tree *s6test.Tree) {
		tree.SetProgram("a", program)
		m, err := s6.NewManager(tree, fsm.Config{})
		require.NoError(t, err)
		go m.Run(context.Background())
		require.NoError(t, m.Set(t.Context(), "a", desired{State: s6.Running, Spec: fullSpec}))
		require.NoError(t, m.Wait(t.Context(), "a", phase))
		pass(time.Second) // from degraded on it pauses
		require.NoError(t, m.Close(t.Context()))
	}
}

func onFile(name, data string) func(testing.TB, *s6test.Tree) {
	return func(t testing.TB, tree *s6test.Tree) {
		require.NoError(t, tree.FS().WriteFile(path.Join(tree.Layout().Service("a"), name), []byte(data), 0o644))
	}
}

// upAndDown is the end of a service that is seen to run, and not for long, or
// that is given up then.
var upAndDown = map[fsm.State][]fsm.Phase{s6.Running: {fsm.PhaseRunning, fsm.PhaseDegraded, fsm.PhaseFailed}}

// onceOrAgain is the end of one that ends well after a while.
var onceOrAgain = map[fsm.State][]fsm.Phase{s6.Running: {fsm.PhaseRunning, fsm.PhaseDegraded, fsm.PhaseDone}}

// unserved is the end of a service that nobody starts a supervisor for.
var unserved = map[fsm.State][]fsm.Phase{
	s6.Running: {fsm.PhaseRunning, fsm.PhaseCreating, fsm.PhaseStopped, fsm.PhaseStarting, fsm.PhaseDegraded},
	s6.Stopped: {fsm.PhaseCreating, fsm.PhaseStopped},
}

var noCommand = map[fsm.State][]fsm.Phase{s6.Running: {fsm.PhaseDegraded, fsm.PhaseFailed}}

// anywhere is the end of an instance of which nothing can be known.
var anywhere = []fsm.Phase{
	fsm.PhaseToBeCreated, fsm.PhaseCreating, fsm.PhaseStopped, fsm.PhaseStarting, fsm.PhaseRunning,
	fsm.PhaseDegraded, fsm.PhaseDone, fsm.PhaseFailed, fsm.PhaseStopping, fsm.PhaseRemoving, fsm.PhaseRemoved,
}

var checkScenes = []checkScene{
	{name: "nothing there", fresh: true},
	{name: "nothing there, s6 2.11", fresh: true, config: s6test.Config{Version: s6test.V211}},
	{name: "nothing there, s6 2.15, slow", short: true, fresh: true, config: s6test.Config{Version: s6test.V215, Latency: 300 * time.Millisecond}},
	{name: "left running"},
	{name: "left stopped", set: func(t testing.TB, tree *s6test.Tree) {
		settle(t, tree, map[string]desired{"a": {State: s6.Stopped, Spec: plainSpec}})
	}},
	{name: "left half written", short: true, set: func(t testing.TB, tree *s6test.Tree) {
		require.NoError(t, tree.FS().Remove(path.Join(tree.Layout().Service("a"), "data/hash")))
	}},
	{name: "run script damaged", set: onFile("run", "#!/bin/sh\n")},
	{name: "manifest damaged", set: onFile("data/manifest.json", "{")},
	{name: "manifest without a command", short: true, set: onFile("data/manifest.json", `{"version": 1, "kind": "s6", "spec": {}}`)},
	{name: "asked by hand to be down", set: func(t testing.TB, tree *s6test.Tree) {
		require.NoError(t, tree.Control(tree.Layout().Service("a"), supervise.CommandDownCreateDown))
	}},
	{name: "what it was started from is not known", set: onFile("data/started", "")},
	{name: "unlinked", short: true, set: func(t testing.TB, tree *s6test.Tree) {
		require.NoError(t, tree.FS().Remove(tree.Layout().Link("a")))
		require.NoError(t, tree.Prune())
	}},
	{name: "without its supervisor", set: func(t testing.TB, tree *s6test.Tree) {
		require.NoError(t, tree.KillSupervisor("a"))
	}},
	{name: "without its logger's supervisor", set: func(t testing.TB, tree *s6test.Tree) {
		require.NoError(t, tree.KillSupervisor("a/log"))
	}},
	{name: "without its supervisor, deaf", short: true, set: func(t testing.TB, tree *s6test.Tree) {
		tree.SetProgram("a", s6test.Program{Deaf: true})
		require.NoError(t, tree.Kill("a", syscall.SIGKILL))
		pass(5 * time.Second)
		require.NoError(t, tree.KillSupervisor("a"))
	}},
	{name: "deaf", set: runs(s6test.Program{Deaf: true}), fresh: true},
	{name: "slow to end", set: runs(s6test.Program{StopAfter: 8 * time.Second}), fresh: true},
	{name: "paused", short: true, set: func(t testing.TB, tree *s6test.Tree) {
		require.NoError(t, tree.Control(tree.Layout().Service("a"), supervise.CommandStop))
	}, ends: upAndDown},
	{name: "hangs", fresh: true, set: runs(s6test.Program{Hangs: true}), ends: upAndDown},
	{name: "cannot be checked", fresh: true, set: runs(s6test.Program{NoCheck: "/opt/check does not exist"}), ends: upAndDown},
	{name: "left hanging", fresh: true, set: func(t testing.TB, tree *s6test.Tree) {
		settle(t, tree, map[string]desired{"a": {State: s6.Running, Spec: fullSpec}})
		require.NoError(t, tree.Hang("a", true))
	}},
	{name: "left hanging, to be restarted, and deaf", fresh: true, set: func(t testing.TB, tree *s6test.Tree) {
		tree.SetProgram("a", s6test.Program{Deaf: true})
		settle(t, tree, map[string]desired{"a": {State: s6.Running, Spec: fullSpec}})
		require.NoError(t, tree.Hang("a", true))
		m, err := s6.NewManager(tree, fsm.Config{})
		require.NoError(t, err)
		go m.Run(context.Background())
		require.NoError(t, m.Set(t.Context(), "a", desired{State: s6.Running, Spec: fullSpec}))
		require.NoError(t, m.Wait(t.Context(), "a", fsm.PhaseDegraded))
		require.NoError(t, m.Close(t.Context()))
	}},
	{name: "crashes over and over", set: runs(s6test.Program{RunFor: 200 * time.Millisecond, ExitCode: 1}), fresh: true, ends: upAndDown},
	{name: "crashes over and over at once", set: runs(s6test.Program{RunFor: time.Nanosecond, ExitCode: 1}), fresh: true, ends: upAndDown},
	{name: "ends well", set: runs(s6test.Program{RunFor: 3 * time.Second}), fresh: true, ends: onceOrAgain},
	{name: "ends well at once", set: runs(s6test.Program{RunFor: time.Millisecond}), fresh: true, ends: onceOrAgain},
	{name: "a job is done", set: comesTo(fsm.PhaseDone, s6test.Program{RunFor: time.Second}), fresh: true, ends: onceOrAgain},
	{name: "it pauses", set: comesTo(fsm.PhaseDegraded, s6test.Program{RunFor: time.Second, ExitCode: 1}), fresh: true, ends: upAndDown},
	{name: "it is given up", set: comesTo(fsm.PhaseFailed, s6test.Program{RunFor: time.Second, ExitCode: 1}), fresh: true, ends: upAndDown},
	{name: "command missing", short: true, fresh: true, set: func(t testing.TB, tree *s6test.Tree) {
		noProgram(t, tree)
	}, ends: noCommand},
	{name: "command taken away", set: func(t testing.TB, tree *s6test.Tree) {
		noProgram(t, tree)
		require.NoError(t, tree.Kill("a", syscall.SIGKILL))
	}, ends: noCommand},
	{name: "slow to become ready", fresh: true, set: runs(s6test.Program{ReadyAfter: 7 * time.Second})},
	{name: "no s6-svscan, nothing there", short: true, fresh: true, set: func(t testing.TB, tree *s6test.Tree) { tree.KillSvscan() },
		ends: unserved},
	{name: "no s6-svscan, left running", set: func(t testing.TB, tree *s6test.Tree) { tree.KillSvscan() }, ends: unserved},
	{name: "s6-svscan comes back", fresh: true, set: func(t testing.TB, tree *s6test.Tree) {
		tree.KillSvscan()
		time.AfterFunc(10*time.Second, tree.StartSvscan)
	}},
	{name: "a dangling link", short: true, fresh: true, set: func(t testing.TB, tree *s6test.Tree) {
		require.NoError(t, tree.FS().Symlink("/nowhere", tree.Layout().Link("other")))
	}},
	{name: "name taken by another link", fresh: true, set: func(t testing.TB, tree *s6test.Tree) {
		require.NoError(t, tree.FS().Symlink("/elsewhere", tree.Layout().Link("a")))
	}, ends: map[fsm.State][]fsm.Phase{s6.Running: anywhere, s6.Stopped: anywhere, fsm.StateRemoved: anywhere}},
	{name: "name taken by another owner's service", set: func(t testing.TB, tree *s6test.Tree) {
		file := path.Join(tree.Layout().Service("a"), "data/manifest.json")
		data, err := tree.FS().ReadFile(file)
		require.NoError(t, err)
		require.NoError(t, tree.FS().WriteFile(file, bytes.Replace(data, []byte(`"kind": "s6"`), []byte(`"kind": "theirs"`), 1), 0o600))
	}, ends: map[fsm.State][]fsm.Phase{s6.Running: {fsm.PhaseCreating, fsm.PhaseStopped, fsm.PhaseDegraded}, s6.Stopped: anywhere}},
	{name: "cannot be observed at first", short: true, blind: 5},
	{name: "directory deleted by hand", short: true, vandal: true, set: func(t testing.TB, tree *s6test.Tree) {
		require.NoError(t, tree.FS().RemoveAll(tree.Layout().Service("a")))
	}},
}

// TestEveryStateHasAWayOn is the exhaustive check: from every state, with
// everything that can be asked for, in every world. No world may end with a
// violation. A short run asks for one spec, in some of the worlds.
func TestEveryStateHasAWayOn(t *testing.T) {
	t.Parallel()
	table, err := s6.NewTable()
	require.NoError(t, err)
	synctest.Test(t, func(t *testing.T) {
		end := func() {}
		check := fsmtest.Check[*s6.Spec, s6.Observed]{
			Kind:   fsm.Kind[*s6.Spec, s6.Observed]{Name: s6.KindName, Table: table, Decide: s6.Decide},
			Specs:  []*s6.Spec{plainSpec, fullSpec},
			Within: time.Minute,
		}
		if testing.Short() {
			check.Specs = check.Specs[:1]      // which is never changed
			for _, row := range table.Rows() { // those of what only the other spec says
				switch row.Event {
				case s6.EventBackOff, s6.EventFinish, s6.EventGiveUp, s6.EventRestart:
					check.Unused = append(check.Unused, row)
				}
			}
		}
		for _, scene := range checkScenes {
			if testing.Short() && !scene.short {
				continue
			}
			check.Scenes = append(check.Scenes, fsmtest.Scene[*s6.Spec, s6.Observed]{
				Name: scene.name, Ends: scene.ends,
				New: func(time.Time) (world fsmtest.World[*s6.Spec, s6.Observed]) {
					end()
					world, end = scene.open(t)
					return world
				},
			})
		}
		check.Run(t)
		end()
	})
}

// open makes the scene's tree, and a driver that has not seen it yet.
func (scene *checkScene) open(t *testing.T) (world *treeWorld, end func()) {
	tree := s6test.New(scene.config)
	tree.Install("sleep", s6test.Program{})
	tree.Install("/opt/serve", s6test.Program{})
	if !scene.fresh {
		settle(t, tree, map[string]desired{"a": {State: s6.Running, Spec: plainSpec}})
	}
	if scene.set != nil {
		scene.set(t, tree)
	}
	driver := s6.NewDriver(tree, "a", func() {})
	return &treeWorld{driver, scene.blind}, func() {
		assert.NoError(t, driver.(io.Closer).Close())
		if err := tree.Close(); !scene.vandal {
			assert.NoError(t, err, scene.name)
		}
	}
}
