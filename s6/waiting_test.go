package s6_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/filesystem/filesystemtest"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/s6test"
)

// TestCopyThatWaitsWhileFilesChange: a copy that waits for the instance lock has
// said what it is made from, and reads files when it gets the lock. A change
// meanwhile that is taken back is no reason to believe what it has said.
func TestCopyThatWaitsWhileFilesChange(t *testing.T) {
	inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
		tree.Install("sleep", s6test.Program{StopAfter: 300 * time.Millisecond})
		of := func(env map[string]string) map[string]desired {
			return map[string]desired{"a": {State: s6.Running, Spec: &s6.Spec{Command: []string{"sleep", "1"}, Env: env}}}
		}
		with, without := of(map[string]string{"X": "1"}), of(nil)
		p := start(t, tree)
		p.wants(with)
		p.stop()
		require.NoError(t, tree.KillSupervisor("a"))
		pass(2 * time.Second) // there is another, and a copy that waits
		p = start(t, tree)
		require.NoError(t, p.Apply(t.Context(), without))
		pass(150 * time.Millisecond) // the stray has been told
		require.NoError(t, p.Apply(t.Context(), with))
		pass(5 * time.Second)
		require.NoError(t, p.Wait(t.Context(), "a", fsm.PhaseRunning))
		var env []map[string]string
		for _, process := range tree.Processes() {
			if process.Service == "a" {
				env = append(env, process.Env)
			}
		}
		assert.Equal(t, []map[string]string{{"X": "1"}}, env)
		p.stop()
	})
}

// sluggish has each operation take a while.
type sluggish struct{}

func (sluggish) Inject(filesystemtest.Op) filesystemtest.Fault {
	time.Sleep(20 * time.Millisecond)
	return filesystemtest.Fault{}
}

func (sluggish) String() string { return "slow operations" }

// A service that ran before the machine was started anew, and whose link was in
// memory, does not begin by being put back when it is asked to be stopped.
func TestPutBackStopped(t *testing.T) {
	begun := 0
	inBubble(t, s6test.Config{OnProcess: func(h s6test.Happening) {
		if h.Service == "a" && h.Change == s6test.Begun && !h.Finish {
			begun++
		}
	}}, func(t *testing.T, tree *s6test.Tree) {
		settle(t, tree, running("a"))
		require.NoError(t, tree.Terminate())
		pass(time.Minute)
		require.NoError(t, tree.FS().Remove(tree.Layout().Link("a")))
		tree.StartSvscan()
		before := begun
		settle(t, s6test.Inject(tree, sluggish{}), map[string]desired{"a": {State: s6.Stopped, Spec: running("a")["a"].Spec}})
		assert.Equal(t, before, begun)
		settle(t, tree, running("a"))
		assert.Equal(t, before+1, begun)
	})
}

// Nor does one that was put in place to run while there was no s6-svscan, and is
// asked to be stopped before there is one.
func TestStoppedBeforeItIsSupervised(t *testing.T) {
	started := 0
	inBubble(t, s6test.Config{OnProcess: func(h s6test.Happening) {
		if h.Service == "a" && h.Change == s6test.Started && !h.Finish {
			started++
		}
	}}, func(t *testing.T, tree *s6test.Tree) {
		tree.KillSvscan()
		m, err := s6.NewManager(tree, fsm.Config{})
		require.NoError(t, err)
		go m.Run(t.Context())
		require.NoError(t, m.Apply(t.Context(), running("a")))
		pass(time.Second)
		require.NoError(t, m.Apply(t.Context(), map[string]desired{"a": {State: s6.Stopped, Spec: running("a")["a"].Spec}}))
		pass(20 * time.Second)
		tree.StartSvscan()
		pass(20 * time.Second)
		assert.Zero(t, started)
		require.NoError(t, m.Apply(t.Context(), running("a")))
		pass(20 * time.Second)
		assert.Equal(t, 1, started)
		require.NoError(t, m.Close(t.Context()))
	})
}
