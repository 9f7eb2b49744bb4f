package fsm_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
)

func TestTableRefuses(t *testing.T) {
	row := func(event fsm.Event, from, to fsm.State) func(*fsm.TableSpec) {
		return func(s *fsm.TableSpec) { s.Rows = append(s.Rows, fsm.Row{Event: event, From: from, To: to}) }
	}
	state := func(name fsm.State, phase fsm.Phase) func(*fsm.TableSpec) {
		return func(s *fsm.TableSpec) { s.States = append(s.States, fsm.StateSpec{Name: name, Phase: phase}) }
	}
	target := func(name fsm.State, phase fsm.Phase) func(*fsm.TableSpec) {
		return func(s *fsm.TableSpec) { s.Targets = append(s.Targets, fsm.Target{Name: name, Phase: phase}) }
	}
	tests := []struct {
		name   string
		breaks []func(*fsm.TableSpec)
		says   []string
	}{
		{"duplicate state", []func(*fsm.TableSpec){state(lampLit, fsm.PhaseRunning)}, []string{`state "lit" is there twice`}},
		{"lifecycle state", []func(*fsm.TableSpec){state(fsm.StateCreating, fsm.PhaseCreating)}, []string{`state "creating" is there twice`}},
		{"state without a name", []func(*fsm.TableSpec){state("", fsm.PhaseRunning)}, []string{"a state has no name"}},
		{"state without a phase", []func(*fsm.TableSpec){state("odd", 0)}, []string{`state "odd" has no phase`}},
		{"state of no such phase", []func(*fsm.TableSpec){state("odd", fsm.PhaseRemoved+1)}, []string{`state "odd" has no phase`}},
		{"second removed state", []func(*fsm.TableSpec){state("broken", fsm.PhaseRemoved)}, []string{`state "broken" is of phase removed, which has a state already`}},
		{"second first state", []func(*fsm.TableSpec){state("new", fsm.PhaseToBeCreated)}, []string{`state "new" is of phase to_be_created, which has a state already`}},
		{"unreachable state", []func(*fsm.TableSpec){state("odd", fsm.PhaseRunning), row("x", "odd", lampOff)}, []string{`state "odd" cannot be reached`}},
		{"dead end", []func(*fsm.TableSpec){state("stuck", fsm.PhaseDegraded), row("x", lampLit, "stuck")}, []string{
			`no way from state "stuck" to target "lit"`, `no way from state "stuck" to target "off"`, `no way from state "stuck" to target "removed"`,
		}},
		{"duplicate row", []func(*fsm.TableSpec){row("glow", lampDark, lampOff)}, []string{`row glow from "dark" is there twice`}},
		{"duplicate lifecycle row", []func(*fsm.TableSpec){row(fsm.EventRemove, lampOff, fsm.StateRemoving)}, []string{`row remove from "off" is there twice`}},
		{"self-loop", []func(*fsm.TableSpec){row("again", lampLit, lampLit)}, []string{`row again leads from "lit" to itself`}},
		{"row without an event", []func(*fsm.TableSpec){row("", lampLit, lampOff)}, []string{`a row from "lit" has no event`}},
		{"row from nowhere", []func(*fsm.TableSpec){row("x", "litt", lampOff)}, []string{`row x: no state "litt"`}},
		{"row to nowhere", []func(*fsm.TableSpec){row("x", lampLit, "of")}, []string{`row x: no state "of"`}},
		{"duplicate target", []func(*fsm.TableSpec){target(lampLit, fsm.PhaseRunning)}, []string{`target "lit" is there twice`}},
		{"target removed", []func(*fsm.TableSpec){target(fsm.StateRemoved, fsm.PhaseRemoved)}, []string{`target "removed" is there twice`}},
		{"target without a name", []func(*fsm.TableSpec){target("", fsm.PhaseRunning)}, []string{"a target has no name"}},
		{"target of no phase", []func(*fsm.TableSpec){target("on", 0)}, []string{`to target "on"`}},
		{"initial state missing", []func(*fsm.TableSpec){func(s *fsm.TableSpec) { s.Initial = "" }}, []string{`initial state "" is not a state of phase stopped`}},
		{"initial state not stopped", []func(*fsm.TableSpec){func(s *fsm.TableSpec) { s.Initial = lampLit }}, []string{`initial state "lit" is not a state of phase stopped`}},
		{"all that is wrong", []func(*fsm.TableSpec){row("again", lampLit, lampLit), state("odd", 0)}, []string{"to itself", "has no phase", `cannot make table "lamp"`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			spec := lampSpec()
			for _, breaks := range tt.breaks {
				breaks(&spec)
			}
			_, err := fsm.NewTable(spec)
			require.Error(t, err)
			for _, says := range tt.says {
				assert.ErrorContains(t, err, says)
			}
		})
	}
}

func TestTableAnswers(t *testing.T) {
	table := lampTable(t)

	to, ok := table.Next(lampOff, "light")
	assert.True(t, ok)
	assert.Equal(t, lampLighting, to)
	_, ok = table.Next(lampLit, "light")
	assert.False(t, ok)
	_, ok = table.Next("nowhere", "light")
	assert.False(t, ok)

	assert.Equal(t, fsm.PhaseDegraded, table.Phase(lampDark))
	assert.Zero(t, table.Phase("nowhere"))

	phase, ok := table.Target(fsm.StateRemoved)
	assert.True(t, ok)
	assert.Equal(t, fsm.PhaseRemoved, phase)
	_, ok = table.Target(lampLighting)
	assert.False(t, ok, "a state that is no target cannot be asked for")

	assert.Equal(t, []fsm.Target{{Name: lampLit, Phase: fsm.PhaseRunning}, {Name: lampOff, Phase: fsm.PhaseStopped}, {Name: fsm.StateRemoved, Phase: fsm.PhaseRemoved}}, table.Targets())
	for _, from := range []fsm.State{fsm.StateToBeCreated, fsm.StateCreating, lampOff} {
		to, ok := table.Next(from, fsm.EventRemove)
		assert.True(t, ok, "remove from %s", from)
		assert.Equal(t, fsm.StateRemoving, to)
	}
	to, ok = table.Next(fsm.StateRemoved, fsm.EventCreate)
	assert.True(t, ok, "what was removed can be created again")
	assert.Equal(t, fsm.StateCreating, to)
}

func TestTableIsImmutable(t *testing.T) {
	spec := lampSpec()
	table, err := fsm.NewTable(spec)
	require.NoError(t, err)
	all := func() string { return fmt.Sprint(table.States(), table.Rows(), table.Targets()) }
	before := all()
	for n := range spec.Rows {
		spec.Rows[n].To = "x"
	}
	for n := range spec.States {
		spec.States[n].Name = "x"
	}
	spec.Targets[0].Name = "x"
	table.Rows()[0].To, table.States()[0].Name, table.Targets()[0].Name = "x", "x", "x"

	assert.Equal(t, before, all())
	_, ok := table.Target(lampLit)
	assert.True(t, ok)
	assert.Equal(t, lampLit, table.Targets()[0].Name)
}

func TestDiagramsAreGolden(t *testing.T) {
	runs, err := fsm.NewRunTable("motor")
	require.NoError(t, err)
	for name, got := range map[string]string{"lamp.mmd": lampTable(t).Mermaid(), "run.mmd": runs.Mermaid()} {
		path := filepath.Join("testdata", name)
		if *update {
			require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
		}
		want, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.Equal(t, string(want), got, "run with -update to write %s", path)
	}
}

func TestPhaseNames(t *testing.T) {
	names := map[fsm.Phase]string{
		0: "unknown", fsm.PhaseToBeCreated: "to_be_created", fsm.PhaseCreating: "creating", fsm.PhaseStopped: "stopped",
		fsm.PhaseStarting: "starting", fsm.PhaseRunning: "running", fsm.PhaseDegraded: "degraded",
		fsm.PhaseStopping: "stopping", fsm.PhaseRemoving: "removing", fsm.PhaseRemoved: "removed", fsm.PhaseRemoved + 1: "unknown",
	}
	for phase, name := range names {
		assert.Equal(t, name, phase.String())
		text, err := phase.MarshalText()
		require.NoError(t, err)
		assert.Equal(t, name, string(text))
		back := fsm.PhaseStopped
		require.NoError(t, back.UnmarshalText(text))
		assert.Equal(t, name, back.String())
	}
	phase := fsm.PhaseStopped
	assert.ErrorContains(t, phase.UnmarshalText([]byte("walking")), `cannot read phase: "walking" is none of ["to_be_created"`)
	assert.Error(t, phase.UnmarshalText(nil))
	assert.Equal(t, fsm.PhaseStopped, phase, "what cannot be read changes nothing")
}

func TestImportsNothingButLooplab(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}\n{{end}}", ".").Output()
	require.NoError(t, err)
	assert.Equal(t, "github.com/evenkeel/evenkeel/fsm/internal/clock\ngithub.com/evenkeel/evenkeel/fsm/internal/pace\n"+
		"github.com/looplab/fsm\ngithub.com/evenkeel/evenkeel/fsm\n", squeeze(string(out)),
		"package fsm may import the standard library and github.com/looplab/fsm only, besides its own parts")
}

func TestRows(t *testing.T) {
	assert.Equal(t, []fsm.Row{
		{Event: "dim", From: lampLit, To: lampDimming},
		{Event: "dim", From: lampDark, To: lampDimming},
	}, fsm.Rows("dim", lampDimming, lampLit, lampDark))
	assert.Empty(t, fsm.Rows("dim", lampDimming))
}
