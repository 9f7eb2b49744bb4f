//go:build integration

package integration

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/integration/harness"
	"github.com/evenkeel/evenkeel/s6"
)

// script is what the role "manage" does: it declares one thing after the
// other, waits for each to be reached and says so.
type script struct {
	Config       s6.TreeConfig
	Declarations []desired
}

// scriptEnv names the file with the script.
const scriptEnv = "EVENKEEL_TEST_SCRIPT"

func playManage() error {
	data, err := os.ReadFile(os.Getenv(scriptEnv))
	if err != nil {
		return err
	}
	var s script
	if err := json.Unmarshal(data, &s); err != nil {
		return err
	}
	ctx := context.Background()
	tree, _, err := s6.StartPrivate(ctx, s.Config)
	if err != nil {
		return err
	}
	services, err := s6.NewManager(tree, fsm.Config{})
	if err != nil {
		return err
	}
	go services.Run(ctx)
	fmt.Println("begin")
	for n, d := range s.Declarations {
		if err := reach(ctx, services, d); err != nil {
			return err
		}
		fmt.Println("reached", n)
	}
	fmt.Println("done")
	select {}
}

// reach declares something and waits until it is reached.
func reach(ctx context.Context, services *fsm.Manager[*s6.Spec, s6.Observed], d desired) error {
	before := services.Snapshot()
	if err := services.Apply(ctx, d); err != nil {
		return err
	}
	for _, s := range before {
		if _, ok := d[s.Name]; !ok {
			if err := services.Wait(ctx, s.Name, fsm.PhaseRemoved); err != nil {
				return err
			}
		}
	}
	for name, what := range d {
		phase := fsm.PhaseRunning
		if what.State == s6.Stopped {
			phase = fsm.PhaseStopped
		}
		if err := services.Wait(ctx, name, phase); err != nil {
			return err
		}
	}
	return nil
}

// startManager starts another program, which makes declarations about the
// world's services.
func (w *world) startManager(declarations ...desired) *harness.Program {
	w.T.Helper()
	data, err := json.Marshal(script{w.Config, declarations})
	require.NoError(w.T, err)
	file := filepath.Join(w.Root, "script.json")
	require.NoError(w.T, os.WriteFile(file, data, 0o644))
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), roleEnv+"=manage", scriptEnv+"="+file)
	return harness.Start(w.T, cmd)
}

func TestServicesAreAdoptedWithTheirProcesses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	specs := map[string]*s6.Spec{"a": w.probe("a"), "b": w.slowProbe("b"), "c": w.deafProbe("c")}
	specs["c"].StopTimeout = 300 * time.Millisecond
	all := running(specs)
	stopped := w.probe("stopped")
	all["stopped"] = fsm.Desired[*s6.Spec]{State: s6.Stopped, Spec: stopped}
	m := w.startManager(all)
	m.Says("done")
	m.Slay()

	w.Open()
	pids := make(map[string]int)
	for name := range specs {
		pids[name] = w.pid(name)
	}
	for range 3 {
		w.manage()
		w.Declare(all)
		w.Await(fsm.PhaseRunning, "a", "b", "c")
		w.Await(fsm.PhaseStopped, "stopped")
		for name, pid := range pids {
			assert.Equal(t, pid, w.pid(name))
			w.single(name)
		}
		w.Leave()
		w.Open()
	}
	assert.Empty(t, w.starts("stopped"))

	// What an earlier run made, and nobody wants, is removed.
	w.manage()
	w.Declare(running(map[string]*s6.Spec{"a": specs["a"]}))
	w.Await(fsm.PhaseRemoved, "b", "c", "stopped")
	w.Await(fsm.PhaseRunning, "a")
	assert.Equal(t, pids["a"], w.pid("a"))
	assert.Empty(t, w.leftovers())
}

func TestChangeWhileTheProgramIsAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a, b := w.slowProbe("a"), w.probe("b")
	m := w.startManager(running(map[string]*s6.Spec{"a": a, "b": b}))
	m.Says("done")
	m.Slay()
	w.Open()
	pid, died := w.pid("b"), w.pid("a")
	harness.Slay(t, died) // s6 restarts it
	w.manage()
	w.run(map[string]*s6.Spec{"a": version(a, "2"), "b": with(b, func(s *s6.Spec) { s.Log.FileSize = 8192 })})
	assert.Equal(t, pid, w.pid("b"))
	w.runsAs("a", "2")
	w.single("a")
	w.single("b")
}

// A program is killed at every moment of its work: while it creates, changes,
// stops and removes, soon after it has begun with each and later. Another one
// takes over, and everything becomes what it was asked to be.
func TestProgramIsKilledAtAnyMoment(t *testing.T) {
	t.Parallel()
	// Without a kill, to know how long each step takes.
	w := newWorld(t)
	declarations := killScript(w)
	m := w.startManager(declarations...)
	m.Says("begin")
	for step := range declarations {
		began := time.Now()
		m.Says(fmt.Sprint("reached ", step))
		took := time.Since(began)
		for _, part := range []float64{0.02, 0.1, 0.35, 0.8} {
			after := time.Duration(float64(took) * part)
			t.Run(fmt.Sprintf("step %d after %v of %v", step, after, took), func(t *testing.T) {
				t.Parallel()
				killAndTakeOver(t, step, after)
			})
		}
	}
	m.Slay()
}

// killScript is what the killed program does: everything.
func killScript(w *world) []desired {
	keep, change, live, stop, remove := w.probe("keep"), w.slowProbe("change"), w.probe("live"), w.slowProbe("stop"), w.probe("remove")
	all := map[string]*s6.Spec{"keep": keep, "change": change, "live": live, "stop": stop, "remove": remove}
	changed := map[string]*s6.Spec{
		"keep": keep, "change": version(change, "2"), "stop": stop, "remove": remove,
		"live": with(live, func(s *s6.Spec) { s.Log.FileSize = 8192 }),
	}
	stopped := running(changed)
	stopped["stop"] = fsm.Desired[*s6.Spec]{State: s6.Stopped, Spec: stop}
	removed := running(changed)
	delete(removed, "remove")
	return []desired{running(map[string]*s6.Spec{"keep": keep}), running(all), running(changed), stopped, removed}
}

func killAndTakeOver(t *testing.T, step int, after time.Duration) {
	w := newWorld(t)
	declarations := killScript(w)
	m := w.startManager(declarations...)
	m.Says("begin")
	if step > 0 {
		m.Says(fmt.Sprint("reached ", step-1))
	}
	harness.Pause(t, after, "the program is at work")
	m.Slay()

	w.Open()
	// A process that had come up by then and is not changed stays.
	before := make(map[string]int)
	for _, name := range []string{"keep", "live"} {
		status, err := w.Tree.Status(w.Service(name))
		if err != nil {
			require.ErrorIs(t, err, os.ErrNotExist)
			continue
		}
		if status.Up() && status.Ready {
			before[name] = status.PID
		}
	}
	w.manage()
	w.Declare(declarations[len(declarations)-1])
	w.Await(fsm.PhaseRunning, "keep", "change", "live", "stop")
	if _, ok := w.Manager.Instance("remove"); ok {
		w.Await(fsm.PhaseRemoved, "remove")
	}
	for _, name := range []string{"keep", "change", "live", "stop"} {
		w.single(name)
	}
	for name, pid := range before {
		assert.Equal(t, pid, w.pid(name), name)
	}
	w.runsAs("change", "2")
	for _, pid := range w.starts("remove") {
		harness.Gone(t, pid)
	}
	assert.NoFileExists(t, filepath.Join(w.Root, "probes", "remove", "doubles"))
	assert.False(t, harness.Exists(t, w.Service("remove")))
	assert.False(t, harness.Exists(t, filepath.Join(w.Config.ScanDir, "remove")))
	assert.Empty(t, w.leftovers())
	harness.Eventually(t, "there are supervisors of what runs, and no others", func() bool {
		var supervised []string
		for _, p := range harness.ProcessesOf(w.Root) {
			if p.Is("s6-supervise") {
				supervised = append(supervised, p.Args[1])
			}
		}
		slices.Sort(supervised)
		return slices.Equal(supervised, []string{"change", "change/log", "keep", "keep/log", "live", "live/log", "stop", "stop/log"})
	})
	assert.NoError(t, errors.Join(w.Snapshot("change").Err, w.Snapshot("keep").Err))
}
