package s6_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/fsm/fsmtest"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/s6test"
)

const planted = "s3cr3t"

// secretive is a spec with a secret wherever there may be one.
func secretive() *s6.Spec {
	return &s6.Spec{
		Command: []string{
			"sleep", "1000", "--token", planted, "--password=" + planted + " " + planted, "KEY=" + planted,
			"http://u:" + planted + "@h", "-H", "Authorization: Bearer " + planted,
		},
		Env:         map[string]string{"SOME": planted, "DB_PASSWORD": planted, "EMPTY": ""},
		ConfigFiles: map[string]string{"a.yaml": "a: " + planted, "empty": ""},
		Ready:       s6.Readiness{Check: []string{"true", "--api-key", planted}},
		Check:       s6.Check{HTTP: "http://h/?token=" + planted, Exec: []string{"true", "--api-key", planted}},
		Finish:      []string{"true", "redis://:" + planted + "@h"},
		Note:        "input: " + planted,
	}
}

func TestMaskedSpec(t *testing.T) {
	spec := secretive()
	shown := spec.Masked()
	assert.Equal(t, &s6.Spec{
		Command: []string{
			"sleep", "1000", "--token", "***", "--password=***", "KEY=***", "http://u:***@h", "-H", "Authorization: ***",
		},
		Env: map[string]string{"SOME": "***", "DB_PASSWORD": "***", "EMPTY": ""},
		ConfigFiles: map[string]string{
			"a.yaml": "9 bytes, SHA-256 9733a1621809b07b7cdac763c6ffcecfb9b02f39533a7400860e6c7a8e2ba668", "empty": "",
		},
		Ready:  s6.Readiness{Check: []string{"true", "--api-key", "***"}},
		Check:  s6.Check{HTTP: "http://h/?token=***", Exec: []string{"true", "--api-key", "***"}},
		Finish: []string{"true", "redis://:***@h"},
		Note:   "13 bytes, SHA-256 5005a24ea2a8de4c6f3042baa17375c7f4825b2ff0a6a7a2c1c36768cfa0137a",
	}, shown)
	assert.Equal(t, secretive(), spec, "what is masked stays as it was")
	assert.Equal(t, shown, shown.Masked())
	assert.Nil(t, (*s6.Spec)(nil).Masked())
	assert.Equal(t, &s6.Spec{}, new(s6.Spec).Masked())
}

func TestSpecIsPrintedWithoutSecrets(t *testing.T) {
	var out bytes.Buffer
	for _, handler := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		log := slog.New(handler)
		log.Info("declared", "spec", secretive(), "copy", *secretive())
		log.Info("asked", "desired", desired{State: s6.Running, Spec: secretive()})
	}
	fmt.Fprintf(&out, "%v %v %+v %s %v", secretive(), *secretive(), secretive(), secretive(), desired{Spec: secretive()})
	assert.NotContains(t, out.String(), planted)
	assert.Equal(t, 11, strings.Count(out.String(), "redis://:***@h"), out.String())
}

// The manifest and the hash are of what there is to run.
func TestSpecJSONIsWhole(t *testing.T) {
	text, err := json.Marshal(secretive())
	require.NoError(t, err)
	var back s6.Spec
	require.NoError(t, json.Unmarshal(text, &back))
	assert.Equal(t, secretive(), &back)
	spec := secretive()
	spec.Check = s6.Check{}
	assert.Equal(t, "f50a9f24f09485d117466ecded2ce64c36464a3e176cec61326ed00805a07904", spec.Hash(), "a tree that exists has it on disk")
}

func TestServiceSnapshotJSON(t *testing.T) {
	inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
		kind, err := s6.NewKind(tree, s6.KindName)
		require.NoError(t, err)
		story := fsmtest.NewStory(t, kind, "a")
		var all []*fsm.Snapshot[*s6.Spec, s6.Observed]
		look := func() { all = append(all, story.Snapshot()) }
		look()
		story.Ask(desired{State: s6.Running, Spec: secretive()})
		story.Watch(3 * time.Second)
		look()
		require.Equal(t, fsm.PhaseRunning, story.Snapshot().Phase)
		require.NoError(t, tree.Kill("a", syscall.SIGKILL))
		story.Watch(500 * time.Millisecond)
		look()
		story.Ask(desired{State: s6.Running, Spec: &s6.Spec{Command: []string{"missing", planted}}})
		story.Watch(3 * time.Second)
		look()
		story.Ask(desired{State: fsm.StateRemoved})
		story.Watch(3 * time.Second)
		look()

		fsmtest.RoundTripJSON(t, all...)
		for _, s := range all[:3] {
			text, err := json.Marshal(s)
			require.NoError(t, err)
			assert.NotContains(t, string(text), planted)
		}
	})
}
