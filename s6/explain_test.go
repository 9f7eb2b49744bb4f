package s6_test

import (
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/s6test"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

// TestExplain: what is said of a service beside its reason.
func TestExplain(t *testing.T) {
	tree := s6test.New(s6test.Config{})
	defer func() { assert.NoError(t, tree.Close()) }()
	kind, err := s6.NewKind(tree, s6.KindName)
	require.NoError(t, err)
	died := func(o *s6.Observed) {
		o.Status = supervise.Status{Ready: true, Stamp: now, ReadyStamp: now}
		o.Last = supervise.Death{Time: now, ExitCode: 3}
		o.LastWords, o.Unasked, o.Deaths = "no license", true, 3
	}
	for name, tt := range map[string]struct {
		state, want fsm.State
		phase       fsm.Phase
		but         func(*s6.Observed)
		seen        []string
		help        string
	}{
		"it runs": {s6.StateRunning, s6.Running, fsm.PhaseRunning, func(*s6.Observed) {}, []string{"process 7 runs"}, ""},
		"it passes its check": {s6.StateRunning, s6.Running, fsm.PhaseRunning, func(o *s6.Observed) {
			o.Check = s6.Checked{What: "connect to 127.0.0.1:5432", Passed: true, At: now}
		}, []string{"process 7 runs", "it passes its check: connect to 127.0.0.1:5432"}, ""},
		"it hangs": {s6.StateDegraded, s6.Running, fsm.PhaseDegraded, func(o *s6.Observed) { o.Check = failing },
			[]string{"process 7 runs", "it does not pass its check: connect to 127.0.0.1:5432: connection refused (3 times in 12s)"},
			"it is well again when it passes its check; nobody restarts it for that, unless it is asked for"},
		"it crashes": {s6.StateDegraded, s6.Running, fsm.PhaseDegraded, died, []string{
			"no process of it runs",
			"its last process that ended exited with 3 at 2024-05-06T07:08:09Z; its last words: no license",
			"in the last 30s its process ended 3 times without being asked to",
		}, "mend what ends it: it counts as well when it has ended fewer than 3 times in 30s"},
		"it has given up": {s6.StateFailed, s6.Running, fsm.PhaseFailed, func(o *s6.Observed) { died(o); o.Failures, o.Deaths = 1, 1 }, []string{
			"no process of it runs",
			"its last process that ended exited with 3 at 2024-05-06T07:08:09Z; its last words: no license",
			"in the last 30s its process ended once without being asked to",
			"it has failed once in a row",
		}, "it is not run again: mend what ends it, and then restart it or change what is declared of it"},
		"it is stopped by a signal": {s6.StateDegraded, s6.Running, fsm.PhaseDegraded, func(o *s6.Observed) { o.Status.Paused = true },
			[]string{"process 7 is stopped by a signal (SIGSTOP)"}, "let the process go on (SIGCONT), or restart it"},
		"it pauses": {s6.StateBackingOff, s6.Running, fsm.PhaseDegraded, func(o *s6.Observed) { o.Waits = now.Add(time.Minute) },
			[]string{"process 7 pauses, and begins when that is over"},
			"mend what ends it; its next try is made when the pause is over, or at once if it is restarted"},
		"its logger does not run": {s6.StateDegraded, s6.Running, fsm.PhaseDegraded, func(o *s6.Observed) { o.LoggerProblem = "for 3s: exited with 111" },
			[]string{"process 7 runs", "its logger does not run: for 3s: exited with 111"},
			"mend what keeps its logger from running, as the owner or the mode of its log directory"},
		"there is no command": {s6.StateDegraded, s6.Running, fsm.PhaseDegraded, func(o *s6.Observed) {
			o.Status = supervise.Status{WantUp: true}
			o.CommandProblem = "/bin/nobody: no such file"
		}, []string{"no process of it runs", "/bin/nobody: no such file"},
			"mend the command, or the file that it names: it is started again by itself"},
		"it is stopped": {s6.StateStopped, s6.Stopped, fsm.PhaseStopped, func(o *s6.Observed) { *o = lying() },
			[]string{"no process of it runs"}, ""},
	} {
		s := &fsm.Snapshot[*s6.Spec, s6.Observed]{
			State: tt.state, Phase: tt.phase, Desired: desired{State: tt.want, Spec: plainSpec}, Observed: healthy(), ObservedAt: now,
		}
		tt.but(&s.Observed)
		var seen []string
		help := ""
		for _, l := range kind.Explain(s) {
			if l.Part == fsm.PartHelp {
				assert.Empty(t, help, name)
				help = l.Text
			} else {
				assert.Equal(t, fsm.PartSeen, l.Part, name)
				seen = append(seen, l.Text)
			}
		}
		assert.Equal(t, tt.seen, seen, name)
		assert.Equal(t, tt.help, help, name)
	}
	assert.Empty(t, kind.Explain(&fsm.Snapshot[*s6.Spec, s6.Observed]{}), "nothing was seen yet")
}

// Whoever asks why a service crashes is told how it ended, what it said last, and
// what comes next.
func TestWhyAServiceCrashes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tree := s6test.New(s6test.Config{})
		t.Cleanup(func() { assert.NoError(t, tree.Close()) })
		p := start(t, tree)
		tree.Install("sleep", s6test.Program{RunFor: 200 * time.Millisecond, ExitCode: 3})
		require.NoError(t, p.Apply(t.Context(), map[string]desired{"a": {State: s6.Running, Spec: plainSpec}}))
		require.NoError(t, p.Wait(t.Context(), "a", fsm.PhaseDegraded))
		w, known := p.Why("a")
		require.True(t, known)
		parts := make(map[fsm.Part]string)
		for _, l := range w.Chain {
			parts[l.Part] += l.Text + "\n"
		}
		assert.Contains(t, parts[fsm.PartAsked], "it is asked to be running")
		assert.Contains(t, parts[fsm.PartState], "it is degraded: ")
		assert.Contains(t, parts[fsm.PartSeen], "exited with 3")
		assert.NotEmpty(t, parts[fsm.PartNext])
	})
}

// A process that was ended for want of memory is told apart from one that somebody
// has killed.
func TestWantOfMemoryIsToldApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tree := s6test.New(s6test.Config{})
		t.Cleanup(func() { assert.NoError(t, tree.Close()) })
		tree.Install("sleep", s6test.Program{})
		p := start(t, tree)
		p.wants(map[string]desired{"a": {State: s6.Running, Spec: plainSpec}, "b": {State: s6.Running, Spec: plainSpec}})
		seen := func(name string) (text string) {
			w, _ := p.Why(name)
			for _, l := range w.Chain {
				text += l.Text + "\n"
			}
			return text
		}
		require.NoError(t, tree.Kill("a", syscall.SIGKILL))
		time.Sleep(5 * time.Second)
		assert.Contains(t, seen("a"), "ended by signal 9 (killed)")
		assert.NotContains(t, seen("a"), "want of memory")
		require.NoError(t, tree.Exhaust("b"))
		time.Sleep(5 * time.Second)
		assert.Regexp(t, `ended by signal 9 \(killed\) at \S+; the kernel has ended 1 for want of memory since `, seen("b"))
		assert.NotContains(t, seen("a"), "want of memory")
	})
}
