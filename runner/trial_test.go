package runner

import (
	"io/fs"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/benthos/benthostest"
	"github.com/evenkeel/evenkeel/config"
	"github.com/evenkeel/evenkeel/filesystem"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/s6test"
)

// trialFile has a service a that runs a command, with further keys.
func trialFile(command string, more ...string) string {
	return "services:\n  - name: a\n    startTimeout: 20s\n    s6ServiceConfig: {command: [" + command + "]}\n    " + strings.Join(more, "\n    ") + "\n"
}

// inEstate runs a test with a service a that has run sleep 1 for a minute.
func inEstate(t *testing.T, test func(t *testing.T, e *estate)) {
	synctest.Test(t, func(t *testing.T) {
		e := newEstate(t)
		defer e.close()
		e.tree.Install("crash", s6test.Program{RunFor: 10 * time.Millisecond, ExitCode: 3})
		e.keepText(trialFile("sleep, '1'"))
		time.Sleep(time.Minute)
		test(t, e)
	})
}

// is checks what a is, and what its process was made from.
func (e *estate) is(state fsm.State, command, reason string) {
	e.t.Helper()
	synctest.Wait()
	s, held := e.runner.Services.Instance("a")
	require.True(e.t, held)
	assert.Equal(e.t, state, s.State, s.Reason)
	assert.Contains(e.t, s.Reason.String(), reason)
	assert.Equal(e.t, command, strings.Join(e.works()["a"].Command, " "))
}

// plan plans what the program's own files ask for.
func (e *estate) plan() *Plan {
	streams := benthos.Options{Engine: "/usr/bin/benthos", Prober: benthostest.NewProber()}
	return Planner{Reader: e.files.Reader, Paths: e.files.Paths, Store: e.files.Store, Tree: s6.LookAt(e.tree), Streams: streams}.Plan(e.t.Context())
}

func (e *estate) pid() int { return e.works()["a"].PID }

// fullDisk is a filesystem on which nothing can be replaced until there is room.
type fullDisk struct {
	filesystem.FS
	room atomic.Bool
}

func (d *fullDisk) ReplaceFile(name string, data []byte, mode fs.FileMode) error {
	if !d.room.Load() {
		return syscall.ENOSPC
	}
	return d.FS.ReplaceFile(name, data, mode)
}

const wasRejected = "change rejected: it was degraded: its process does not run: exited with 3"

func TestChangeThatDoesNotRunIsTakenBack(t *testing.T) {
	inEstate(t, func(t *testing.T, e *estate) {
		e.keepText(trialFile("sleep, '1'") + "  - {name: b, s6ServiceConfig: {command: [sleep]}}\n") // which is no change of it
		e.keepText(trialFile("crash, '1'"))
		time.Sleep(15 * time.Second)
		s, _ := e.runner.Services.Instance("a")
		assert.NotContains(t, s.Reason.String(), "rejected")
		time.Sleep(6 * time.Second)
		e.is(s6.StateDegraded, "sleep 1", wasRejected)
		pid := e.pid()
		plan := e.plan()
		assert.Equal(t, map[string]fsm.ChangeKind{"a": fsm.ChangeNone}, changes(plan))
		require.Len(t, plan.Problems, 1)
		assert.Contains(t, plan.Problems[0].Error(), "f.yaml:2:5: a stays as it was: this change was taken back, and is not tried again until it is another one: it was degraded")

		// It is not tried again, neither by this program nor by the next.
		e.keepText(trialFile("crash, '1'") + "# again\n")
		time.Sleep(time.Minute)
		e.leave()
		e.begin()
		e.keepText(trialFile("crash, '1'"))
		time.Sleep(time.Minute)
		e.is(s6.StateDegraded, "sleep 1", wasRejected)
		assert.Equal(t, pid, e.pid())

		// What it was before, is no change.
		e.keepText(trialFile("sleep, '1'"))
		time.Sleep(time.Second)
		e.is(s6.StateRunning, "sleep 1", "")
		assert.Equal(t, pid, e.pid())
		e.keepText(trialFile("crash, '1'"))
		time.Sleep(time.Minute)
		e.is(s6.StateDegraded, "sleep 1", wasRejected)

		// Another one is tried.
		e.keepText(trialFile("sleep, '2'"))
		time.Sleep(5 * time.Second)
		e.is(s6.StateRunning, "sleep 2", "")
		kept, err := e.files.Store.changes()
		require.NoError(t, err)
		assert.Empty(t, kept)
	})
}

// Listeners hear that a change was taken back once, and when it is not asked for
// any more.
func TestChangeThatWasTakenBackIsToldToItsEnd(t *testing.T) {
	inEstate(t, func(t *testing.T, e *estate) {
		var told []string
		e.runner.Services.Listen(func(n fsm.Notice) {
			switch n := n.(type) {
			case fsm.Refused:
				told = append(told, "refused: "+n.Err.Error())
			case fsm.RefusalEnded:
				told = append(told, "ended: "+n.Err.Error())
			}
		})
		heard := func() []string {
			time.Sleep(time.Minute)
			synctest.Wait()
			said := told
			told = nil
			return said
		}
		for range 2 {
			e.keepText(trialFile("crash, '1'"))
			said := heard()
			require.Len(t, said, 1)
			why, refused := strings.CutPrefix(said[0], "refused: ")
			require.True(t, refused, said)
			assert.Contains(t, why, wasRejected)
			e.keepText(trialFile("crash, '1'") + "# again\n")
			assert.Empty(t, heard(), "it stands")
			e.keepText(trialFile("sleep, '1'"))
			assert.Equal(t, []string{"ended: " + why}, heard())
		}
	})
}

// A program that is killed while a change is tried leaves the way back to the next.
func TestWayBackOutlivesTheProgram(t *testing.T) {
	inEstate(t, func(t *testing.T, e *estate) {
		e.keepText(trialFile("crash, '1'"))
		time.Sleep(5 * time.Second)
		e.leave()
		time.Sleep(time.Hour)
		e.begin()
		e.keepText(trialFile("crash, '1'"))
		time.Sleep(30 * time.Second)
		e.is(s6.StateDegraded, "sleep 1", wasRejected)
	})
}

// What ran before may fail by now. Both is said.
func TestWhatRanBeforeFailsToo(t *testing.T) {
	inEstate(t, func(t *testing.T, e *estate) {
		e.keepText(trialFile("crash, '1'"))
		e.tree.Install("sleep", s6test.Program{RunFor: 10 * time.Millisecond, ExitCode: 4})
		time.Sleep(time.Minute)
		s, _ := e.runner.Services.Instance("a")
		assert.Equal(t, s6.StateDegraded, s.State)
		assert.Regexp(t, `^its process does not run: exited with 4 .*; change rejected: it was degraded: .* exited with 3`, s.Reason.String())
	})
}

// Further changes of what is tried have the same way back, and time of their own.
func TestChangeOfWhatIsTried(t *testing.T) {
	inEstate(t, func(t *testing.T, e *estate) {
		for range 5 {
			e.keepText(trialFile("crash, '1'"))
			time.Sleep(15 * time.Second)
			e.keepText(trialFile("crash, '2'"))
			time.Sleep(15 * time.Second)
			s, _ := e.runner.Services.Instance("a")
			assert.NotContains(t, s.Reason.String(), "rejected")
		}
		time.Sleep(15 * time.Second)
		e.is(s6.StateDegraded, "sleep 1", wasRejected)
	})
}

// What has failed for good is taken back at once, and does not end the program
// though it is essential.
func TestEssentialChangeIsTakenBack(t *testing.T) {
	inEstate(t, func(t *testing.T, e *estate) {
		e.keepText(trialFile("sleep, '1'", "essential: true"))
		time.Sleep(time.Minute)
		e.keepText(trialFile("crash, '1'", "essential: true", "giveUpAfter: 2"))
		e.runner.Services.Listen(func(n fsm.Notice) { assert.Nil(t, e.runner.Failed(), "when %v", n) })
		full := &fullDisk{FS: e.fsys}
		e.runner.probation.store.FS = full
		for range 100 {
			time.Sleep(50 * time.Millisecond)
			assert.Nil(t, e.runner.Failed())
		}
		e.is(s6.StateFailed, "", "its process ended 2 times in a row")
		full.room.Store(true)
		time.Sleep(2 * time.Second)
		e.is(s6.StateDegraded, "sleep 1", "change rejected: it was failed: its process ended 2 times in a row")
	})
}

// A job is not done again in the way in which it was done before, what was never
// seen to run is no way back, and what waits for others has time.
func TestNoWayBack(t *testing.T) {
	for name, file := range map[string]string{
		"a job":            trialFile("crash, '1'", "restart: never"),
		"it is stopped":    trialFile("crash, '1'", "desiredState: stopped"),
		"waits for others": trialFile("crash, '1'", "dependsOn: [b]") + "  - {name: b, s6ServiceConfig: {command: [crash]}}\n",
	} {
		t.Run(name, func(t *testing.T) {
			inEstate(t, func(t *testing.T, e *estate) {
				e.keepText(trialFile("sleep, '1'", "desiredState: stopped"))
				time.Sleep(time.Minute)
				e.keepText(file)
				time.Sleep(5 * time.Minute)
				s, _ := e.runner.Services.Instance("a")
				assert.NotContains(t, s.Reason.String(), "rejected")
				assert.Empty(t, e.works()["a"].Command)
			})
		})
	}
	t.Run("a job that ran", func(t *testing.T) {
		inEstate(t, func(t *testing.T, e *estate) {
			e.keepText(trialFile("crash, '1'", "restart: never"))
			time.Sleep(5 * time.Minute)
			e.is(s6.StateFailed, "", "its process failed, and is not to run again")
		})
	})
	t.Run("it has never run", func(t *testing.T) {
		inEstate(t, func(t *testing.T, e *estate) {
			e.keepText("--- {services: []}\n")
			e.keepText(trialFile("crash, '1'"))
			time.Sleep(time.Minute)
			e.keepText(trialFile("crash, '2'"))
			time.Sleep(5 * time.Minute)
			s, _ := e.runner.Services.Instance("a")
			assert.NotContains(t, s.Reason.String(), "rejected")
		})
	})
}

// While managers are asked for a change, what they have is what was before it.
func TestChangeIsNotJudgedBeforeItIsAskedFor(t *testing.T) {
	key := config.Key{Kind: config.KindService, Name: "a"}
	of := func(command string) *config.Declaration {
		return &config.Declaration{Entries: map[config.Key]config.Entry{key: {State: s6.Running, Service: &s6.Spec{Command: []string{command}}}}}
	}
	p := newProbation(Store{}, func(config.Key, bool) outcome { return outcome{runs: true} })
	p.recall(of("1"), make(trials))
	w, before, err := p.take(Wanted{Declaration: of("2")})
	require.NoError(t, err)
	p.review(time.Now())
	assert.True(t, p.tried(key))
	p.applied(w, before, nil)
	p.review(time.Now())
	assert.False(t, p.tried(key))
}

// What waits for others has all its time after that.
func TestChangeThatWaitsIsNotLate(t *testing.T) {
	inEstate(t, func(t *testing.T, e *estate) {
		depends := trialFile("sleep, '2'", "dependsOn: [b]") + "  - {name: b, s6ServiceConfig: {command: [crash]}}\n"
		e.keepText(depends) // and the machine goes down before it has run for long enough
		e.leave()
		e.tree = e.tree.Reboot()
		require.NoError(t, e.tree.FS().WriteFile(e.tree.Layout().Service("a")+"/down", nil, 0o644))
		e.tree.StartSvscan()
		e.begin()
		e.keepText(depends)
		require.True(t, e.runner.probation.tried(config.Key{Kind: config.KindService, Name: "a"}))
		time.Sleep(5 * time.Minute)
		e.is(s6.StateStopped, "", "waits for b to be ready: it is degraded since")
		e.tree.Install("crash", s6test.Program{})
		time.Sleep(time.Minute)
		e.is(s6.StateRunning, "sleep 2", "")
	})
}

// What was written down of changes and cannot be read is told, and a change that is
// tried again for that has a way back.
func TestStoreOfChangesThatCannotBeRead(t *testing.T) {
	inEstate(t, func(t *testing.T, e *estate) {
		e.keepText(trialFile("crash, '1'"))
		time.Sleep(time.Minute)
		e.leave()
		require.NoError(t, e.fsys.WriteFile("/data/declarations/changes.json", []byte(`[{"kind": "service"}`), 0o600))
		e.begin()
		var told []string
		e.files.Tell = func(problem error) { told = append(told, problem.Error()) }
		e.keepText(trialFile("crash, '1'"))
		require.Len(t, told, 1)
		assert.Contains(t, told[0], "cannot read which changes were tried and taken back")
		time.Sleep(time.Minute)
		e.is(s6.StateDegraded, "sleep 1", wasRejected)
	})
}

// At the end of everything nothing is taken back, for that would run again. What is
// tried is left to the next program.
func TestEndOfEverythingTakesNothingBack(t *testing.T) {
	inEstate(t, func(t *testing.T, e *estate) {
		e.tree.Install("slow", s6test.Program{StopAfter: 9 * time.Second, ReadyAfter: s6test.Never})
		e.keepText(trialFile("slow", "ready: {fd: 3}"))
		time.Sleep(16 * time.Second)
		require.NoError(t, e.halt(15*time.Second))
		time.Sleep(time.Minute)
		e.is(s6.StateStopped, "", "")
		kept, err := e.files.Store.changes()
		require.NoError(t, err)
		require.Len(t, kept, 1)
		assert.Empty(t, kept[config.Key{Kind: config.KindService, Name: "a"}].Rejected)
	})
}

// What runs with what was before a change is what others depend on, once it is
// ready.
func TestChangeThatIsTakenBackHoldsNobodyUp(t *testing.T) {
	inEstate(t, func(t *testing.T, e *estate) {
		e.tree.Install("late", s6test.Program{ReadyAfter: 3 * time.Second})
		e.keepText(trialFile("late", "ready: {fd: 3}"))
		time.Sleep(time.Minute)
		e.keepText(trialFile("crash, '1'"))
		time.Sleep(time.Minute)
		e.is(s6.StateDegraded, "late", wasRejected)
		e.leave()
		e.tree = e.tree.Reboot()
		e.tree.StartSvscan()
		e.begin()
		e.keepText(trialFile("crash, '1'") + "  - {name: b, dependsOn: [a], s6ServiceConfig: {command: [sleep]}}\n")
		time.Sleep(time.Minute)
		e.is(s6.StateDegraded, "late", wasRejected)
		s, _ := e.runner.Services.Instance("b")
		require.Equal(t, s6.StateRunning, s.State, s.Reason)
		works := e.works()
		assert.GreaterOrEqual(t, works["b"].Started.Sub(works["a"].Started), 3*time.Second)
	})
}

// What has come to its end is not done again because a change of it does not run.
func TestWhatIsOverIsNoWayBack(t *testing.T) {
	for before, now := range map[string]string{"restart: never": "restart: always", "restart: on-failure": "restart: on-failure"} {
		for _, restarted := range []bool{false, true} {
			inEstate(t, func(t *testing.T, e *estate) {
				e.tree.Install("job", s6test.Program{RunFor: 5 * time.Second})
				e.keepText("--- {services: []}\n")
				e.keepText(trialFile("job", before))
				time.Sleep(time.Minute)
				e.is(s6.StateDone, "", "")
				if restarted {
					e.leave()
					e.begin()
				}
				e.keepText(trialFile("crash", now))
				for range 60 {
					time.Sleep(time.Second)
					assert.NotContains(t, e.works()["a"].Command, "job")
				}
			})
		}
	}
}

// What is applied again is what was wanted, whatever the caller makes of it: Files
// take out what was refused.
func TestWhatIsWantedIsNotChanged(t *testing.T) {
	inEstate(t, func(t *testing.T, e *estate) {
		d := e.files.Reader.Read(file)
		require.NoError(t, e.runner.Apply(t.Context(), Wanted{Declaration: d}))
		clear(d.Entries)
		require.NoError(t, e.runner.applyAgain(t.Context()))
		time.Sleep(time.Second)
		e.is(s6.StateRunning, "sleep 1", "")
	})
}
