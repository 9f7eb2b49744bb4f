package runner

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/config"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/s6test"
)

func service(name string) config.Key { return config.Key{Kind: config.KindService, Name: name} }

// TestStoppedByHand: it stays so whatever the file says, also for the next program,
// until it is started by hand.
func TestStoppedByHand(t *testing.T) {
	inEstate(t, func(t *testing.T, e *estate) {
		require.NoError(t, e.runner.StopByHand(service("a"), "alice"))
		time.Sleep(time.Second)
		e.is(s6.StateStopped, "", "stopped by hand: by alice at 2000-01-01T00:01:00Z")
		assert.Len(t, e.runner.StoppedByHand(), 1)
		e.keepText(trialFile("sleep, '2'"))
		time.Sleep(time.Minute)
		e.is(s6.StateStopped, "", "stopped by hand: by alice")
		e.leave()
		e.begin()
		e.keepText(trialFile("sleep, '2'"))
		time.Sleep(time.Minute)
		e.is(s6.StateStopped, "", "stopped by hand: by alice")
		plan := e.plan()
		assert.Equal(t, map[string]fsm.ChangeKind{"a": fsm.ChangeNone}, changes(plan))
		assert.Contains(t, plan.Changes[0].Why, "stopped by hand: by alice")

		require.NoError(t, e.runner.StartByHand(service("a")))
		time.Sleep(2 * time.Second)
		e.is(s6.StateRunning, "sleep 2", "")
		require.NoError(t, e.runner.StartByHand(service("a")), "it is nothing to do")
		e.leave()
		e.begin()
		e.keepText(trialFile("sleep, '2'"))
		time.Sleep(time.Minute)
		e.is(s6.StateRunning, "sleep 2", "")
		require.ErrorIs(t, e.runner.StopByHand(service("nobody"), "alice"), fsm.ErrUnknown)
	})
}

// Where it cannot be read what was stopped by hand, nothing is started that may have
// been, and whoever looks is told what to do.
func TestWhatWasStoppedByHandCannotBeRead(t *testing.T) {
	const overrides = "/data/declarations/overrides.json"
	inEstate(t, func(t *testing.T, e *estate) {
		require.NoError(t, e.runner.StopByHand(service("a"), "alice"))
		time.Sleep(time.Second)
		text, err := e.fsys.ReadFile(overrides)
		require.NoError(t, err)
		e.leave()
		require.NoError(t, e.fsys.WriteFile(overrides, text[:len(text)/2], 0o600))
		e.begin()
		for range 2 {
			_, err = e.files.Load(t.Context(), false)
			require.ErrorContains(t, err, "cannot read what was stopped by hand, and starts nothing that may have been: mend "+overrides+", or remove it")
			time.Sleep(time.Minute)
			assert.Empty(t, e.works())
		}
		assert.ErrorContains(t, e.runner.StopByHand(service("a"), "bob"), "cannot stop a: cannot read what was stopped by hand")
		assert.ErrorContains(t, e.runner.StartByHand(service("a")), "cannot start a: cannot read what was stopped by hand")
		plan := e.plan()
		require.Len(t, plan.Trouble, 1)
		assert.Contains(t, plan.Trouble[0], overrides)

		require.NoError(t, e.fsys.WriteFile(overrides, text, 0o600))
		e.keepText(trialFile("sleep, '1'"))
		time.Sleep(time.Minute)
		e.is(s6.StateStopped, "", "stopped by hand: by alice at 2000-01-01T00:01:00Z")
	})
}

// What is removed is forgotten: another one of its name runs.
func TestWhatIsRemovedIsNotStoppedByHand(t *testing.T) {
	inEstate(t, func(t *testing.T, e *estate) {
		require.NoError(t, e.runner.StopByHand(service("a"), "alice"))
		e.keepText("services: []\n")
		time.Sleep(time.Minute)
		assert.Empty(t, e.runner.StoppedByHand())
		e.keepText(trialFile("sleep, '1'"))
		time.Sleep(time.Minute)
		e.is(s6.StateRunning, "sleep 1", "")
	})
}

// By hand, things stop and start in order as well, and what cannot be written down
// is not done.
func TestByHandInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEstate(t)
		defer e.close()
		e.keep(map[string]wish{"a": {Sleeps: 1}, "b": {Sleeps: 1, Needs: "a"}, "c": {Sleeps: 1, Needs: "a"}})
		time.Sleep(time.Minute)
		stop := func(names ...string) {
			for _, name := range names {
				require.NoError(t, e.runner.StopByHand(service(name), "alice"))
			}
			time.Sleep(10 * time.Second)
		}
		moves := func(name string) (stopped, started time.Time) {
			s, _ := e.runner.Services.Instance(name)
			for _, move := range s.History {
				switch move.Event {
				case s6.EventStopDone:
					stopped = move.At
				case s6.EventStart:
					started = move.At
				}
			}
			return stopped, started
		}
		stop("b", "a")
		b, _ := moves("b")
		a, _ := moves("a")
		assert.False(t, a.Before(b))
		assert.Len(t, e.works(), 1, "c goes on")
		s, _ := e.runner.Services.Instance("b")
		assert.Regexp(t, "^stopped by hand", s.Reason.String())
		require.NoError(t, e.runner.StartByHand(service("b")))
		time.Sleep(10 * time.Second)
		s, _ = e.runner.Services.Instance("b")
		assert.Regexp(t, "^waits for a to be ready: it is stopped since .*: stopped by hand$", s.Reason.String())
		require.NoError(t, e.runner.StartByHand(service("a")))
		time.Sleep(10 * time.Second)
		assert.Len(t, e.works(), 3)

		e.runner.probation.store.FS = &fullDisk{FS: e.fsys}
		require.ErrorContains(t, e.runner.StopByHand(service("a"), "alice"), "cannot stop a: cannot write down what was stopped by hand: no space left")
		time.Sleep(10 * time.Second)
		assert.Len(t, e.works(), 3)
	})
}

// What is stopped or started by hand while everything ends changes nothing of the
// order in which it does.
func TestByHandAtTheEndOfEverything(t *testing.T) {
	inEstate(t, func(t *testing.T, e *estate) {
		e.tree.Install("slow", s6test.Program{StopAfter: 3 * time.Second})
		e.keepText(trialFile("sleep, '1'") + "  - {name: b, dependsOn: [a], s6ServiceConfig: {command: [slow]}}\n  - {name: c, s6ServiceConfig: {command: [sleep]}}\n")
		time.Sleep(time.Minute)
		ended := make(chan error)
		go func() { ended <- e.halt(30 * time.Second) }()
		time.Sleep(time.Second)
		require.NoError(t, e.runner.StopByHand(service("c"), "alice"))
		require.NoError(t, e.runner.StartByHand(service("c")))
		time.Sleep(time.Second)
		assert.Contains(t, e.works(), "b")
		assert.Contains(t, e.works(), "a")
		require.NoError(t, <-ended)
		assert.Empty(t, e.works())
	})
}
