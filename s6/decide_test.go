package s6_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

var now = time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)

// healthy is what is observed of a service that runs as it is to.
func healthy() s6.Observed {
	hash := strings.Repeat("a", 64)
	return s6.Observed{
		Exists: true, Linked: true, Watched: true, Supervised: true, LoggerSupervised: true, Locked: true,
		WantHash: hash, Hash: hash, WantProcess: hash, Started: hash, Intact: true,
		Status:       supervise.Status{PID: 7, WantUp: true, Stamp: now.Add(-time.Hour), ReadyStamp: now.Add(-time.Hour)},
		StartTimeout: 30 * time.Second, Stays: time.Second,
	}
}

// lying is what is observed of a service that is down as it is to.
func lying() s6.Observed {
	o := healthy()
	o.AskedDown, o.Locked = true, false
	o.Status = supervise.Status{Ready: true, Stamp: now.Add(-time.Hour), ReadyStamp: now.Add(-time.Hour)}
	return o
}

// crashed is what is observed of a service that has just ended by itself, with its
// finish script.
func crashed() s6.Observed {
	o := healthy()
	o.Locked, o.Deaths, o.Restarts, o.Unasked = false, 1, 1, true
	o.Status = supervise.Status{WantUp: true, Ready: true, WaitStatus: 1 << 8, Stamp: now, ReadyStamp: now}
	o.Last = supervise.Death{Time: now, ExitCode: 1}
	return o
}

const doesNotRun = "its process does not run: exited with 1 at 2024-05-06T07:08:09Z"

// failing is what is known of a process that does not answer its check.
var failing = s6.Checked{
	What: "connect to 127.0.0.1:5432", Passed: true, At: now, Problem: "connection refused",
	Failures: 3, Since: now.Add(-12 * time.Second), Limit: 3,
}

func input(state, want fsm.State, o s6.Observed) fsm.Input[*s6.Spec, s6.Observed] {
	return fsm.Input[*s6.Spec, s6.Observed]{
		Now: now, State: state, Since: now.Add(-10 * time.Second),
		Desired: desired{State: want, Spec: plainSpec}, Observed: o,
	}
}

func TestDecide(t *testing.T) {
	type observed = *s6.Observed
	for _, test := range []struct {
		name        string
		state, want fsm.State
		from        func() s6.Observed
		but         func(o observed)
		do          []fsm.Action
		fire        fsm.Event
		reason      string
	}{
		{name: "runs", state: s6.StateRunning, want: s6.Running, from: healthy},
		{name: "is down", state: s6.StateStopped, want: s6.Stopped, from: lying},
		{name: "a command that is missing is not started", state: s6.StateStopped, want: s6.Running, from: lying,
			but: func(o observed) { o.CommandProblem = "/x does not exist" }, fire: s6.EventStart, reason: "asked to be running"},
		{name: "a command that is missing has its path in the reason", state: s6.StateStarting, want: s6.Running, from: lying,
			but:  func(o observed) { o.CommandProblem = "/x does not exist" },
			fire: s6.EventStartFailed, reason: "its command cannot be started: /x does not exist"},
		{name: "a new configuration does not start a command that is missing", state: s6.StateDegraded, want: s6.Running, from: lying,
			but: func(o observed) { o.CommandProblem, o.Hash = "/x does not exist", "" },
			do:  []fsm.Action{"write"}, reason: "its configuration changed"},
		{name: "the process has just begun and has not said what from", state: s6.StateStarting, want: s6.Running, from: healthy,
			but:    func(o observed) { o.Started, o.Status.Stamp = "", now.Add(-time.Millisecond) },
			reason: "waiting for its process to be ready"},
		{name: "the process never says what from", state: s6.StateStarting, want: s6.Running, from: healthy,
			but: func(o observed) { o.Started = "" }, fire: s6.EventStartDone, reason: "its process runs: pid 7"},
		{name: "an event may be on its way that says never to start it", state: s6.StateDegraded, want: s6.Running, from: lying,
			but: func(o observed) { o.Status.ReadyStamp = now.Add(-time.Millisecond) }, reason: "its process does not run"},
		{name: "no such event came", state: s6.StateDegraded, want: s6.Running, from: lying,
			do: []fsm.Action{"bring up"}, reason: "its process does not run"},
		{name: "the event came", state: s6.StateDegraded, want: s6.Running, from: lying,
			but: func(o observed) { o.Failed = true }, fire: s6.EventGiveUp, reason: "its finish command said not to start it again"},
		{name: "it has ended well", state: s6.StateRunning, want: s6.Running, from: lying,
			but: func(o observed) { o.Verdict = s6.VerdictDone }, fire: s6.EventFinish, reason: "its process has ended well"},
		{name: "it has ended well, and is told to run", state: s6.StateDone, want: s6.Running, from: lying,
			but: func(o observed) { o.Verdict, o.Status.WantUp = s6.VerdictDone, true }, fire: s6.EventStart, reason: "it was told to run again"},
		{name: "it is done and to stop", state: s6.StateStopping, want: s6.Stopped, from: lying,
			but: func(o observed) { o.Verdict = s6.VerdictDone }, do: []fsm.Action{"bring down"}, reason: "asked to be stopped"},
		{name: "it pauses", state: s6.StateStopped, want: s6.Running, from: lying,
			but: func(o observed) { o.Waits, o.Failures, o.Status.WantUp = now.Add(time.Hour), 3, true }, fire: s6.EventBackOff,
			reason: "its process ended 3 times in a row: the next one begins at 2024-05-06T08:08:09Z"},
		{name: "the same while starting", state: s6.StateStarting, want: s6.Running, from: lying,
			but: func(o observed) { o.Status.ReadyStamp = now.Add(-time.Millisecond) }, reason: "waiting for its process to start"},
		{name: "crashed for the first time", state: s6.StateDegraded, want: s6.Running, from: crashed, do: []fsm.Action{"start at once"},
			reason: "its process ended for the first time in 30s, and another is started at once: exited with 1 at 2024-05-06T07:08:09Z"},
		{name: "crashed for the first time, and is to stop", state: s6.StateDegraded, want: s6.Stopped, from: crashed,
			fire: s6.EventStop, reason: "asked to be stopped"},
		{name: "crashed for the first time while starting", state: s6.StateStarting, want: s6.Running, from: crashed,
			reason: "waiting for its process to start: exited with 1 at 2024-05-06T07:08:09Z"},
		{name: "crashed for the first time, and is about to pause for less than s6 does", state: s6.StateBackingOff, want: s6.Running, from: crashed,
			but: func(o observed) { o.Pauses, o.Failures, o.Waits = true, 1, now.Add(time.Second/2) }, do: []fsm.Action{"start at once"},
			reason: "its process ended: the next one begins at 2024-05-06T07:08:09Z: exited with 1 at 2024-05-06T07:08:09Z"},
		{name: "crashed for the first time, and is about to pause for longer", state: s6.StateBackingOff, want: s6.Running, from: crashed,
			but:    func(o observed) { o.Pauses, o.Failures, o.Waits = true, 1, now.Add(time.Hour) },
			reason: "its process ended: the next one begins at 2024-05-06T08:08:09Z: exited with 1 at 2024-05-06T07:08:09Z"},
		{name: "crashed again", state: s6.StateDegraded, want: s6.Running, from: crashed,
			but: func(o observed) { o.Deaths = 2 }, reason: doesNotRun},
		{name: "ended, as was asked", state: s6.StateDegraded, want: s6.Running, from: crashed,
			but: func(o observed) { o.Unasked = false }, reason: doesNotRun},
		{name: "its last end is not in the tally, so that each would be the first", state: s6.StateDegraded, want: s6.Running, from: crashed,
			but: func(o observed) { o.Status.Stamp = now.Add(time.Millisecond) }, reason: doesNotRun},
		{name: "crashed for the first time, and its finish script runs", state: s6.StateDegraded, want: s6.Running, from: crashed,
			but: func(o observed) { o.Status.PID, o.Status.Finishing = 8, true }, reason: doesNotRun},
		{name: "crashed for the first time, and was told to go down", state: s6.StateDegraded, want: s6.Running, from: crashed,
			but: func(o observed) { o.Status.WantUp = false }, reason: doesNotRun},
		{name: "crashed for the first time, and its file says that it is down", state: s6.StateDegraded, want: s6.Running, from: crashed,
			but: func(o observed) { o.AskedDown = true }, reason: doesNotRun},
		{name: "crashed for the first time, and s6 was told a moment ago", state: s6.StateDegraded, want: s6.Running, from: crashed,
			but: func(o observed) { o.Unheard = true }, reason: doesNotRun},
		{name: "crashed for the first time, and its command is gone", state: s6.StateDegraded, want: s6.Running, from: crashed,
			but: func(o observed) { o.CommandProblem = "/x does not exist" }, reason: "its command cannot be started: /x does not exist"},
		{name: "crashed for the first time, and has left something", state: s6.StateDegraded, want: s6.Running, from: crashed,
			but: func(o observed) { o.Left = []int{9} }, do: []fsm.Action{"end what was left running"},
			reason: "its process has ended and what that has started has not: pid 9"},
		{name: "does not answer its check", state: s6.StateRunning, want: s6.Running, from: healthy,
			but: func(o observed) { o.Check = failing }, fire: s6.EventDegraded,
			reason: "it does not answer its check: connect to 127.0.0.1:5432: connection refused (3 times in 12s)"},
		{name: "fails its check, and not often enough", state: s6.StateRunning, want: s6.Running, from: healthy,
			but: func(o observed) { o.Check = failing; o.Check.Limit = 4 }},
		{name: "does not answer, and is to be restarted", state: s6.StateDegraded, want: s6.Running, from: healthy,
			but: func(o observed) { o.Check = failing; o.Check.Restart = true }, do: []fsm.Action{"restart for its check"},
			reason: "it does not answer its check: connect to 127.0.0.1:5432: connection refused (3 times in 12s)"},
		{name: "does not answer, and is to be restarted later", state: s6.StateDegraded, want: s6.Running, from: healthy,
			but: func(o observed) {
				o.Check = failing
				o.Check.Restart, o.Check.Restarts, o.Check.Next = true, 2, now.Add(time.Minute)
			},
			reason: "it does not answer its check: connect to 127.0.0.1:5432: connection refused (3 times in 12s); it has been restarted for that 2 times in a row, and is again at 2024-05-06T07:09:09Z"},
		{name: "cannot be checked, and is not restarted for that", state: s6.StateDegraded, want: s6.Running, from: healthy,
			but:    func(o observed) { o.Check = failing; o.Check.Restart, o.Check.Unmade = true, true },
			reason: "its check cannot be made: connect to 127.0.0.1:5432: connection refused (3 times in 12s)"},
		{name: "does not answer, and is to stop", state: s6.StateDegraded, want: s6.Stopped, from: healthy,
			but: func(o observed) { o.Check = failing; o.Check.Restart = true }, fire: s6.EventStop, reason: "asked to be stopped"},
		{name: "is to be replaced for its check", state: s6.StateDegraded, want: s6.Running, from: healthy,
			but: func(o observed) { o.Started, o.Check.Why = strings.Repeat("3", 64), "why" }, do: []fsm.Action{"restart"},
			reason: "it did not answer its check, and is restarted: why"},
		{name: "was to be replaced for its check when the program began", state: s6.StateRunning, want: s6.Running, from: healthy,
			but:  func(o observed) { o.Started, o.Check.Why = strings.Repeat("3", 64), "why" },
			fire: s6.EventRestart, reason: "it did not answer its check, and is restarted: why"},
		{name: "has not passed its check yet", state: s6.StateStarting, want: s6.Running, from: healthy,
			but: func(o observed) { o.Check = failing; o.Check.Passed, o.Check.Failures = false, 0 }, reason: "waiting for it to pass its check: connect to 127.0.0.1:5432: connection refused"},
		{name: "has not passed its check in time", state: s6.StateStarting, want: s6.Running, from: healthy,
			but: func(o observed) {
				o.Check, o.StartTimeout = failing, 9*time.Second
				o.Check.Passed, o.Check.Failures = false, 1
			}, fire: s6.EventStartFailed, reason: "it did not pass its check in time: connect to 127.0.0.1:5432: connection refused (once)"},
		{name: "fails its check from the start", state: s6.StateStarting, want: s6.Running, from: healthy,
			but: func(o observed) { o.Check = failing; o.Check.Passed = false }, fire: s6.EventStartFailed,
			reason: "it does not answer its check: connect to 127.0.0.1:5432: connection refused (3 times in 12s)"},
		{name: "has not passed its check since it was degraded", state: s6.StateDegraded, want: s6.Running, from: healthy,
			but:    func(o observed) { o.Check = failing; o.Check.Passed, o.Check.Failures = false, 0 },
			reason: "waiting for it to pass its check: connect to 127.0.0.1:5432: connection refused"},
		{name: "passes its check", state: s6.StateDegraded, want: s6.Running, from: healthy,
			but:  func(o observed) { o.Check = s6.Checked{What: failing.What, Passed: true, Limit: 3} },
			fire: s6.EventRecovered, reason: "its process runs: pid 7"},
		{name: "another check of what runs has not been passed yet", state: s6.StateRunning, want: s6.Running, from: healthy,
			but: func(o observed) { o.Check = s6.Checked{What: failing.What, Limit: 3} }},
		{name: "paused", state: s6.StateRunning, want: s6.Running, from: healthy,
			but: func(o observed) { o.Status.Paused = true }, fire: s6.EventDegraded, reason: "its process is paused"},
		{name: "up and not ready", state: s6.StateRunning, want: s6.Running, from: healthy,
			but: func(o observed) { o.ReadyRequired = true }, fire: s6.EventDegraded, reason: "its process is not ready"},
		{name: "never ready", state: s6.StateStarting, want: s6.Running, from: healthy,
			but:  func(o observed) { o.ReadyRequired, o.StartTimeout = true, time.Second },
			fire: s6.EventStartFailed, reason: "it did not become ready in time"},
		{name: "crashing", state: s6.StateRunning, want: s6.Running, from: healthy,
			but: func(o observed) { o.Deaths = 3 }, fire: s6.EventDegraded, reason: "its process ended 3 times in 30s"},
		{name: "crashed twice", state: s6.StateRunning, want: s6.Running, from: healthy, but: func(o observed) { o.Deaths = 2 }},
		{name: "only its logs are to be others", state: s6.StateRunning, want: s6.Running, from: healthy,
			but: func(o observed) { o.WantHash = "b" }, do: []fsm.Action{"write"}, reason: "its configuration changed, but not for the process"},
		{name: "its process is to be another", state: s6.StateRunning, want: s6.Running, from: healthy,
			but: func(o observed) { o.WantHash, o.WantProcess = "b", "b" },
			do:  []fsm.Action{"write"}, fire: s6.EventRestart, reason: "its configuration changed"},
		{name: "written, not restarted", state: s6.StateStarting, want: s6.Running, from: healthy,
			but: func(o observed) { o.Started = "b" }, do: []fsm.Action{"restart"}, reason: "its process is from before the change"},
		{name: "a stray process", state: s6.StateDegraded, want: s6.Running, from: healthy,
			but: func(o observed) { o.StrayPID = 5 }, do: []fsm.Action{"end stray process"},
			reason: "one of its processes has lost its supervisor: pid 5"},
		{name: "to stop with a stray process: nothing may take its place", state: s6.StateStopping, want: s6.Stopped, from: healthy,
			but: func(o observed) { o.StrayPID = 5 }, do: []fsm.Action{"bring down"}, reason: "asked to be stopped"},
		{name: "told to end, and not killed in its time", state: s6.StateStopping, want: s6.Stopped, from: healthy,
			but: func(o observed) { o.AskedDown, o.Status.WantUp, o.Told, o.Overdue = true, false, true, true },
			do:  []fsm.Action{"bring down"}, reason: "its process has not ended in its time and is killed: pid 7"},
		{name: "told to end, in its time", state: s6.StateStopping, want: s6.Stopped, from: healthy,
			but: func(o observed) { o.AskedDown, o.Status.WantUp, o.Told = true, false, true }, reason: "waiting for its process to end: pid 7"},
		{name: "to stop, down, but for a stray process", state: s6.StateStopping, want: s6.Stopped, from: lying,
			but: func(o observed) { o.Locked, o.StrayPID = true, 5 }, do: []fsm.Action{"end stray process"},
			reason: "one of its processes has lost its supervisor: pid 5"},
		{name: "to stop, down, but somebody holds its lock", state: s6.StateStopping, want: s6.Stopped, from: lying,
			but: func(o observed) { o.Locked = true }, reason: "waiting for its process to end: its instance lock is held"},
		{name: "its finish command runs", state: s6.StateStopping, want: s6.Stopped, from: lying,
			but: func(o observed) { o.Status.PID, o.Status.Finishing = 9, true }, reason: "waiting for its process to end: pid 9"},
		{name: "without a supervisor somebody holds its lock: nothing is deleted", state: fsm.StateRemoving, want: fsm.StateRemoved, from: lying,
			but:    func(o observed) { o.Locked, o.Linked, o.Supervised, o.LoggerSupervised = true, false, false, false },
			reason: "waiting for its process to end: its instance lock is held"},
		{name: "started by hand though it is to be stopped", state: s6.StateStopped, want: s6.Stopped, from: healthy,
			fire: s6.EventStop, reason: "it runs though it is to be stopped"},
		{name: "would start by itself with the tree", state: s6.StateStopped, want: s6.Stopped, from: lying,
			but: func(o observed) { o.AskedDown = false }, do: []fsm.Action{"bring down"}, reason: "it would start by itself with the tree"},
		{name: "parts of it are left", state: fsm.StateRemoving, want: fsm.StateRemoved, from: func() s6.Observed { return s6.Observed{Leftover: true} },
			do: []fsm.Action{"remove"}, reason: "being removed: parts of its service directory are there"},
		{name: "nothing is left", state: fsm.StateRemoving, want: fsm.StateRemoved, from: func() s6.Observed { return s6.Observed{} },
			fire: fsm.EventRemoveDone, reason: "nothing of it is left"},
		{name: "a clock that was set back does not hold recovery up", state: s6.StateDegraded, want: s6.Running, from: healthy,
			but: func(o observed) { o.Status.Stamp = now.Add(time.Hour) }, fire: s6.EventRecovered, reason: "its process runs: pid 7"},
		{name: "up for a moment", state: s6.StateStarting, want: s6.Running, from: healthy,
			but: func(o observed) { o.Status.Stamp = now.Add(-time.Millisecond) }, reason: "it has only just started"},
		{name: "a restart was asked for", state: s6.StateRunning, want: s6.Running, from: healthy,
			but: func(o observed) { o.Started = strings.Repeat("1", 64) }, fire: s6.EventRestart, reason: "a restart was asked for"},
		{name: "a restart was asked for and begins", state: s6.StateStarting, want: s6.Running, from: healthy,
			but: func(o observed) { o.Started = strings.Repeat("1", 64) }, do: []fsm.Action{"restart"}, reason: "a restart was asked for"},
		{name: "another owner's", state: s6.StateRunning, want: s6.Running, from: healthy,
			but: func(o observed) { o.Owner = "theirs" }, fire: s6.EventDegraded, reason: "a service of another owner has its name: it belongs to theirs"},
		{name: "another owner's, to be removed", state: s6.StateStopped, want: fsm.StateRemoved, from: healthy,
			but: func(o observed) { o.Owner = "theirs" }, fire: fsm.EventRemove, reason: "a service of another owner has its name: it belongs to theirs"},
		{name: "up again for a moment", state: s6.StateDegraded, want: s6.Running, from: healthy,
			but: func(o observed) { o.Status.Stamp = now.Add(-time.Millisecond) }, reason: "it has only just started"},
		{name: "up again and ready", state: s6.StateDegraded, want: s6.Running, from: healthy,
			but: func(o observed) {
				o.Status.Stamp, o.ReadyRequired, o.Status.Ready, o.Stays = now.Add(-time.Millisecond), true, true, 0
			},
			fire: s6.EventRecovered, reason: "its process runs: pid 7"},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := test.from()
			if test.but != nil {
				test.but(&o)
			}
			d := s6.Decide(input(test.state, test.want, o))
			assert.Equal(t, test.do, d.Do)
			assert.Equal(t, test.fire, d.Fire)
			assert.Equal(t, test.reason, d.Reason.String())
		})
	}
}

// TestEveryTroubleHasItsReason: what keeps a service from running is said, with
// the evidence, and it is looked at again.
func TestEveryTroubleHasItsReason(t *testing.T) {
	for reason, but := range map[string]func(o *s6.Observed){
		"not in place yet: its service directory is missing":                      func(o *s6.Observed) { o.Exists = false },
		"not in place yet: the scan directory does not link to it":                func(o *s6.Observed) { o.Linked = false },
		"not in place yet: s6-svscan has started no supervisor for it":            func(o *s6.Observed) { o.Supervised = false },
		"not in place yet: s6-svscan has started no supervisor for its logger":    func(o *s6.Observed) { o.LoggerSupervised = false },
		"not in place yet: its events are not listened to":                        func(o *s6.Observed) { o.Watched = false },
		"its process ended 4 times in 30s: exited with 3 at 2024-05-06T07:08:09Z": func(o *s6.Observed) { o.Deaths, o.Last = 4, supervise.Death{Time: now, ExitCode: 3} },
		"its process does not run: ended by signal 9 (killed) at 2024-05-06T07:08:09Z": func(o *s6.Observed) {
			o.Status, o.Last = supervise.Status{WantUp: true}, supervise.Death{Time: now, ExitCode: 137, Signal: 9}
		},
	} {
		o := healthy()
		but(&o)
		d := s6.Decide(input(s6.StateDegraded, s6.Running, o))
		assert.Equal(t, reason, d.Reason.String())
		assert.Positive(t, d.After, reason)
	}
}

// TestDecideAllocatesNothing holds for a service that is as it is to be, and
// for one that is waited for.
func TestDecideAllocatesNothing(t *testing.T) {
	slow := healthy()
	slow.ReadyRequired = true
	for name, in := range map[string]fsm.Input[*s6.Spec, s6.Observed]{
		"running": input(s6.StateRunning, s6.Running, healthy()),
		"stopped": input(s6.StateStopped, s6.Stopped, lying()),
		"waiting": input(s6.StateStarting, s6.Running, slow),
		"removed": input(fsm.StateRemoved, fsm.StateRemoved, s6.Observed{}),
	} {
		var d fsm.Decision
		assert.Zero(t, testing.AllocsPerRun(100, func() { d = s6.Decide(in) }), name)
		require.Empty(t, d.Do, name)
	}
}
