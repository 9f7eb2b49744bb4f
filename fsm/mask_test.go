package fsm_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/fsm/fsmtest"
)

// safe is a spec that is masked, with methods of its pointer.
type safe struct {
	Code string `json:"code"`
}

func (s *safe) Masked() *safe { return &safe{fsm.MaskSecret(s.Code)} }

// glimpse is an observation that is masked; it is handed over by value.
type glimpse struct {
	Code string `json:"code"`
}

func (g *glimpse) Masked() glimpse { return glimpse{fsm.MaskSecret(g.Code)} }

// window is one with a method of its own.
type window struct {
	Code string `json:"code"`
}

func (w window) Masked() window { return window{fsm.MaskSecret(w.Code)} }

const planted = "s3cr3t"

// secretive is a snapshot that says what it should not wherever it can.
func secretive[D, O any](spec D, observed O) *fsm.Snapshot[D, O] {
	reason := fsm.Because("it asks http://u:" + planted + "@h").With("token=" + planted)
	return &fsm.Snapshot[D, O]{
		Name: "a", State: "off", Phase: fsm.PhaseStopped,
		Desired:  fsm.Desired[D]{State: "lit", Spec: spec},
		Observed: observed,
		Reason:   reason,
		Err:      fmt.Errorf("cannot ask http://u:%s@h: %w", planted, errPlanted),
		History:  []fsm.Transition{{To: "off", ToPhase: fsm.PhaseStopped, Reason: reason}},
	}
}

var errPlanted = errors.New("it is locked")

func TestMasked(t *testing.T) {
	s := secretive(&safe{planted}, glimpse{planted})
	shown := s.Masked()
	assert.Equal(t, fsm.Desired[*safe]{State: "lit", Spec: &safe{fsm.Mask}}, shown.Desired)
	waits := *s
	waits.Waits, waits.Desired.Rejected = s.Reason, s.Reason
	assert.Equal(t, shown.Reason, waits.Masked().Waits)
	assert.Equal(t, shown.Reason, waits.Masked().Desired.Rejected)
	assert.Equal(t, glimpse{fsm.Mask}, shown.Observed)
	assert.Equal(t, "it asks http://u:***@h: token=***", shown.Reason.String())
	assert.Equal(t, shown.Reason, shown.History[0].Reason)
	assert.EqualError(t, shown.Err, "cannot ask http://u:***@h: it is locked")
	assert.ErrorIs(t, shown.Err, errPlanted)
	assert.Equal(t, s.State, shown.State)

	assert.Equal(t, secretive(&safe{planted}, glimpse{planted}), s, "what is masked stays as it was")
	assert.Nil(t, (*fsm.Snapshot[int, int])(nil).Masked())
	assert.Equal(t, window{fsm.Mask}, secretive(1, window{planted}).Masked().Observed)
	assert.Equal(t, &safe{fsm.Mask}, secretive((*safe)(nil), &safe{planted}).Masked().Observed)
	assert.Nil(t, secretive((*safe)(nil), (*safe)(nil)).Masked().Observed)
}

func TestSnapshotJSONHasNoSecrets(t *testing.T) {
	fsmtest.RoundTripJSON(t, secretive(&safe{planted}, glimpse{planted}))
	fsmtest.RoundTripJSON(t, secretive(3, window{planted}))
	for _, value := range []any{
		secretive(&safe{planted}, glimpse{planted}),
		*secretive(&safe{planted}, glimpse{planted}),
		map[string]any{"a": secretive(window{planted}, &safe{planted})},
		secretive(1, 1).History,
	} {
		text, err := json.Marshal(value)
		require.NoError(t, err)
		assert.NotContains(t, string(text), planted)
		assert.Contains(t, string(text), "it asks http://u:***@h")
	}
}

func TestSnapshotJSON(t *testing.T) {
	text, err := json.Marshal(secretive(watts(60), bulb{}))
	require.NoError(t, err)
	assert.JSONEq(t, `{
		"kind": "", "name": "a", "state": "off", "phase": "stopped",
		"desired": {"state": "lit", "spec": 60}, "generation": 0, "settled": false,
		"reason": {"summary": "it asks http://u:***@h", "evidence": "token=***"},
		"error": "cannot ask http://u:***@h: it is locked",
		"history": [{
			"at": "0001-01-01T00:00:00Z", "from": "", "to": "off", "event": "", "phase": "stopped",
			"reason": {"summary": "it asks http://u:***@h", "evidence": "token=***"}, "instance": "", "kind": ""
		}]
	}`, string(text))

	s := fsm.Snapshot[watts, bulb]{Failures: 3, Err: errPlanted}
	require.NoError(t, json.Unmarshal([]byte(`{"name":"b","phase":"running"}`), &s))
	assert.Equal(t, fsm.Snapshot[watts, bulb]{Name: "b", Phase: fsm.PhaseRunning}, s, "nothing is left of what it was")
	assert.Error(t, json.Unmarshal([]byte(`{"phase":"walking"}`), &s))
	assert.Error(t, json.Unmarshal([]byte(`{"error":1}`), &s))
	assert.Equal(t, "b", s.Name)
}
