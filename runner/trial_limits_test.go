package runner

import (
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/config"
	"github.com/evenkeel/evenkeel/filesystem/filesystemtest"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/s6test"
)

// The time of a change is from the end of the process before, and until its own has
// stayed for as long as it has to.
func TestChangeHasAllItsTime(t *testing.T) {
	inEstate(t, func(t *testing.T, e *estate) {
		e.tree.Install("slow", s6test.Program{StopAfter: 15 * time.Second})
		e.keepText(trialFile("slow", "stopTimeout: 30s"))
		time.Sleep(time.Minute)
		e.keepText(trialFile("sleep, '2'", "stopTimeout: 30s", "ready: {stays: 25s}"))
		time.Sleep(2 * time.Minute)
		e.is(s6.StateRunning, "sleep 2", "")
	})
}

// A full disk keeps what fills it from nothing that ends it.
func TestStopOnAFullDisk(t *testing.T) {
	inEstate(t, func(t *testing.T, e *estate) {
		e.keepText(trialFile("crash, '1'"))
		time.Sleep(time.Minute)
		e.is(s6.StateDegraded, "sleep 1", wasRejected)
		full := &fullDisk{FS: e.fsys}
		e.runner.probation.store.FS = full
		e.keepText("services: [{name: b, s6ServiceConfig: {command: [sleep, '3']}}]\n")
		time.Sleep(time.Minute)
		assert.Empty(t, e.works()["a"].Command)
		full.room.Store(true)
		time.Sleep(5 * time.Second)
		kept, err := e.files.Store.changes()
		require.NoError(t, err)
		assert.Empty(t, kept)
	})
}

// A stop changes nothing about a change that was taken back, or is tried.
func TestStopKeepsTheWayBack(t *testing.T) {
	inEstate(t, func(t *testing.T, e *estate) {
		e.keepText(trialFile("crash, '1'"))
		time.Sleep(time.Minute)
		e.is(s6.StateDegraded, "sleep 1", wasRejected)
		e.keepText(trialFile("crash, '1'", "desiredState: stopped"))
		time.Sleep(time.Minute)
		e.is(s6.StateStopped, "", "")
		e.leave()
		e.begin()
		e.keepText(trialFile("crash, '1'"))
		time.Sleep(5 * time.Second)
		e.is(s6.StateDegraded, "sleep 1", wasRejected)

		e.keepText(trialFile("crash, '2'"))
		time.Sleep(time.Second)
		e.keepText(trialFile("crash, '2'", "desiredState: stopped"))
		time.Sleep(time.Minute)
		e.is(s6.StateStopped, "", "")
		e.keepText(trialFile("crash, '2'"))
		time.Sleep(5 * time.Second)
		assert.True(t, e.runner.probation.tried(config.Key{Kind: config.KindService, Name: "a"}), "its time has begun anew")
		time.Sleep(time.Minute)
		e.is(s6.StateDegraded, "sleep 1", wasRejected)
	})
}

// What has run and does not any more is nothing to go back to.
func TestWhatDoesNotRunIsNoWayBack(t *testing.T) {
	inEstate(t, func(t *testing.T, e *estate) {
		e.tree.Install("sleep", s6test.Program{RunFor: 10 * time.Millisecond, ExitCode: 1})
		require.NoError(t, e.tree.Kill("a", syscall.SIGKILL))
		time.Sleep(time.Minute)
		e.keepText(trialFile("crash, '1'"))
		time.Sleep(2 * time.Minute)
		s, _ := e.runner.Services.Instance("a")
		assert.NotContains(t, s.Reason.String(), "rejected")
		assert.Contains(t, s.Reason.String(), "exited with 3")
	})
}

// What is essential, and has failed with a change, has failed where its way back is
// refused.
func TestWayBackThatIsRefused(t *testing.T) {
	inEstate(t, func(t *testing.T, e *estate) {
		const changes = "/data/declarations/changes.json"
		change := trialFile("crash, '1'", "essential: true", "giveUpAfter: 2")
		e.keepText(change)
		time.Sleep(500 * time.Millisecond)
		require.True(t, e.runner.probation.tried(service("a")))
		e.leave()
		text, err := e.fsys.ReadFile(changes)
		require.NoError(t, err)
		spoiled := strings.Replace(string(text), `"command"`, `"stopSignal": "NONE", "command"`, 1)
		require.NotEqual(t, string(text), spoiled)
		require.NoError(t, e.fsys.WriteFile(changes, []byte(spoiled), 0o600))
		e.begin()
		e.keepText(change)
		time.Sleep(time.Minute)
		require.Error(t, e.runner.Refused()[service("a")])
		e.is(s6.StateFailed, "", "its process ended 2 times in a row")
		failed := e.runner.Failed()
		require.NotNil(t, failed)
		assert.Equal(t, "a", failed.Name)
	})
}

// What was refused, and of which it is not known what it has, is no way back.
func TestUnknownIsNoWayBack(t *testing.T) {
	key := config.Key{Kind: config.KindService, Name: "a"}
	of := func(command string) Wanted {
		return Wanted{Declaration: &config.Declaration{Entries: map[config.Key]config.Entry{key: {State: s6.Running, Service: &s6.Spec{Command: []string{command}}}}}}
	}
	p := newProbation(Store{}, func(config.Key, bool) outcome { return outcome{runs: true} })
	w, before, err := p.take(of("1"))
	require.NoError(t, err)
	p.applied(w, before, map[config.Key]error{key: syscall.EINVAL})
	p.review(time.Now())
	_, _, err = p.take(of("2"))
	require.NoError(t, err)
	assert.Empty(t, p.all())
}

// outage is a time in which nothing can be read.
type outage struct{ atomic.Bool }

func (o *outage) Inject(filesystemtest.Op) filesystemtest.Fault {
	if o.Load() {
		return filesystemtest.Fault{Err: syscall.EIO}
	}
	return filesystemtest.Fault{}
}

func (*outage) String() string { return "an outage" }

// A change is not taken back because it cannot be seen whether it runs.
func TestChangeThatCannotBeSeen(t *testing.T) {
	inEstate(t, func(t *testing.T, e *estate) {
		dark := new(outage)
		e.leave()
		e.fails = []filesystemtest.Injector{dark}
		e.begin()
		e.keepText(trialFile("sleep, '1'"))
		time.Sleep(time.Minute)
		e.keepText(trialFile("sleep, '2'"))
		time.Sleep(500 * time.Millisecond)
		dark.Store(true)
		time.Sleep(time.Minute)
		dark.Store(false)
		time.Sleep(time.Minute)
		e.is(s6.StateRunning, "sleep 2", "")
	})
}
