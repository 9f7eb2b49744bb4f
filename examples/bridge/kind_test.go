package main

import (
	"flag"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/benthos/benthostest"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/fsm/fsmtest"
	"github.com/evenkeel/evenkeel/s6/s6test"
)

var update = flag.Bool("update", false, "write the golden files")

func TestStory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tree, prober := s6test.New(s6test.Config{}), benthostest.NewProber()
		t.Cleanup(func() { assert.NoError(t, tree.Close()) })
		tree.Install("/usr/bin/benthos", s6test.Program{ReadyAfter: s6test.Never})
		prober.Set("127.0.0.1:9080", benthostest.Endpoint{})
		var answer error
		kind, err := NewKind(tree, benthos.Options{Engine: "/usr/bin/benthos", Prober: prober}, func(string) error { return answer })
		require.NoError(t, err)
		press := &Bridge{"10.0.0.4:502", benthos.Config{
			MetricsPort: 9080, Input: map[string]any{"stdin": map[string]any{}}, Output: map[string]any{"drop": map[string]any{}},
		}}

		s := fsmtest.NewStory(t, kind, "press")
		s.Ask(fsm.Desired[*Bridge]{State: fsm.StateRunning, Spec: press})
		for _, answer = range []error{syscall.ECONNREFUSED, nil, syscall.ETIMEDOUT, nil, syscall.ETIMEDOUT} {
			s.Note("its address answers: %v", answer)
			s.Watch(6 * time.Second)
		}
		s.Watch(6 * time.Second)
		fsmtest.RoundTripJSON(t, s.Snapshot())
		found, _, err := kind.Discover(t.Context())
		require.NoError(t, err)
		assert.Equal(t, press, found["press"].Spec, "it outlasts the program")
		s.Ask(fsm.Desired[*Bridge]{State: fsm.StateRemoved})
		s.Watch(time.Second)
		s.Golden("testdata/story.txt", *update)
	})
}
