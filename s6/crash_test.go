package s6_test

import (
	"context"
	"path"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/s6test"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

// births notes when processes of services begin their commands.
type births struct{ all []time.Time }

func (b *births) config() s6test.Config {
	return s6test.Config{OnProcess: func(h s6test.Happening) {
		if h.Change == s6test.Begun && h.Service == "a" && !h.Finish && !h.Child {
			b.all = append(b.all, time.Now())
		}
	}}
}

// within counts those of the time before now.
func (b *births) within(d time.Duration) (n int) {
	for _, at := range b.all {
		if time.Since(at) < d {
			n++
		}
	}
	return n
}

// gap kills the process, and returns how long it takes until the command of the next
// one begins.
func gap(t *testing.T, tree *s6test.Tree) time.Duration {
	t.Helper()
	before, killed := pidOf(tree, "a"), time.Now()
	begins := func(p s6test.Process) bool { return p.Service == "a" && p.PID != before && len(p.Command) > 0 }
	require.NoError(t, tree.Kill("a", syscall.SIGKILL))
	for !slices.ContainsFunc(tree.Processes(), begins) {
		pass(time.Millisecond)
		require.Less(t, time.Since(killed), time.Minute, "another begins")
	}
	return time.Since(killed)
}

const (
	atOnce = 15 * time.Millisecond
	paused = time.Second // by s6-supervise
)

// A process that ran as it is to, and ends for the first time in a while, is not the
// one that s6-supervise pauses for: the next one begins at once. The second one pauses.
func TestFirstCrashHasNoPause(t *testing.T) {
	plain := s6.Spec{Command: []string{"sleep", "1"}}
	with := func(change func(*s6.Spec)) *s6.Spec {
		spec := plain
		change(&spec)
		return &spec
	}
	backoff := func(from time.Duration) *s6.Spec {
		return with(func(s *s6.Spec) { s.Backoff = s6.Backoff{From: from, To: 2 * from} })
	}
	const slack = 20 * time.Millisecond
	for _, test := range []struct {
		name          string
		spec          *s6.Spec
		runs          time.Duration // after it runs
		first, second [2]time.Duration
	}{
		{"plain", &plain, 0, [2]time.Duration{0, atOnce}, [2]time.Duration{paused, paused + slack}},
		{"that ran for long", &plain, time.Minute, [2]time.Duration{0, atOnce}, [2]time.Duration{paused, paused + slack}},
		{"ready for a moment", with(func(s *s6.Spec) { s.Ready = s6.Readiness{FD: 3} }), 100 * time.Millisecond, [2]time.Duration{0, atOnce}, [2]time.Duration{paused - 200*time.Millisecond, paused + slack}},
		{"with a finish command", with(func(s *s6.Spec) { s.Finish = []string{"true"} }), 0, [2]time.Duration{0, atOnce}, [2]time.Duration{paused, paused + slack}},
		{"given up some time", with(func(s *s6.Spec) { s.GiveUpAfter = 5 }), 0, [2]time.Duration{0, atOnce}, [2]time.Duration{paused, paused + slack}},
		{"that is to pause for less", backoff(200 * time.Millisecond), 0, [2]time.Duration{180 * time.Millisecond, 220 * time.Millisecond}, [2]time.Duration{paused, paused + slack}},
		{"that is to pause for longer", backoff(3 * time.Second), 0, [2]time.Duration{3*time.Second - slack, 3*time.Second + slack}, [2]time.Duration{6*time.Second - slack, 6*time.Second + slack}},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, version := range []s6test.Version{s6test.V211, s6test.V213, s6test.V215} {
				inBubble(t, s6test.Config{Version: version}, func(t *testing.T, tree *s6test.Tree) {
					p := start(t, tree)
					p.wants(map[string]desired{"a": {State: s6.Running, Spec: test.spec}})
					between := func(want [2]time.Duration, gap time.Duration, which string) {
						t.Helper()
						assert.GreaterOrEqual(t, gap, want[0], which)
						assert.Less(t, gap, want[1], which)
					}
					for range 2 {
						pass(test.runs)
						between(test.first, gap(t, tree), "the first")
						require.NoError(t, p.Wait(t.Context(), "a", fsm.PhaseRunning))
						pass(100 * time.Millisecond)
						between(test.second, gap(t, tree), "the second")
						require.NoError(t, p.Wait(t.Context(), "a", fsm.PhaseRunning))
						pass(s6.CrashWindow)
					}
				})
			}
		})
	}
}

// What has not come to run pauses as s6 has it, and so does whatever ends while no
// program runs.
func TestCrashesThatPause(t *testing.T) {
	t.Run("before it runs", func(t *testing.T) {
		inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
			p := start(t, tree)
			require.NoError(t, p.Apply(t.Context(), running("a")))
			pass(500 * time.Millisecond)
			assert.GreaterOrEqual(t, gap(t, tree), paused)
		})
	})
	t.Run("without a program", func(t *testing.T) {
		inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
			p := start(t, tree)
			p.wants(running("a"))
			p.stop()
			assert.GreaterOrEqual(t, gap(t, tree), paused)
		})
	})
}

// What ends again and again is started as often as by s6 alone, but for once.
func TestCrashLoopIsStartedOnceASecond(t *testing.T) {
	for name, policy := range map[string]s6.Policy{"plain": {}, "given up after a thousand": {GiveUpAfter: 1000}} {
		t.Run(name, func(t *testing.T) {
			var b births
			inBubble(t, b.config(), func(t *testing.T, tree *s6test.Tree) {
				p := start(t, tree)
				p.wants(map[string]desired{"a": {State: s6.Running, Spec: &s6.Spec{Command: []string{"sleep", "1"}, Policy: policy}}})
				tree.SetProgram("a", s6test.Program{RunFor: 10 * time.Millisecond, ExitCode: 1})
				require.NoError(t, tree.Kill("a", syscall.SIGKILL))
				pass(time.Minute)
				with := b.within(time.Minute)
				p.stop()
				pass(time.Minute)
				alone := b.within(time.Minute)
				assert.LessOrEqual(t, with, alone+1)
				assert.Greater(t, with, alone-2)
			})
		})
	}
}

// The count of ends in a row goes on: it is not taken for a start that is asked for.
func TestFirstCrashCounts(t *testing.T) {
	inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
		p := start(t, tree)
		p.wants(map[string]desired{"a": {State: s6.Running, Spec: &s6.Spec{Command: []string{"sleep", "1"}, Policy: s6.Policy{GiveUpAfter: 2}}}})
		tree.SetProgram("a", s6test.Program{RunFor: 10 * time.Millisecond, ExitCode: 7})
		require.NoError(t, tree.Kill("a", syscall.SIGKILL))
		pass(200 * time.Millisecond)
		p.stands(s6.StateFailed, "its process ended 2 times in a row: exited with 7")
	})
}

// What is not to run any more is not started for its first crash: whether that is
// asked meanwhile, or its policy says so.
func TestFirstCrashStartsNothingThatIsToStop(t *testing.T) {
	t.Run("stopped meanwhile", func(t *testing.T) {
		var b births
		inBubble(t, b.config(), func(t *testing.T, tree *s6test.Tree) {
			tree.SetProgram("a", s6test.Program{FinishFor: time.Second})
			p := start(t, tree)
			spec := &s6.Spec{Command: []string{"sleep", "1"}, Finish: []string{"true"}}
			p.wants(map[string]desired{"a": {State: s6.Running, Spec: spec}})
			require.NoError(t, tree.Kill("a", syscall.SIGKILL))
			pass(500 * time.Millisecond)
			p.wants(map[string]desired{"a": {State: s6.Stopped, Spec: spec}})
			pass(time.Minute)
			assert.Len(t, b.all, 1)
		})
	})
	for name, policy := range map[string]s6.Policy{"that runs once": {Restart: s6.RestartNever}, "given up": {GiveUpAfter: 1}} {
		t.Run(name, func(t *testing.T) {
			var b births
			inBubble(t, b.config(), func(t *testing.T, tree *s6test.Tree) {
				p := start(t, tree)
				p.wants(map[string]desired{"a": {State: s6.Running, Spec: &s6.Spec{Command: []string{"sleep", "1"}, Policy: policy}}})
				require.NoError(t, tree.Kill("a", syscall.SIGKILL))
				pass(time.Minute)
				assert.Len(t, b.all, 1)
				p.stands(s6.StateFailed, "ended by signal 9")
			})
		})
	}
}

// startsAtOnce is the action.
const startsAtOnce fsm.Action = "start at once"

// Somebody tells the service otherwise between the look and the action: that is not
// undone, and an action that is done twice starts one process.
func TestFirstCrashIsLookedAtAgain(t *testing.T) {
	for name, meanwhile := range map[string][]supervise.Command{
		"told to be down": {supervise.CommandDown}, "told to be up once at most": {supervise.CommandOnceAtMost}, "up already": {supervise.CommandUp},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
				want := running("a")["a"]
				settle(t, tree, map[string]desired{"a": want})
				driver := s6.NewDriver(tree, "a", func() {})
				observes := func() s6.Observed {
					o, err := driver.Observe(t.Context(), want)
					require.NoError(t, err)
					o.Watched = true
					return o
				}
				up := observes()
				require.True(t, up.Up())
				require.NoError(t, tree.Kill("a", syscall.SIGKILL))
				pass(50 * time.Millisecond)
				in := fsm.Input[*s6.Spec, s6.Observed]{Now: time.Now(), Since: time.Now(), State: s6.StateDegraded, Desired: want, Observed: observes()}
				d := s6.Decide(in)
				require.Equal(t, []fsm.Action{startsAtOnce}, d.Do, d.Reason)
				assert.Contains(t, d.Reason.String(), "its process ended for the first time in 30s, and another is started at once: ended by signal 9 (killed)")

				require.NoError(t, tree.Control(path.Join(tree.Layout().ServicesDir, "a"), meanwhile...))
				pass(10 * time.Millisecond)
				before := pidOf(tree, "a")
				for range 2 {
					require.NoError(t, driver.Do(context.Background(), startsAtOnce, want))
					pass(10 * time.Millisecond)
				}
				assert.Equal(t, before, pidOf(tree, "a"))
				status, err := tree.Status(tree.Layout().Service("a"))
				require.NoError(t, err)
				assert.Equal(t, name == "up already", status.WantUp)
			})
		})
	}
}
