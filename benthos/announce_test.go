package benthos_test

import (
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/benthos/benthostest"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6/s6test"
)

// voiceless is a tree to which nobody can announce readiness while mute is set.
type voiceless struct {
	*s6test.Tree
	mute *atomic.Bool
}

func (v voiceless) AnnounceReady(service string, pid int) error {
	if v.mute.Load() {
		return errors.New("give this program the capability SYS_PTRACE")
	}
	return v.Tree.AnnounceReady(service, pid)
}

// An engine works and s6 cannot be told: that has a bound, which is the time to
// start, and a reason with what to do.
func TestStateThatWaitsToRemainRunningHasABound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		m.tree.Install("benthos", s6test.Program{ReadyAfter: s6test.Never})
		m.prober.Set(endpoint, benthostest.Endpoint{})
		var mute atomic.Bool
		mute.Store(true)
		manager := m.manageOn(t, voiceless{m.tree, &mute})
		require.NoError(t, manager.Apply(t.Context(), active(map[string]*benthos.Config{"a": stream("1s")})))
		time.Sleep(10 * time.Second)
		s, _ := manager.Instance("a")
		assert.Equal(t, benthos.StateWaitingToStay, s.State)
		time.Sleep(30 * time.Second)
		s, _ = manager.Instance("a")
		assert.Equal(t, benthos.StateDegraded, s.State)
		assert.Equal(t, "it is ready, and s6 cannot be told: give this program the capability SYS_PTRACE", s.Reason.String())
		mute.Store(false)
		require.NoError(t, manager.Retry("a"))
		require.NoError(t, manager.Wait(t.Context(), "a", fsm.PhaseRunning))
	})
}
