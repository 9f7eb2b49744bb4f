package s6_test

import (
	"context"
	"fmt"
	"path"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/filesystem/filesystemtest"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/s6test"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

const checked = "http://127.0.0.1:8080/health"

// checkedBy is a service "a" with a check that a test says more about.
func checkedBy(change func(s *s6.Spec)) map[string]desired {
	spec := &s6.Spec{Command: []string{"sleep", "1"}, Check: s6.Check{HTTP: checked}}
	if change != nil {
		change(spec)
	}
	return map[string]desired{"a": {State: s6.Running, Spec: spec}}
}

func restarts(s *s6.Spec) { s.Check.Restart = true }

// counted is a tree that counts the checks that are made.
type counted struct {
	*s6test.Tree
	n *atomic.Int64
}

func (c counted) Check(ctx context.Context, service string, spec *s6.Spec) error {
	c.n.Add(1)
	return c.Tree.Check(ctx, service, spec)
}

// stands checks where the service is, and why.
func (p *program) stands(state fsm.State, reason string) {
	p.t.Helper()
	s, ok := p.Instance("a")
	require.True(p.t, ok)
	assert.Equal(p.t, state, s.State)
	assert.Contains(p.t, s.Reason.String(), reason)
}

// until waits for a reason.
func (p *program) until(reason string) {
	p.t.Helper()
	for end := time.Now().Add(time.Minute); ; pass(100 * time.Millisecond) {
		s, ok := p.Instance("a")
		require.True(p.t, ok)
		if strings.Contains(s.Reason.String(), reason) {
			return
		}
		require.True(p.t, time.Now().Before(end), "%s", s.Reason)
	}
}

// TestCheckFindsWhatHangs: a process that does not answer is degraded after so
// many failures, which say what was seen, and recovers by itself.
func TestCheckFindsWhatHangs(t *testing.T) {
	inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
		p := start(t, tree)
		p.wants(checkedBy(nil))
		before := pidOf(tree, "a")
		pass(time.Minute)
		p.stands(s6.StateRunning, "")
		require.NoError(t, tree.Hang("a", true))
		pass(20 * time.Second)
		p.stands(s6.StateRunning, "")
		pass(13 * time.Second)
		p.stands(s6.StateDegraded, "it does not answer its check: GET "+checked+": no answer in 1s (3 times in 21s)")
		pass(time.Hour)
		p.stands(s6.StateDegraded, " times in 1h")
		assert.Equal(t, before, pidOf(tree, "a"), "no restart was asked for")
		require.NoError(t, tree.Hang("a", false))
		pass(11 * time.Second)
		p.stands(s6.StateRunning, "")
		assert.Equal(t, before, pidOf(tree, "a"))
	})
}

// TestCheckHoldsNobodyUp: while a check hangs, its service is changed and stopped as
// any other, in milliseconds.
func TestCheckHoldsNobodyUp(t *testing.T) {
	inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
		tree.SetProgram("a", s6test.Program{Hangs: true})
		p := start(t, tree)
		all := checkedBy(func(s *s6.Spec) { s.Check.Every, s.Check.Timeout = time.Hour, time.Hour })
		require.NoError(t, p.Apply(t.Context(), all))
		pass(10 * time.Second)
		p.stands(s6.StateStarting, "waiting for it to pass its check: GET "+checked)
		began := time.Now()
		p.wants(map[string]desired{"a": {State: s6.Stopped, Spec: all["a"].Spec}})
		assert.Less(t, time.Since(began), time.Second)
		assert.Empty(t, pids(t, tree))
	})
}

// TestCheckWhileStarting: failures of a process that is starting do not count, and
// it runs with the first check that it passes.
func TestCheckWhileStarting(t *testing.T) {
	inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
		tree.SetProgram("a", s6test.Program{CheckErr: syscall.ECONNREFUSED})
		p := start(t, tree)
		require.NoError(t, p.Apply(t.Context(), checkedBy(restarts)))
		pass(29 * time.Second)
		before := pidOf(tree, "a")
		p.stands(s6.StateStarting, "waiting for it to pass its check: GET "+checked+": connection refused")
		pass(2 * time.Second)
		p.stands(s6.StateDegraded, "waiting for it to pass its check: GET "+checked+": connection refused")
		assert.Equal(t, before, pidOf(tree, "a"), "its failures have only begun to count")
		pass(30 * time.Second)
		assert.NotEqual(t, before, pidOf(tree, "a"))
		s, _ := p.Instance("a")
		assert.NotContains(t, states(p, "a", 0), s6.StateRunning)
		assert.Equal(t, 1, s.Observed.Check.Restarts)
		tree.SetProgram("a", s6test.Program{})
		require.NoError(t, p.Restart(t.Context(), "a"))
		pass(3 * time.Second)
		p.stands(s6.StateRunning, "")
	})
}

// TestRestartsForTheCheck: the first restart is made at once, each next one after a
// longer pause, and what has passed for long is restarted at once again. The
// reason says when.
func TestRestartsForTheCheck(t *testing.T) {
	inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
		p := start(t, tree)
		p.wants(checkedBy(restarts))
		pass(time.Minute)
		hang := func(program s6test.Program) (gaps []time.Duration) {
			tree.SetProgram("a", program)
			require.NoError(t, tree.Hang("a", true))
			last := time.Now()
			for before := pidOf(tree, "a"); len(gaps) < 8; pass(100 * time.Millisecond) {
				if now := pidOf(tree, "a"); now != before && now != 0 {
					gaps, before, last = append(gaps, time.Since(last).Round(time.Second)), now, time.Now()
					if !program.Hangs {
						return gaps
					}
				}
				require.Less(t, time.Since(last), 10*time.Minute)
			}
			return gaps
		}
		first := hang(s6test.Program{Hangs: true})
		// One that never answers has its time to start, and three checks.
		assert.Less(t, first[0], 35*time.Second)
		const starts = 50 * time.Second
		for n, gap := range first[1:] {
			assert.InDelta(t, max(starts, min(5*time.Minute, 30*time.Second<<n)), gap, float64(8*time.Second), "%v", first)
		}
		pass(time.Minute)
		s, _ := p.Instance("a")
		next := s.Observed.Check.Next
		p.stands(s6.StateDegraded, "; it has been restarted for that 8 times in a row, and is again at "+next.Format(time.RFC3339))
		assert.WithinDuration(t, time.Now().Add(4*time.Minute), next, 10*time.Second)
		assert.Contains(t, s.History[len(s.History)-1].Reason.String(), "it does not answer its check: GET ")

		tree.SetProgram("a", s6test.Program{})
		pass(11 * time.Minute) // one more, and then it passes for long
		p.stands(s6.StateRunning, "")
		assert.Less(t, hang(s6test.Program{})[0], 35*time.Second, "it is the first in a row")
		s, _ = p.Instance("a")
		assert.Equal(t, 1, s.Observed.Check.Restarts)
		assert.Zero(t, s.Observed.Deaths, "its end was asked for")
	})
}

// TestRestartForTheCheckEndsWhatIsDeaf as a stop would: by KILL.
func TestRestartForTheCheckEndsWhatIsDeaf(t *testing.T) {
	inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
		tree.SetProgram("a", s6test.Program{Deaf: true})
		p := start(t, tree)
		p.wants(checkedBy(func(s *s6.Spec) {
			s.Check.Restart, s.StopTimeout, s.Restart, s.Backoff = true, 2*time.Second, s6.RestartOnFailure, s6.Backoff{From: time.Hour}
		}))
		before := pidOf(tree, "a")
		require.NoError(t, tree.Hang("a", true))
		p.until("it did not answer its check, and is restarted: GET " + checked + ": no answer in ")
		assert.Equal(t, before, pidOf(tree, "a"))
		pass(5 * time.Second)
		assert.NotEqual(t, before, pidOf(tree, "a"))
		p.stands(s6.StateRunning, "")
		assert.NotContains(t, states(p, "a", 0), s6.StateBackingOff, "it is no failure for its policy")
	})
}

// TestBudgetOutlivesTheProgram: a program that is killed again and again does not
// restart a process more often, and finishes a restart that was begun.
func TestBudgetOutlivesTheProgram(t *testing.T) {
	inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
		tree.SetProgram("a", s6test.Program{Hangs: true})
		began, seen := time.Now(), make(map[int]bool)
		for time.Since(began) < time.Hour {
			p := start(t, tree)
			require.NoError(t, p.Apply(t.Context(), checkedBy(func(s *s6.Spec) {
				s.Check.Restart, s.Check.Every, s.StartTimeout = true, time.Second, time.Second
			})))
			for range 70 {
				pass(100 * time.Millisecond)
				seen[pidOf(tree, "a")] = true
			}
			p.stop()
		}
		// 30 s, 1 m, 2 m, 4 m, and then every five minutes.
		assert.InDelta(t, 17, len(seen), 3)
	})
}

// TestRestartForTheCheckIsFinished by the next program, and counted once.
func TestRestartForTheCheckIsFinished(t *testing.T) {
	inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
		tree.SetProgram("a", s6test.Program{Deaf: true})
		p := start(t, tree)
		all := checkedBy(restarts)
		p.wants(all)
		before := pidOf(tree, "a")
		require.NoError(t, tree.Hang("a", true))
		p.until("and is restarted")
		p.stop()
		require.Equal(t, before, pidOf(tree, "a"))
		p = start(t, tree)
		require.NoError(t, p.Apply(t.Context(), all))
		pass(2 * time.Second)
		p.stands(s6.StateStarting, "it did not answer its check, and is restarted: GET "+checked)
		pass(15 * time.Second)
		assert.NotEqual(t, before, pidOf(tree, "a"))
		p.stands(s6.StateRunning, "")
		s, _ := p.Instance("a")
		assert.Equal(t, 1, s.Observed.Check.Restarts)
	})
}

// TestProgramDiesWhileItRestartsForTheCheck at each moment of that: one process
// takes the place of the one that hangs, and that counts once.
func TestProgramDiesWhileItRestartsForTheCheck(t *testing.T) {
	const file, command = "/data/services/a/data/hung", "rc to /data/services/a"
	for name, injector := range map[string]filesystemtest.Injector{
		"before it is written down":      filesystemtest.OnKind(filesystemtest.ReplaceFile, filesystemtest.OnPath(file, filesystemtest.Crash(1))),
		"when it is written down":        filesystemtest.OnKind(filesystemtest.ReplaceFile, filesystemtest.OnPath(file, filesystemtest.CrashAfter(1))),
		"before the supervisor is told":  filesystemtest.OnPath(command, filesystemtest.Crash(1)),
		"when the supervisor is told":    filesystemtest.OnPath(command, filesystemtest.CrashAfter(1)),
		"never, and nothing is readable": filesystemtest.OnPath(file, filesystemtest.FailFrom(1, 40*time.Second, syscall.EIO)),
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
				all := checkedBy(restarts)
				settle(t, tree, all)
				pass(time.Minute)
				require.NoError(t, tree.Hang("a", true))
				before := pidOf(tree, "a")
				faulty := s6test.Inject(tree, injector)
				p := start(t, faulty)
				require.NoError(t, p.Apply(t.Context(), all))
				pass(50 * time.Second)
				require.Equal(t, !strings.HasPrefix(name, "never"), faulty.Ops().Crashed())
				p.stop()
				p = start(t, tree)
				p.wants(all)
				after := pidOf(tree, "a")
				assert.NotEqual(t, before, after)
				s, _ := p.Instance("a")
				assert.Equal(t, 1, s.Observed.Check.Restarts)
				assert.Equal(t, 1, s.Observed.Restarts, "one process has ended")
				pass(20 * time.Minute)
				assert.Equal(t, after, pidOf(tree, "a"))
			})
		})
	}
}

// TestBudgetBeginsAnew with what is asked for: a restart by hand, a stop, another
// check, another process.
func TestBudgetBeginsAnew(t *testing.T) {
	for name, ask := range map[string]func(p *program, spec *s6.Spec){
		"a restart by hand": func(p *program, _ *s6.Spec) { require.NoError(p.t, p.Restart(p.t.Context(), "a")) },
		"a stop": func(p *program, spec *s6.Spec) {
			p.wants(map[string]desired{"a": {State: s6.Stopped, Spec: spec}})
			require.NoError(p.t, p.Apply(p.t.Context(), map[string]desired{"a": {State: s6.Running, Spec: spec}}))
		},
		"another check": func(p *program, spec *s6.Spec) {
			other := *spec
			other.Check.HTTP += "z"
			require.NoError(p.t, p.Apply(p.t.Context(), map[string]desired{"a": {State: s6.Running, Spec: &other}}))
		},
		"another process": func(p *program, spec *s6.Spec) {
			other := *spec
			other.Command = []string{"sleep", "2"}
			require.NoError(p.t, p.Apply(p.t.Context(), map[string]desired{"a": {State: s6.Running, Spec: &other}}))
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
				tree.SetProgram("a", s6test.Program{Hangs: true})
				p := start(t, tree)
				all := checkedBy(func(s *s6.Spec) { s.Check.Restart, s.StartTimeout = true, 5*time.Second })
				require.NoError(t, p.Apply(t.Context(), all))
				pass(20 * time.Minute)
				s, _ := p.Instance("a")
				require.Greater(t, s.Observed.Check.Restarts, 3)
				ask(p, all["a"].Spec)
				pass(10 * time.Second)
				s, _ = p.Instance("a")
				assert.Zero(t, s.Observed.Check.Restarts)
				assert.Zero(t, s.Observed.Check.Next)
			})
		})
	}
}

// TestCheckIsLive: that a check comes, changes and goes is nothing to the process.
func TestCheckIsLive(t *testing.T) {
	inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
		p := start(t, tree)
		p.wants(checkedBy(func(s *s6.Spec) { s.Check = s6.Check{} }))
		before := pidOf(tree, "a")
		for _, change := range []func(s *s6.Spec){
			nil, restarts, func(s *s6.Spec) { s.Check = s6.Check{TCP: "127.0.0.1:1"} }, func(s *s6.Spec) { s.Check = s6.Check{} },
		} {
			all := checkedBy(change)
			plan, err := p.Plan(t.Context(), all)
			require.NoError(t, err)
			require.Equal(t, fsm.ChangeLive, plan[0].Kind, "%+v", plan)
			p.wants(all)
			pass(time.Minute)
			p.stands(s6.StateRunning, "")
		}
		assert.Equal(t, before, pidOf(tree, "a"))
		assert.NotContains(t, states(p, "a", 0), s6.StateDegraded)
	})
}

// TestChecksAreOfOneProcess: what another process has failed does not count.
func TestChecksAreOfOneProcess(t *testing.T) {
	inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
		p := start(t, tree)
		p.wants(checkedBy(func(s *s6.Spec) { s.StartTimeout = time.Millisecond }))
		for range 5 {
			require.NoError(t, tree.Hang("a", true))
			pass(25 * time.Second)
			require.NoError(t, tree.Kill("a", syscall.SIGKILL))
			pass(15 * time.Second)
			p.stands(s6.StateRunning, "")
		}
		s, _ := p.Instance("a")
		for _, move := range s.History {
			assert.NotContains(t, move.Reason.String(), "answer its check")
		}
	})
}

// TestWhatIsNotChecked: what does not run, pauses, is told to end or is paused by
// hand.
func TestWhatIsNotChecked(t *testing.T) {
	for name, happens := range map[string]func(t *testing.T, tree *s6test.Tree, p *program, spec *s6.Spec){
		"stopped": func(_ *testing.T, _ *s6test.Tree, p *program, spec *s6.Spec) {
			p.wants(map[string]desired{"a": {State: s6.Stopped, Spec: spec}})
		},
		"stopping": func(t *testing.T, _ *s6test.Tree, p *program, spec *s6.Spec) {
			require.NoError(t, p.Apply(t.Context(), map[string]desired{"a": {State: s6.Stopped, Spec: spec}}))
			pass(100 * time.Millisecond)
			p.stands(s6.StateStopping, "")
		},
		"removed": func(_ *testing.T, _ *s6test.Tree, p *program, _ *s6.Spec) { p.removes("a") },
		"backing off": func(t *testing.T, tree *s6test.Tree, p *program, _ *s6.Spec) {
			require.NoError(t, tree.Kill("a", syscall.SIGKILL))
			pass(3 * time.Second)
			p.stands(s6.StateBackingOff, "")
		},
		"done": func(t *testing.T, tree *s6test.Tree, p *program, spec *s6.Spec) {
			job := *spec
			job.Restart = s6.RestartOnFailure
			tree.SetProgram("a", s6test.Program{RunFor: time.Second})
			require.NoError(t, p.Apply(t.Context(), map[string]desired{"a": {State: s6.Running, Spec: &job}}))
			require.NoError(t, p.Restart(t.Context(), "a"))
			require.NoError(t, p.Wait(t.Context(), "a", fsm.PhaseDone))
		},
		"paused by hand": func(t *testing.T, tree *s6test.Tree, p *program, _ *s6.Spec) {
			require.NoError(t, tree.Control(tree.Layout().Service("a"), supervise.CommandStop))
			pass(6 * time.Second)
			p.stands(s6.StateDegraded, "its process is paused")
		},
		"let go": func(_ *testing.T, _ *s6test.Tree, p *program, _ *s6.Spec) { p.stop() },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
				n := new(atomic.Int64)
				tree.SetProgram("a", s6test.Program{StopAfter: time.Hour})
				p := start(t, counted{tree, n})
				all := checkedBy(func(s *s6.Spec) {
					s.Check.Every, s.Backoff, s.StopTimeout = time.Second, s6.Backoff{From: time.Hour}, 50*time.Minute
				})
				p.wants(all)
				pass(10 * time.Second)
				before := n.Load()
				assert.Greater(t, before, int64(8))
				if name != "stopping" {
					tree.SetProgram("a", s6test.Program{})
					require.NoError(t, tree.Kill("a", syscall.SIGKILL))
					require.NoError(t, p.Restart(t.Context(), "a"))
					p.wants(all)
				}
				happens(t, tree, p, all["a"].Spec)
				before = n.Load()
				pass(10 * time.Minute)
				assert.Equal(t, before, n.Load())
			})
		})
	}
}

// TestCheckOfWhatIdles: one check each Every, and no pass for it.
func TestCheckOfWhatIdles(t *testing.T) {
	inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
		faulty := s6test.Inject(tree)
		p := start(t, faulty)
		operations := func(check s6.Check) int {
			p.wants(checkedBy(func(s *s6.Spec) { s.Check = check }))
			pass(time.Minute)
			before := faulty.Ops().Count()
			pass(10 * time.Minute)
			return faulty.Ops().Count() - before
		}
		with, without := operations(s6.Check{HTTP: checked, Every: 2 * time.Second}), operations(s6.Check{})
		assert.InDelta(t, 300, with-without, 30)
	})
}

// TestCheckThatCannotBeMade degrades the service, and restarts nothing.
func TestCheckThatCannotBeMade(t *testing.T) {
	inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
		tree.SetProgram("a", s6test.Program{NoCheck: "/opt/check does not exist"})
		p := start(t, tree)
		require.NoError(t, p.Apply(t.Context(), checkedBy(func(s *s6.Spec) {
			s.Check = s6.Check{Exec: []string{"/opt/check", "--token", "hunter2"}, Restart: true}
		})))
		pass(time.Hour)
		p.stands(s6.StateDegraded, "its check cannot be made: run /opt/check --token ***: /opt/check does not exist (")
		require.Len(t, tree.Processes(), 2, "with the logger")
		s, _ := p.Instance("a")
		assert.Zero(t, s.Observed.Restarts)
	})
}

// TestBudgetWhenTheClockIsSet: the pause between two restarts is neither longer nor
// shorter for that.
func TestBudgetWhenTheClockIsSet(t *testing.T) {
	for _, by := range []time.Duration{24 * time.Hour, -24 * time.Hour} {
		t.Run(by.String(), func(t *testing.T) {
			inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
				tree.SetProgram("a", s6test.Program{Hangs: true})
				all := checkedBy(func(s *s6.Spec) { s.Check.Restart, s.StartTimeout = true, 5*time.Second })
				p := start(t, tree)
				require.NoError(t, p.Apply(t.Context(), all))
				pass(20 * time.Minute)
				s, _ := p.Instance("a")
				before := s.Observed.Check
				require.Greater(t, before.Restarts, 3)
				p.stop()
				tree.SetClock(by)
				p = start(t, tree)
				require.NoError(t, p.Apply(t.Context(), all))
				pass(time.Second)
				s, _ = p.Instance("a")
				assert.Equal(t, before.Restarts, s.Observed.Check.Restarts)
				assert.WithinDuration(t, before.Next, s.Observed.Check.Next, time.Second)
			})
		})
	}
}

// TestCheckOfAnAdoptedProcess: a process that hung before the program began is old,
// and has no time to start.
func TestCheckOfAnAdoptedProcess(t *testing.T) {
	inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
		all := checkedBy(restarts)
		settle(t, tree, all)
		pass(time.Minute)
		before := pidOf(tree, "a")
		p := start(t, tree)
		p.wants(all)
		assert.Equal(t, before, pidOf(tree, "a"))
		p.stop()
		require.NoError(t, tree.Hang("a", true))
		p = start(t, tree)
		require.NoError(t, p.Apply(t.Context(), all))
		pass(10 * time.Second)
		p.stands(s6.StateStarting, "waiting for it to pass its check")
		pass(15 * time.Second)
		assert.NotEqual(t, before, pidOf(tree, "a"))
	})
}

func TestCheckValidate(t *testing.T) {
	for name, test := range map[string]struct {
		check s6.Check
		want  string
	}{
		"nothing to check":         {s6.Check{Every: time.Second}, "check: one of http, tcp and exec must be given"},
		"two things to check":      {s6.Check{TCP: "a:1", Exec: []string{"a"}}, "check: one of http, tcp and exec must be given"},
		"no URL":                   {s6.Check{HTTP: "http://a:b%zz"}, "check.http: it is not a URL"},
		"another scheme":           {s6.Check{HTTP: "ftp://a/"}, `check.http: "ftp://a/" must be a URL such as http://127.0.0.1:8080/health`},
		"https":                    {s6.Check{HTTP: "https://a/"}, "check.http: https is not spoken: give http, or a client such as curl to exec"},
		"an address for a URL":     {s6.Check{HTTP: "127.0.0.1:80"}, "check.http: it is not a URL"},
		"a URL without a host":     {s6.Check{HTTP: "http:///a"}, "must be a URL such as"},
		"a password in a URL":      {s6.Check{HTTP: "http://u:hunter2@a/"}, "check.http: it must be without a user and a password: give a client such as curl to exec"},
		"a port that is none":      {s6.Check{HTTP: "http://a:70000/"}, `check.http: "70000" is not a port`},
		"a URL for an address":     {s6.Check{TCP: "http://a:1"}, `check.tcp: "http://a:1" must be host:port`},
		"an address without port":  {s6.Check{TCP: "a"}, `check.tcp: "a" must be host:port`},
		"an address without host":  {s6.Check{TCP: ":1"}, `check.tcp: ":1" must be host:port`},
		"a port of nothing":        {s6.Check{TCP: "a:0"}, `check.tcp: "a:0" must be host:port`},
		"an empty program":         {s6.Check{Exec: []string{""}}, "check.exec: it must name a program"},
		"NUL in an argument":       {s6.Check{Exec: []string{"a", "\x00"}}, "check.exec: it must be UTF-8 without NUL"},
		"too often":                {s6.Check{TCP: "a:1", Every: 10 * time.Millisecond}, "check.every: 10ms must be from 100ms to 24h"},
		"too seldom":               {s6.Check{TCP: "a:1", Every: 25 * time.Hour}, "check.every: 25h0m0s must be from 100ms to 24h"},
		"no time":                  {s6.Check{TCP: "a:1", Timeout: -1}, "check.timeout: -1ns must be from 1ms to 24h"},
		"longer than every":        {s6.Check{TCP: "a:1", Every: time.Second, Timeout: 2 * time.Second}, "check.timeout: 2s must not be more than check.every, 1s"},
		"longer than what is said": {s6.Check{TCP: "a:1", Timeout: 11 * time.Second}, "check.timeout: 11s must not be more than check.every, 10s"},
		"fewer than no failures":   {s6.Check{TCP: "a:1", Failures: -1}, "check.failures: -1 must not be negative"},
	} {
		t.Run(name, func(t *testing.T) {
			err := (&s6.Spec{Command: []string{"sleep"}, Check: test.check}).Validate()
			require.ErrorContains(t, err, test.want)
			assert.NotContains(t, err.Error(), "hunter2")
			assert.NotContains(t, err.Error(), "\n", "one thing is wrong")
		})
	}
	for _, good := range []s6.Check{
		{}, {HTTP: "http://localhost"}, {HTTP: "http://[::1]:8080/a?b=c"}, {TCP: "[::1]:1"}, {TCP: "db.local:5432", Every: 500 * time.Millisecond},
		{Exec: []string{"pg_isready"}, Every: time.Minute, Timeout: time.Minute, Failures: 1, Restart: true},
	} {
		assert.NoError(t, (&s6.Spec{Command: []string{"sleep"}, Check: good}).Validate(), "%+v", good)
	}
	never := &s6.Spec{Command: []string{"sleep"}, Check: s6.Check{TCP: "a:1", Restart: true}, Policy: s6.Policy{Restart: s6.RestartNever}}
	assert.ErrorContains(t, never.Validate(), "check.restart: it has no meaning with restart: never")
}

// TestBudgetThatCannotBeRead says nothing, and keeps no service.
func TestBudgetThatCannotBeRead(t *testing.T) {
	for n, text := range []string{"", "\n\n", "x y z", "1 2 3 4\n\n", "0 0 1 1 k\nwhy\n", "-1 0 1 1 k\nwhy\n", "1 99999999999999999999 1 1 k\nwhy\n", strings.Repeat("9", 5000)} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
				all := checkedBy(restarts)
				settle(t, tree, all)
				require.NoError(t, tree.FS().WriteFile(path.Join(tree.Layout().Service("a"), "data/hung"), []byte(text), 0o600))
				before := pidOf(tree, "a")
				p := start(t, tree)
				p.wants(all)
				s, _ := p.Instance("a")
				assert.Zero(t, s.Observed.Check.Restarts)
				assert.Equal(t, before, pidOf(tree, "a"))
			})
		})
	}
}
