//go:build integration

package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
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
	if err := services.Apply(ctx, d); err != nil {
		return err
	}
	for _, s := range services.Snapshot() { // what an earlier program left is among these
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
