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

// fog has operations fail while it is on.
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

func newFog(kinds filesystemtest.Kind) *fog {
	return &fog{Injector: filesystemtest.OnKind(kinds, filesystemtest.Fail(errors.New("no space left")))}
}

// A stream is started, restarted by hand and stopped, and its service cannot be
// looked at meanwhile: it was seen last when it was stopped.
func TestWhatWasNotSeenSinceIsNotStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		m.prober.Set(endpoint, benthostest.Endpoint{})
		eyes := newFog(filesystemtest.Readlink) // no service can be looked at
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
		eyes := newFog(filesystemtest.Readlink)
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

// A change is taken back before it has come to another process, as where the disk
// is full: what the process was found to do it still does.
func TestWhatWasFoundOutStandsWhereAChangeIsTakenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		m.prober.Set(endpoint, benthostest.Endpoint{})
		disk := newFog(filesystemtest.Writes | filesystemtest.Remove)
		manager := m.manageOn(t, s6test.Inject(m.tree, disk))
		require.NoError(t, manager.Apply(t.Context(), active(map[string]*benthos.Config{"a": stream("1s")})))
		require.NoError(t, manager.Wait(t.Context(), "a", fsm.PhaseRunning))
		time.Sleep(time.Minute) // what an older process has counted before it is looked at is not new
		before := m.tree.Processes()
		m.prober.Set(endpoint, benthostest.Endpoint{Metrics: benthos.Metrics{InputReceived: 100, OutputError: 100}})
		require.NoError(t, manager.Wait(t.Context(), "a", fsm.PhaseDegraded))

		disk.on.Store(true)
		for range 2 { // also where another one follows
			require.NoError(t, manager.Apply(t.Context(), active(map[string]*benthos.Config{"a": stream("2s")})))
			time.Sleep(20 * time.Millisecond)
			require.NoError(t, manager.Apply(t.Context(), active(map[string]*benthos.Config{"a": stream("3s")})))
			time.Sleep(20 * time.Millisecond)
			require.NoError(t, manager.Apply(t.Context(), active(map[string]*benthos.Config{"a": stream("1s")})))
			time.Sleep(2 * time.Second)
			s, _ := manager.Instance("a")
			assert.Equal(t, benthos.StateDegraded, s.State)
			assert.Equal(t, "its output failed recently", s.Reason.Summary)
		}
		assert.Equal(t, before, m.tree.Processes())
		disk.on.Store(false)
		require.NoError(t, manager.Wait(t.Context(), "a", fsm.PhaseRunning), "they are over")
		assert.Equal(t, before, m.tree.Processes())
	})
}
