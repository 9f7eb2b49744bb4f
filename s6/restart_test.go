package s6_test

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strconv"
	"strings"
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

// pidOf returns the process of a service in the tree, 0 for none.
func pidOf(tree *s6test.Tree, service string) int {
	for _, p := range tree.Processes() {
		if p.Service == service && !p.Finish && !p.Child {
			return p.PID
		}
	}
	return 0
}

// states returns where an instance has gone since the history had so many
// entries.
func states(p *program, name string, since int) (all []fsm.State) {
	s, _ := p.Instance(name)
	for _, move := range s.History[since:] {
		all = append(all, move.To)
	}
	return all
}

func TestRestartByHand(t *testing.T) {
	inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
		p := start(t, tree)
		p.wants(running("a"))
		pass(time.Minute)
		s, _ := p.Instance("a")
		moves, before := len(s.History), pidOf(tree, "a")
		for range 4 { // more than makes crashes of it
			require.NoError(t, p.Restart(t.Context(), "a"))
			require.NoError(t, p.Wait(t.Context(), "a", fsm.PhaseRunning))
		}
		assert.NotEqual(t, before, pidOf(tree, "a"))
		assert.NotContains(t, states(p, "a", moves), s6.StateDegraded)
		s, _ = p.Instance("a")
		assert.Zero(t, s.Observed.Deaths, "they were asked for")
		now := pidOf(tree, "a")
		pass(time.Minute)
		assert.Equal(t, now, pidOf(tree, "a"), "once")
	})
}

// A restart that was asked for is made though the program is killed meanwhile.
func TestRestartOutlivesTheProgram(t *testing.T) {
	inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
		settle(t, tree, running("a"))
		before := pidOf(tree, "a")
		driver := s6.NewDriver(tree, "a", func() {})
		require.NoError(t, driver.(fsm.Restarter[*s6.Spec]).Restart(t.Context(), running("a")["a"]))
		pass(time.Second)
		require.Equal(t, before, pidOf(tree, "a"), "nothing but a mark was made")
		settle(t, tree, running("a"))
		assert.NotEqual(t, before, pidOf(tree, "a"))
		assert.NotZero(t, pidOf(tree, "a"))
	})
}

// What its finish command wants never to run again is started once more.
func TestRestartOfWhatDoesNotRun(t *testing.T) {
	inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
		tree.SetProgram("a", s6test.Program{FinishCode: 125})
		p := start(t, tree)
		spec := &s6.Spec{Command: []string{"sleep", "1"}, Finish: []string{"true"}}
		p.wants(map[string]desired{"a": {State: s6.Running, Spec: spec}})
		require.NoError(t, tree.Kill("a", syscall.SIGKILL))
		require.NoError(t, p.Wait(t.Context(), "a", fsm.PhaseDegraded))
		pass(time.Minute)
		require.Zero(t, pidOf(tree, "a"))
		require.NoError(t, p.Restart(t.Context(), "a"))
		require.NoError(t, p.Wait(t.Context(), "a", fsm.PhaseRunning))
		assert.NotZero(t, pidOf(tree, "a"))
	})
}

// A restart that cannot be marked leaves it known what the process was started
// from: a change of the logs alone restarts nothing.
func TestRestartOnAFullDiskLosesNothing(t *testing.T) {
	inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
		settle(t, tree, running("a"))
		before := pidOf(tree, "a")
		p := start(t, s6test.Inject(tree, filesystemtest.FullDisk(0)))
		p.wants(running("a"))
		require.ErrorIs(t, p.Restart(t.Context(), "a"), syscall.ENOSPC)
		pass(10 * time.Second)
		p.stop()
		p = start(t, tree)
		spec := *running("a")["a"].Spec
		spec.Log.FileSize = 5000
		p.wants(map[string]desired{"a": {State: s6.Running, Spec: &spec}})
		pass(10 * time.Second)
		assert.Equal(t, before, pidOf(tree, "a"))
	})
}

// TestRestartWhateverHappens restarts a service by hand shortly after something
// else has happened to it: another process runs then, once.
func TestRestartWhateverHappens(t *testing.T) {
	for what, happens := range map[string]func(tree *s6test.Tree, p *program) error{
		"it is paused": func(tree *s6test.Tree, _ *program) error {
			return tree.Control(tree.Layout().Service("a"), supervise.CommandStop)
		},
		"it is told to end": func(tree *s6test.Tree, _ *program) error {
			return tree.Control(tree.Layout().Service("a"), supervise.CommandDown)
		},
		"it dies":             func(tree *s6test.Tree, _ *program) error { return tree.Kill("a", syscall.SIGKILL) },
		"its supervisor dies": func(tree *s6test.Tree, _ *program) error { return tree.KillSupervisor("a") },
		"both die": func(tree *s6test.Tree, _ *program) error {
			return errors.Join(tree.KillSupervisor("a"), tree.Kill("a", syscall.SIGKILL))
		},
		"it is restarted": func(_ *s6test.Tree, p *program) error { return p.Restart(context.Background(), "a") },
		"its logs are to be smaller": func(_ *s6test.Tree, p *program) error {
			return p.Set(context.Background(), "a", desired{State: s6.Running, Spec: &s6.Spec{
				Command: []string{"sleep", "1"}, Finish: []string{"true"}, Log: s6.Log{FileSize: 5000},
			}})
		},
		"its command is to be another": func(_ *s6test.Tree, p *program) error {
			return p.Set(context.Background(), "a", desired{State: s6.Running, Spec: &s6.Spec{Command: []string{"sleep", "2"}}})
		},
	} {
		for _, later := range []time.Duration{0, time.Millisecond, 3 * time.Millisecond, 50 * time.Millisecond, 500 * time.Millisecond} {
			t.Run(fmt.Sprintf("%s, %s before", what, later), func(t *testing.T) {
				inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
					tree.SetProgram("a", s6test.Program{StopAfter: 20 * time.Millisecond, FinishFor: 30 * time.Millisecond})
					p := start(t, tree)
					p.wants(map[string]desired{"a": {State: s6.Running, Spec: &s6.Spec{Command: []string{"sleep", "1"}, Finish: []string{"true"}}}})
					pass(time.Minute)
					before := pidOf(tree, "a")
					require.NoError(t, happens(tree, p))
					pass(later)
					require.NoError(t, p.Restart(t.Context(), "a"))
					ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
					defer cancel()
					require.NoError(t, p.Wait(ctx, "a", fsm.PhaseRunning))
					after := pidOf(tree, "a")
					assert.NotEqual(t, before, after)
					pass(time.Minute)
					assert.Equal(t, after, pidOf(tree, "a"))
					s, _ := p.Instance("a")
					assert.Equal(t, s6.StateRunning, s.State)
				})
			})
		}
	}
}

func TestRunningIsSaidOfWhatStays(t *testing.T) {
	inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
		tree.SetProgram("dies", s6test.Program{RunFor: 10 * time.Millisecond, ExitCode: 1})
		p := start(t, tree)
		spec := func(stays time.Duration) desired {
			return desired{State: s6.Running, Spec: &s6.Spec{Command: []string{"sleep", "1"}, Ready: s6.Readiness{Stays: stays}}}
		}
		begin := time.Now()
		require.NoError(t, p.Apply(t.Context(), map[string]desired{"dies": spec(0), "a": spec(0), "long": spec(5 * time.Second)}))
		require.NoError(t, p.Wait(t.Context(), "a", fsm.PhaseRunning))
		assert.WithinRange(t, time.Now(), begin.Add(time.Second), begin.Add(1100*time.Millisecond))
		require.NoError(t, p.Wait(t.Context(), "long", fsm.PhaseRunning))
		assert.WithinRange(t, time.Now(), begin.Add(5*time.Second), begin.Add(5100*time.Millisecond))
		require.NoError(t, p.Wait(t.Context(), "dies", fsm.PhaseDegraded))
		for _, to := range states(p, "dies", 0) {
			assert.NotEqual(t, s6.StateRunning, to)
		}
		before := pidOf(tree, "a")
		require.NoError(t, p.Set(t.Context(), "a", spec(2*time.Second)))
		require.NoError(t, p.Wait(t.Context(), "a", fsm.PhaseRunning))
		assert.Equal(t, before, pidOf(tree, "a"), "how long it has to stay is no matter of the process")
	})
}

// A restart that was asked for, by a change or by hand, is over in milliseconds:
// the pause of a second that s6-supervise makes after a crash is not for it. Nor is
// it for a first crash. A process that crashes again is not started sooner.
func TestRestartsAskedForDoNotPayThePriceOfCrashes(t *testing.T) {
	gap := func(tree *s6test.Tree, before int, since time.Time) time.Duration {
		for pid := before; pid == before || pid == 0; pid = pidOf(tree, "a") {
			pass(time.Millisecond)
		}
		return time.Since(since)
	}
	inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
		p := start(t, tree)
		all := running("a")
		p.wants(all)
		for n := range 3 {
			before, now := pidOf(tree, "a"), time.Now()
			all["a"] = desired{State: s6.Running, Spec: &s6.Spec{Command: []string{"sleep", fmt.Sprint(n)}}}
			require.NoError(t, p.Apply(t.Context(), all))
			assert.Less(t, gap(tree, before, now), 150*time.Millisecond, "changed")
			p.wants(all)

			before, now = pidOf(tree, "a"), time.Now()
			require.NoError(t, p.Restart(t.Context(), "a"))
			assert.Less(t, gap(tree, before, now), 150*time.Millisecond, "restarted by hand")
			p.wants(all)

			before, now = pidOf(tree, "a"), time.Now()
			require.NoError(t, tree.Kill("a", syscall.SIGKILL))
			assert.Less(t, gap(tree, before, now), 150*time.Millisecond, "crashed")
			p.wants(all)

			before, now = pidOf(tree, "a"), time.Now()
			require.NoError(t, tree.Kill("a", syscall.SIGKILL))
			assert.Greater(t, gap(tree, before, now), time.Second, "crashed again")
			p.wants(all)
			pass(s6.CrashWindow)
		}
		// The new one crashes at once: it has the pause of a crash.
		tree.SetProgram("a", s6test.Program{RunFor: 10 * time.Millisecond, ExitCode: 1})
		require.NoError(t, p.Restart(t.Context(), "a"))
		pass(900 * time.Millisecond)
		s, _ := p.Instance("a")
		assert.Equal(t, 1, s.Observed.Deaths, "it was started once")
	})
}

// A process whose scripts could not write that it begins has a pause that is over:
// it runs, and does not wait. So it is with one from before the machine started.
func TestPauseThatNobodyHasTakenAway(t *testing.T) {
	for name, line := range map[string]string{"over": "wait 1 100 100 -\n", "of an earlier boot": "wait 1 99999999999 100 -\n"} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
				all := map[string]desired{"a": {State: s6.Running, Spec: &s6.Spec{
					Command: []string{"sleep", "1"}, Policy: s6.Policy{Backoff: s6.Backoff{From: time.Second}},
				}}}
				settle(t, tree, all)
				before := pidOf(tree, "a")
				pass(time.Minute)
				course := path.Join(tree.Layout().Service("a"), "data/course")
				require.NoError(t, tree.FS().WriteFile(course, []byte(line), 0o644))
				settle(t, tree, all)
				assert.Equal(t, before, pidOf(tree, "a"))
			})
		})
	}
}

// A pause is forgotten just after its process has looked whether it has to wait,
// which none is told: that process is replaced, by the next program as well, and is
// not said to run. One that looks again begins.
func TestPauseThatIsForgotten(t *testing.T) {
	for _, waits := range []bool{true, false} {
		t.Run(fmt.Sprintf("waits already: %t", waits), func(t *testing.T) {
			inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
				tree.SetProgram("a", s6test.Program{RunFor: 2 * time.Second, ExitCode: 7})
				all := map[string]desired{"a": {State: s6.Running, Spec: &s6.Spec{
					Command: []string{"sleep", "1"}, Policy: s6.Policy{Backoff: s6.Backoff{From: time.Hour}},
				}}}
				p := start(t, tree)
				p.wants(all)
				p.stop()
				service := tree.Layout().Service("a")
				said := func() string {
					text, _ := tree.FS().ReadFile(path.Join(service, "data/pauses"))
					return strings.TrimSpace(string(text))
				}
				for said() == "" {
					pass(100 * time.Microsecond)
				}
				sleeper := pidOf(tree, "a")
				require.Equal(t, strconv.Itoa(sleeper), said())
				if waits {
					pass(time.Minute)
				}
				tree.SetProgram("a", s6test.Program{})
				require.NoError(t, tree.FS().WriteFile(path.Join(service, "data/course"), []byte("none 0 0 0 -\n"), 0o644))
				p = start(t, tree)
				require.NoError(t, p.Apply(t.Context(), all))
				pass(3 * time.Second)
				s, _ := p.Instance("a")
				assert.NotEqual(t, waits, s.State == s6.StateRunning, s.State)
				pass(7 * time.Second)
				s, _ = p.Instance("a")
				assert.Equal(t, s6.StateRunning, s.State, s.Reason)
				assert.Equal(t, waits, pidOf(tree, "a") != sleeper)
				runs := pidOf(tree, "a")
				pass(time.Minute)
				assert.Equal(t, runs, pidOf(tree, "a"), "once")
			})
		})
	}
}

// once is a service that runs once.
func once(name string) map[string]desired {
	return map[string]desired{name: {State: s6.Running, Spec: &s6.Spec{
		Command: []string{"sleep", name}, Finish: []string{"true"}, Policy: s6.Policy{Restart: s6.RestartNever},
	}}}
}

// What runs once and has lost its supervisor is left alone, for another one must
// not begin after it, until a restart is asked for.
func TestRestartOfWhatRunsOnceWithoutASupervisor(t *testing.T) {
	inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
		p := start(t, tree)
		p.wants(once("a"))
		before := pidOf(tree, "a")
		require.NoError(t, tree.KillSupervisor("a"))
		pass(10 * time.Second)
		require.NoError(t, tree.FS().Remove("/data/services/a/supervise/status"))
		assert.ErrorContains(t, p.Restart(t.Context(), "a"), "its supervisor has not written down which process it runs")
		pass(10 * time.Second) // it is asked to write that down
		require.Equal(t, before, pidOf(tree, "a"))
		require.NoError(t, p.Restart(t.Context(), "a"))
		pass(time.Minute)
		s, _ := p.Instance("a")
		assert.Equal(t, s6.StateRunning, s.State, s.Reason)
		assert.NotEqual(t, before, pidOf(tree, "a"))
	})
}

// That it is not known what a process was started from does not make a failure of
// its restart.
func TestRestartOfWhatRunsOnceWithoutARecord(t *testing.T) {
	inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
		p := start(t, tree)
		p.wants(once("a"))
		before := pidOf(tree, "a")
		require.NoError(t, tree.FS().Remove("/data/services/a/data/started"))
		require.NoError(t, p.Restart(t.Context(), "a"))
		pass(time.Minute)
		s, _ := p.Instance("a")
		assert.Equal(t, s6.StateRunning, s.State, s.Reason)
		assert.NotEqual(t, before, pidOf(tree, "a"))
	})
}

// What has failed for good is run again by hand also where its status was torn.
func TestRestartOfWhatHasFailedWithoutAStatus(t *testing.T) {
	inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
		tree.SetProgram("a", s6test.Program{RunFor: time.Second, ExitCode: 1})
		p := start(t, tree)
		require.NoError(t, p.Apply(t.Context(), map[string]desired{
			"a": {State: s6.Running, Spec: &s6.Spec{Command: []string{"sleep", "1"}, Policy: s6.Policy{Restart: s6.RestartNever}}},
		}))
		require.NoError(t, p.Wait(t.Context(), "a", fsm.PhaseFailed))
		tree.SetProgram("a", s6test.Program{})
		require.NoError(t, tree.FS().WriteFile(statusOf(tree, "a"), []byte("torn"), 0o644))
		require.NoError(t, p.Restart(t.Context(), "a"))
		require.NoError(t, p.Wait(t.Context(), "a", fsm.PhaseRunning))
		p.stop()
	})
}
