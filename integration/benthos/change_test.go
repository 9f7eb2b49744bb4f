//go:build integration

package benthos

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/integration/harness"
	"github.com/evenkeel/evenkeel/s6"
)

func TestStatesFromNothingToNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, bento(t))
	all := streams{"s": printer(t)}
	assert.Equal(t, fsm.ChangeCreate, w.Plan(active(all))["s"].Kind)
	w.run(all)
	harness.Eventually(t, "no traffic, no activity", func() bool { return w.Snapshot("s").State == benthos.StateIdle })
	path := []fsm.State{
		fsm.StateCreating, benthos.StateStopped, benthos.StateStarting, benthos.StateConfigLoading,
		benthos.StateWaitingForHealth, benthos.StateWaitingToStay, benthos.StateIdle,
	}
	assert.Equal(t, path, w.Passed("s"))
	var history []fsm.State
	for _, move := range w.Snapshot("s").History {
		history = append(history, move.To)
		assert.NotEmpty(t, move.Reason.Summary)
	}
	assert.Equal(t, path, history)
	assert.NotEmpty(t, w.Snapshot("s").Observed.Health.Version)

	w.Forget()
	assert.Equal(t, fsm.ChangeStop, w.Plan(inState(benthos.Stopped, all))["s"].Kind)
	require.NoError(t, w.Apply(inState(benthos.Stopped, all)))
	w.Await(fsm.PhaseStopped, "s")
	assert.Empty(t, w.pids("s"))
	assert.Equal(t, []fsm.State{benthos.StateStopping, benthos.StateStopped}, w.Passed("s"))

	assert.Equal(t, fsm.ChangeNone, w.Plan(inState(benthos.Stopped, all))["s"].Kind)
	assert.Equal(t, fsm.ChangeStart, w.Plan(active(all))["s"].Kind)
	w.run(all)
	pid := w.pid("s")
	w.Forget()
	assert.Equal(t, fsm.ChangeRemove, w.Plan(nil)["s"].Kind)
	require.NoError(t, w.Apply(nil))
	w.Await(fsm.PhaseRemoved, "s")
	harness.Gone(t, pid)
	passed := w.Passed("s")
	assert.Equal(t, []fsm.State{benthos.StateStopping, benthos.StateStopped, fsm.StateRemoving, fsm.StateRemoved}, passed[len(passed)-4:])
	for _, dir := range []string{w.Config.ServicesDir, w.Config.ScanDir} {
		entries, err := os.ReadDir(dir)
		require.NoError(t, err)
		for _, e := range entries {
			assert.Contains(t, []string{".lock", ".s6-svscan", ".stderr"}, e.Name())
		}
	}
	assert.FileExists(t, filepath.Join(w.Log("s"), "current"))
	for _, p := range harness.ProcessesOf(w.Root) {
		assert.True(t, p.Is("s6-svscan"), p)
	}
}

func TestChangeRestartsThatInstanceOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t, bento(t))
	all := fiveStreams(t)
	w.run(all)
	pids := w.pidsOf(all)

	// The same again, with other Go types, is no change.
	again := make(streams)
	for name, c := range all {
		again[name] = changed(c, func(*benthos.Config) {})
	}
	for _, c := range w.Plan(active(again)) {
		assert.Equal(t, fsm.ChangeNone, c.Kind, c)
	}
	w.run(again)
	assert.Equal(t, pids, w.pidsOf(all))

	single := doubles(t, w.Config.ServicesDir)
	next := with(all, "s2", relabelled(all["s2"], "other"))
	for name, c := range w.Plan(active(next)) {
		want := fsm.ChangeNone
		if name == "s2" {
			want = fsm.ChangeRestart
		}
		assert.Equal(t, want, c.Kind, c)
	}
	w.Forget()
	w.run(next)
	single()
	after := w.pidsOf(all)
	assert.NotEqual(t, pids["s2"], after["s2"])
	delete(pids, "s2")
	delete(after, "s2")
	assert.Equal(t, pids, after)
	require.NoError(t, post(inputPort(next["s2"]), `{"test":"after"}`, 0))
	for name := range pids {
		assert.Subset(t, []fsm.State{benthos.StateIdle, benthos.StateActive}, w.Passed(name), name)
	}
	assert.Equal(t, benthos.StateStarting, w.Passed("s2")[0])
	data, err := os.ReadFile(filepath.Join(w.Service("s2"), "config", "benthos.yaml"))
	require.NoError(t, err)
	assert.Contains(t, string(data), "label: other")
}

func TestChangeThatTheLinterRefuses(t *testing.T) {
	t.Parallel()
	for name, engine := range map[string]func(testing.TB) string{"Bento": bento, "Redpanda": redpanda} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, engine(t))
			all := streams{"good": printer(t), "other": printer(t)}
			for _, c := range all {
				c.Metrics = benthos.MetricsNone
			}
			w.run(all)
			pids := w.pidsOf(all)
			bad := with(all, "good", changed(all["good"], func(c *benthos.Config) {
				c.Pipeline["processors"] = []any{map[string]any{"mapping": "root = this.("}}
			}))
			bad["new"] = changed(bad["good"], func(c *benthos.Config) { *c = *relabelled(c, "new"); c.MetricsPort = uint16(freePorts(t, 1)) })
			bad["new"].Input = map[string]any{"generate": map[string]any{"mapping": "root = 1", "cuont": 1}}
			plan := w.Plan(active(bad))
			assert.Equal(t, fsm.ChangeRefused, plan["good"].Kind)
			assert.Contains(t, plan["good"].Why, "line ")
			assert.Equal(t, fsm.ChangeNone, plan["other"].Kind)

			err := w.Apply(active(bad))
			assert.ErrorIs(t, err, benthos.ErrConfig)
			assert.ErrorContains(t, err, `refused "good"`)
			assert.ErrorContains(t, err, "line ")
			assert.ErrorContains(t, err, "cuont")
			_, made := w.Manager.Instance("new")
			assert.False(t, made)
			harness.Holds(t, 300*time.Millisecond, "the old process goes on", func() bool {
				return w.pid("good") == pids["good"] && post(inputPort(all["good"]), "{}", 0) == nil
			})
			assert.Equal(t, pids, w.pidsOf(all))
		})
	}
}

// The severity of a lint is looked at: what the engine runs with a warning is
// taken. Redpanda's engine has no warnings.
func TestDeprecatedFieldIsTaken(t *testing.T) {
	t.Parallel()
	for name, engine := range map[string]func(testing.TB) string{"Bento": bento, "Redpanda": redpanda} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, engine(t))
			told := make(chan fsm.Warned, 10)
			w.Manager.Listen(func(n fsm.Notice) {
				if warned, ok := n.(fsm.Warned); ok {
					told <- warned
				}
			})
			c := printer(t)
			c.Metrics = benthos.MetricsNone
			c.Pipeline["processors"] = []any{map[string]any{"log": map[string]any{"message": "hi", "fields": map[string]any{"a": "b"}}}}
			bad := changed(c, func(c *benthos.Config) {
				c.MetricsPort = uint16(freePorts(t, 1))
				c.Input = map[string]any{"generate": map[string]any{"mapping": "root = 1", "cuont": 1}}
			})
			err := w.Apply(active(streams{"s": c, "bad": bad}))
			var refused *benthos.LintError
			require.ErrorAs(t, err, &refused)
			assert.ErrorContains(t, err, "cuont")
			assert.NotContains(t, err.Error(), "deprecated", "no reason to refuse")
			assert.Empty(t, refused.More)
			w.Await(fsm.PhaseRunning, "s")
			if name == "Redpanda" {
				assert.Empty(t, told)
				return
			}
			require.Len(t, told, 1)
			warned := <-told
			assert.Equal(t, "s", warned.Instance)
			assert.ErrorContains(t, warned.Err, "field fields is deprecated")
			assert.Equal(t, 1, strings.Count(warned.Err.Error(), "deprecated"))
			require.NoError(t, w.Apply(active(streams{"s": c})))
			assert.Empty(t, told)
		})
	}
}

func TestChangeWithTheEngineGone(t *testing.T) {
	t.Parallel()
	root := harness.NewRoot(t)
	link := filepath.Join(root, "engine")
	require.NoError(t, os.Symlink(bento(t), link))
	w := newWorld(t, link)
	all := streams{"a": printer(t), "b": printer(t)}
	w.run(all)
	pids := w.pidsOf(all)
	require.NoError(t, os.Remove(link))

	next := with(all, "a", relabelled(all["a"], "next"))
	err := w.Apply(active(next))
	assert.ErrorContains(t, err, link)
	assert.ErrorContains(t, err, `refused "a"`)
	assert.NotContains(t, err.Error(), `"b"`)
	w.Await(fsm.PhaseRunning, "a", "b")
	assert.Equal(t, pids, w.pidsOf(all))
	require.NoError(t, post(inputPort(all["a"]), "{}", 0))

	// A process that is killed now cannot come back until the engine does.
	harness.Slay(t, pids["a"])
	w.Says("a", benthos.StateDegraded, link)
	assert.Equal(t, pids["b"], w.pid("b"))
	require.NoError(t, os.Symlink(bento(t), link))
	w.Await(fsm.PhaseRunning, "a")
	w.run(next)
	assert.Equal(t, pids["b"], w.pid("b"))
}

// A later manager takes over what runs, and knows what would change.
func TestAdoption(t *testing.T) {
	t.Parallel()
	w := newWorld(t, bento(t))
	all := fiveStreams(t)
	w.run(all)
	pids := w.pidsOf(all)
	w.Unmanage()

	w.manage()
	w.Forget()
	next := maps.Clone(all)
	next["s1"] = relabelled(all["s1"], "next")
	delete(next, "s3")
	next["s5"] = printer(t)
	kinds := make(map[string]fsm.ChangeKind)
	for name, c := range w.Plan(active(next)) {
		kinds[name] = c.Kind
	}
	assert.Equal(t, map[string]fsm.ChangeKind{
		"s0": fsm.ChangeNone, "s1": fsm.ChangeRestart, "s2": fsm.ChangeNone,
		"s3": fsm.ChangeRemove, "s4": fsm.ChangeNone, "s5": fsm.ChangeCreate,
	}, kinds)
	assert.Equal(t, pids, w.pidsOf(all), "a plan does nothing")

	w.run(next)
	w.Await(fsm.PhaseRemoved, "s3")
	for _, name := range []string{"s0", "s2", "s4"} {
		assert.Equal(t, pids[name], w.pid(name))
		assert.NotContains(t, w.Passed(name), benthos.StateDegraded)
	}
	assert.NotEqual(t, pids["s1"], w.pid("s1"))
	harness.Gone(t, pids["s3"])
	assert.NotZero(t, w.pid("s5"))
}

// Letting go of something is no failure of it.
func TestLettingGoMovesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, bento(t), func(o *benthos.Options) { o.HealthInterval = 10 * time.Millisecond })
	all := fiveStreams(t)
	w.run(all)
	for range 20 {
		w.Forget()
		harness.Pause(t, 20*time.Millisecond, "each is asked a few times")
		w.Unmanage()
		for name := range all {
			assert.Empty(t, w.Passed(name))
		}
		w.manage()
		w.run(all)
	}
}

func TestLettingGoLeavesNoConnection(t *testing.T) {
	t.Parallel()
	w := newWorld(t, bento(t), func(o *benthos.Options) { o.Prober = nil })
	c := printer(t)
	w.run(streams{"s": c})
	harness.Eventually(t, "it is asked", func() bool { return connected(t, int(c.MetricsPort)) })
	w.Unmanage()
	assert.NotEmpty(t, w.pids("s"))
	harness.Eventually(t, "nobody is connected", func() bool { return !connected(t, int(c.MetricsPort)) })
}

// Benthos instances and plain services share a tree. Each has a manager that
// leaves the others alone.
func TestTwoManagersOnOneTree(t *testing.T) {
	t.Parallel()
	w := newWorld(t, bento(t))
	services, err := s6.NewManager(w.Tree, fsm.Config{})
	require.NoError(t, err)
	go services.Run(context.Background())
	ctx, cancel := w.Context()
	defer cancel()
	defer func() { assert.NoError(t, services.Close(ctx)) }()
	sleep := map[string]fsm.Desired[*s6.Spec]{"sleep": {State: s6.Running, Spec: &s6.Spec{Command: []string{"sleep", "1000000"}}}}
	require.NoError(t, services.Apply(ctx, sleep))
	require.NoError(t, services.Wait(ctx, "sleep", fsm.PhaseRunning))
	all := streams{"stream": printer(t)}
	w.run(all)
	pid := w.pid("stream")
	plain, _ := services.Instance("sleep")

	require.NoError(t, w.Apply(nil))
	w.Await(fsm.PhaseRemoved, "stream")
	harness.Gone(t, pid)
	assert.True(t, harness.Alive(plain.Observed.PID()))
	w.run(all)
	pid = w.pid("stream")
	require.NoError(t, services.Apply(ctx, nil))
	require.NoError(t, services.Wait(ctx, "sleep", fsm.PhaseRemoved))
	harness.Gone(t, plain.Observed.PID())
	assert.Equal(t, pid, w.pid("stream"))
	require.NoError(t, post(inputPort(all["stream"]), "{}", 0))
}

// The linter has what the services' environment gives to a configuration.
func TestEnvironment(t *testing.T) {
	t.Parallel()
	w := newWorld(t, bento(t), func(o *benthos.Options) { o.Env = map[string]string{"GREETING": "hello there"} })
	c := printer(t)
	c.Pipeline["processors"] = []any{map[string]any{"mapping": `root = "${GREETING}"`}}
	w.run(streams{"s": c})
	require.NoError(t, post(inputPort(c), "{}", 0))
	harness.Eventually(t, "the greeting is in the log", func() bool { return w.logged("s", "hello there") == 1 })
}

// To the next manager, values that are written in several ways are the same
// configuration.
func TestAdoptionKnowsEveryValue(t *testing.T) {
	t.Parallel()
	w := newWorld(t, bento(t))
	c := printer(t)
	c.ShutdownTimeout = 2500 * time.Millisecond
	c.Input["http_server"].(map[string]any)["timeout"] = "5s"
	c.CacheResources = []map[string]any{{"label": "store", "memory": map[string]any{
		"default_ttl": "1.0h", "init_values": map[string]any{"yes": "no", "1": "2", "empty": "", "lines": "a\nb\n", "null": "~"},
	}}}
	c.RateLimitResources = []map[string]any{{"label": "slow", "local": map[string]any{"count": 1000.0, "interval": "1s"}}}
	all := streams{"s": c}
	w.run(all)
	pid := w.pid("s")
	w.Unmanage()
	// The linter need not be asked about what is in use already.
	w.options.Linter = picky{}
	w.manage()
	assert.Equal(t, fsm.ChangeNone, w.Plan(active(all))["s"].Kind)
	w.run(all)
	assert.Equal(t, pid, w.pid("s"))
}

// picky is a linter that gives no verdict.
type picky struct{}

func (picky) Lint(context.Context, map[string][]byte) (map[string]error, error) {
	return nil, errors.New("not now")
}

// A name that a plain service has is not an instance's.
func TestNameOfAPlainService(t *testing.T) {
	t.Parallel()
	w := newWorld(t, bento(t))
	services, err := s6.NewManager(w.Tree, fsm.Config{})
	require.NoError(t, err)
	go services.Run(context.Background())
	ctx, cancel := w.Context()
	defer cancel()
	defer func() { assert.NoError(t, services.Close(ctx)) }()
	require.NoError(t, services.Apply(ctx, map[string]fsm.Desired[*s6.Spec]{
		"name": {State: s6.Running, Spec: &s6.Spec{Command: []string{"sleep", "1000000"}}},
	}))
	require.NoError(t, services.Wait(ctx, "name", fsm.PhaseRunning))
	plain, _ := services.Instance("name")
	assert.ErrorIs(t, w.Apply(active(streams{"name": printer(t)})), s6.ErrOwned)
	harness.Holds(t, time.Second, "the service goes on", func() bool { return harness.Alive(plain.Observed.PID()) })
}
