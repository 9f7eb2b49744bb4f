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
	"github.com/evenkeel/evenkeel/filesystem/filesystemtest"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/s6test"
)

// fog fails where links are read while it is on: no service can be looked at.
type fog struct {
	filesystemtest.Injector
	on atomic.Bool
}

func (b *fog) Inject(op filesystemtest.Op) filesystemtest.Fault {
	if !b.on.Load() {
		return filesystemtest.Fault{}
	}
	return b.Injector.Inject(op)
}

func newFog() *fog {
	return &fog{Injector: filesystemtest.OnKind(filesystemtest.Readlink, filesystemtest.Fail(errors.New("no space left")))}
}

// A stream is started, restarted by hand and stopped, and its service cannot be
// looked at meanwhile: it was seen last when it was stopped.
func TestWhatWasNotSeenSinceIsNotStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		m.prober.Set(endpoint, benthostest.Endpoint{})
		eyes := newFog()
		manager := m.manageOn(t, s6test.Inject(m.tree, eyes))
		as := func(state fsm.State) map[string]fsm.Desired[*benthos.Config] {
			return map[string]fsm.Desired[*benthos.Config]{"a": {State: state, Spec: stream("1s")}}
		}
		require.NoError(t, manager.Apply(t.Context(), as(benthos.Stopped)))
		require.NoError(t, manager.Wait(t.Context(), "a", fsm.PhaseStopped))
		time.Sleep(time.Minute)

		var lies int
		manager.Listen(func(n fsm.Notice) {
			if n, ok := n.(fsm.Transition); ok && n.Event == benthos.EventStopDone && pidOfStream(m) != 0 {
				lies++
			}
		})
		eyes.on.Store(true)
		require.NoError(t, manager.Apply(t.Context(), as(benthos.Active)))
		time.Sleep(5 * time.Millisecond)
		require.NoError(t, manager.Restart(t.Context(), "a"))
		time.Sleep(50 * time.Millisecond)
		require.NotZero(t, pidOfStream(m))
		require.NoError(t, manager.Apply(t.Context(), as(benthos.Stopped)))
		time.Sleep(time.Second)
		s, _ := manager.Instance("a")
		assert.Equal(t, benthos.StateStopping, s.State)
		assert.Contains(t, s.Reason.String(), "no space left")
		eyes.on.Store(false)
		require.NoError(t, manager.Wait(t.Context(), "a", fsm.PhaseStopped))
		assert.Zero(t, pidOfStream(m))
		assert.Zero(t, lies)
	})
}

func pidOfStream(m *memory) (pid int) {
	for _, p := range m.tree.Processes() {
		if p.Service == "a" && !p.Finish {
			pid = p.PID
		}
	}
	return pid
}

// What is asked anew of a stream that is stopped is done once its service was seen.
func TestWhatWasNotSeenSinceIsNotSettled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		m.prober.Set(endpoint, benthostest.Endpoint{})
		eyes := newFog()
		manager := m.manageOn(t, s6test.Inject(m.tree, eyes))
		halted := func(interval string) map[string]fsm.Desired[*benthos.Config] {
			return map[string]fsm.Desired[*benthos.Config]{"a": {State: benthos.Stopped, Spec: stream(interval)}}
		}
		require.NoError(t, manager.Apply(t.Context(), halted("1s")))
		require.NoError(t, manager.Wait(t.Context(), "a", fsm.PhaseStopped))
		time.Sleep(time.Minute)
		s, _ := manager.Instance("a")
		require.True(t, s.Settled)
		eyes.on.Store(true)
		require.NoError(t, manager.Apply(t.Context(), halted("2s")))
		time.Sleep(10 * time.Second)
		s, _ = manager.Instance("a")
		assert.Equal(t, benthos.StateStopped, s.State)
		assert.False(t, s.Settled)
		assert.Contains(t, s.Reason.String(), "its service has not been seen since it was asked: cannot observe")
		eyes.on.Store(false)
		time.Sleep(time.Minute)
		s, _ = manager.Instance("a")
		assert.True(t, s.Settled)
		assert.Equal(t, s6.StateStopped, s.Observed.Service.State)
	})
}
