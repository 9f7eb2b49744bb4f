package fsm_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/evenkeel/evenkeel/fsm"
)

func TestTheLifecycleDecidesForItself(t *testing.T) {
	type input = fsm.Input[*watts, bulb]
	own := fsm.Decision{Reason: why("the kind's own")}
	kind := fsm.Kind[*watts, bulb]{Decide: func(input) fsm.Decision { return own }}
	create := fsm.Decision{Fire: fsm.EventCreate, Reason: why("asked to be lit")}
	spec := new(watts)
	for _, tt := range []struct {
		name  string
		state fsm.State
		want  fsm.Desired[*watts]
		is    fsm.Decision
	}{
		{"new", fsm.StateToBeCreated, fsm.Desired[*watts]{State: lampLit, Spec: spec}, create},
		{"new, not wanted", fsm.StateToBeCreated, fsm.Desired[*watts]{State: fsm.StateRemoved}, fsm.Decision{Fire: fsm.EventRemove, Reason: why("asked to be removed")}},
		{"gone", fsm.StateRemoved, fsm.Desired[*watts]{State: fsm.StateRemoved}, fsm.Decision{}},
		{"gone, wanted again", fsm.StateRemoved, fsm.Desired[*watts]{State: lampLit, Spec: spec}, create},
		{"there", lampOff, fsm.Desired[*watts]{State: lampLit, Spec: spec}, own},
		{"there, not wanted", lampOff, fsm.Desired[*watts]{State: fsm.StateRemoved}, own},
		{"being removed, wanted without a spec", fsm.StateRemoving, fsm.Desired[*watts]{State: lampLit}, own},
	} {
		t.Run(tt.name, func(t *testing.T) {
			assert.Equal(t, tt.is, kind.Decision(input{State: tt.state, Desired: tt.want}))
		})
	}
	for _, state := range []fsm.State{fsm.StateToBeCreated, fsm.StateCreating, lampLit, fsm.StateRemoved} {
		d := kind.Decision(input{State: state, Desired: fsm.Desired[*watts]{State: lampLit}})
		assert.Empty(t, d.Fire, state)
		assert.Empty(t, d.Do, state)
		assert.Equal(t, "there is no spec to work from", d.Reason.Summary, state)
	}
}

func TestASpecThatIsNoPointerIsNeverMissing(t *testing.T) {
	kind := fsm.Kind[map[string]int, bulb]{Decide: func(fsm.Input[map[string]int, bulb]) fsm.Decision { return fsm.Decision{} }}
	assert.Equal(t, fsm.Decision{}, kind.Decision(fsm.Input[map[string]int, bulb]{State: lampOff, Desired: fsm.Desired[map[string]int]{State: lampLit}}))
}

func TestAnInstanceRefusesWhatTheTableHasNoTargetFor(t *testing.T) {
	i, _, _ := newStub(t, fsm.InstanceConfig{})
	err := i.SetDesired(fsm.Desired[string]{State: "running"})
	assert.EqualError(t, err, `cannot ask that of stub "a": "running" cannot be asked for, only one of ["lit" "off" "removed"]`)
	assert.NoError(t, pass(t, i).Err)
	assert.Zero(t, i.Snapshot().Generation, "it has not been asked anything")
}

func TestReasons(t *testing.T) {
	r := fsm.Because("it is dark").With("the fuse blew")
	assert.Equal(t, "it is dark: the fuse blew", r.String())
	assert.Equal(t, "it is dark", r.With("").String())
	assert.Equal(t, "asked to be lit", fsm.Input[watts, bulb]{Desired: lit(40)}.Asked().String())
}
