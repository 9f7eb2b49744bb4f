package s6_test

import (
	"context"
	"io/fs"
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

// A process that was told to end has ended; its supervisor is slow to write
// that down (a second here; on a full disk it cannot at all). Meanwhile the
// service is to run again.
func TestStoppedAndStoppingDoNotTakeTurns(t *testing.T) {
	inBubble(t, s6test.Config{Latency: time.Second}, func(t *testing.T, tree *s6test.Tree) {
		kind, err := s6.NewKind(tree, s6.KindName)
		require.NoError(t, err)
		transitions := 0
		i, err := fsm.NewInstance(&kind, "a", fsm.InstanceConfig{Listener: func(n fsm.Notice) {
			if x, ok := n.(fsm.Transition); ok {
				if transitions++; transitions < 16 {
					t.Log(x.From, x.To, x.Reason)
				}
			}
		}}, nil)
		require.NoError(t, err)
		t.Cleanup(func() { assert.NoError(t, i.Close()) })
		step := func(d time.Duration) {
			for end := time.Now().Add(d); time.Now().Before(end); {
				res := i.Reconcile(t.Context())
				// A real pass takes some time.
				time.Sleep(min(max(time.Until(res.Next), 100*time.Microsecond), 100*time.Millisecond))
			}
		}
		of := func(state fsm.State) fsm.Desired[*s6.Spec] {
			return fsm.Desired[*s6.Spec]{State: state, Spec: plainSpec}
		}
		require.NoError(t, i.SetDesired(of(s6.Running)))
		step(30 * time.Second)
		require.Equal(t, s6.StateRunning, i.Snapshot().State)
		require.NoError(t, i.SetDesired(of(s6.Stopped)))
		step(200 * time.Millisecond) // it is told
		require.NoError(t, i.SetDesired(of(s6.Running)))
		transitions = 0
		step(10 * time.Second)
		assert.Equal(t, s6.StateRunning, i.Snapshot().State)
		assert.Less(t, transitions, 10)
	})
}

// A process that was told to end has ended, and the next one has its id.
func TestProcessIDComesAgain(t *testing.T) {
	inBubble(t, s6test.Config{MaxPID: 104}, func(t *testing.T, tree *s6test.Tree) {
		var passed []fsm.State
		m, err := s6.NewManager(tree, fsm.Config{Listeners: []fsm.Listener{func(n fsm.Notice) {
			if x, ok := n.(fsm.Transition); ok {
				passed = append(passed, x.To)
			}
		}}})
		require.NoError(t, err)
		defer func() { assert.NoError(t, m.Close(context.Background())) }()
		go m.Run(t.Context())
		ask := func(state fsm.State, phase fsm.Phase) {
			require.NoError(t, m.Set(t.Context(), "a", desired{State: state, Spec: plainSpec}))
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			require.NoError(t, m.Wait(ctx, "a", phase))
		}
		ask(s6.Running, fsm.PhaseRunning)
		before := pidOf(tree, "a")
		time.Sleep(time.Minute)
		ask(s6.Stopped, fsm.PhaseStopped)
		time.Sleep(time.Minute)
		passed = nil
		ask(s6.Running, fsm.PhaseRunning)
		require.Equal(t, before, pidOf(tree, "a"), "or this shows nothing")
		time.Sleep(time.Minute)
		assert.Equal(t, []fsm.State{s6.StateStarting, s6.StateRunning}, passed)
		s, _ := m.Instance("a")
		assert.Zero(t, s.Observed.Deaths)
		assert.False(t, s.Observed.Told)
	})
}

// A status lags behind the end of its process, and names a finish command then.
func TestStoppedIsSaidOnce(t *testing.T) {
	inBubble(t, s6test.Config{Latency: 100 * time.Millisecond}, func(t *testing.T, tree *s6test.Tree) {
		tree.SetProgram("a", s6test.Program{FinishFor: 200 * time.Millisecond})
		var passed []fsm.State
		kind, err := s6.NewKind(tree, s6.KindName)
		require.NoError(t, err)
		i, err := fsm.NewInstance(&kind, "a", fsm.InstanceConfig{Listener: func(n fsm.Notice) {
			if x, ok := n.(fsm.Transition); ok {
				passed = append(passed, x.To)
			}
		}}, nil)
		require.NoError(t, err)
		t.Cleanup(func() { assert.NoError(t, i.Close()) })
		step := func() {
			for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
				i.Reconcile(t.Context())
			}
		}
		spec := &s6.Spec{Command: []string{"sleep", "1"}, Finish: []string{"true"}}
		require.NoError(t, i.SetDesired(fsm.Desired[*s6.Spec]{State: s6.Running, Spec: spec}))
		step()
		passed = nil
		require.NoError(t, i.SetDesired(fsm.Desired[*s6.Spec]{State: s6.Stopped, Spec: spec}))
		step()
		assert.Equal(t, []fsm.State{s6.StateStopping, s6.StateStopped}, passed)
	})
}

// mute is a tree whose supervisors cannot write their status, as on a disk that
// is full from the beginning.
type mute struct{ *s6test.Tree }

func (m mute) Status(string) (supervise.Status, error) { return supervise.Status{}, fs.ErrNotExist }

func TestServiceWithoutAStatusIsStopped(t *testing.T) {
	inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
		p := start(t, mute{tree})
		of := func(state fsm.State) map[string]desired {
			return map[string]desired{"a": {State: state, Spec: &s6.Spec{Command: []string{"sleep", "1"}}}}
		}
		require.NoError(t, p.Apply(t.Context(), of(s6.Running)))
		pass(10 * time.Second)
		require.NotZero(t, pids(t, tree)["a"])
		s, _ := p.Instance("a")
		assert.Contains(t, s.Reason.String(), "status", s.State)
		assert.ErrorContains(t, p.Restart(t.Context(), "a"), "has not written down which process it runs")
		p.wants(of(s6.Stopped))
		assert.Zero(t, pids(t, tree)["a"])
		require.NoError(t, p.Apply(t.Context(), nil))
		require.NoError(t, p.Wait(t.Context(), "a", fsm.PhaseRemoved))
	})
}

// The logs of a service that is removed are kept as its own spec says, not as
// that one says with which it is listed again before it has gone.
func TestLogsAreKeptAsTheServicesOwnSpecSays(t *testing.T) {
	inBubble(t, s6test.Config{Latency: 20 * time.Millisecond}, func(t *testing.T, tree *s6test.Tree) {
		tree.SetProgram("a", s6test.Program{StopAfter: time.Second})
		p := start(t, tree)
		of := func(remove bool) map[string]desired {
			return map[string]desired{"a": {State: s6.Running, Spec: &s6.Spec{Command: []string{"sleep", "1"}, Log: s6.Log{RemoveWithService: remove}}}}
		}
		p.wants(of(false))
		require.NoError(t, tree.Print("a", "precious"))
		pass(time.Second)
		log := tree.Layout().Log("a") + "/current"
		data, err := tree.FS().ReadFile(log)
		require.NoError(t, err)
		require.Contains(t, string(data), "precious")

		require.NoError(t, p.Apply(t.Context(), nil))
		s, _ := p.Instance("a")
		for s.State != fsm.StateRemoving {
			pass(time.Millisecond)
			s, _ = p.Instance("a")
		}
		p.wants(of(true)) // created again when the removal is done
		data, err = tree.FS().ReadFile(log)
		require.NoError(t, err)
		assert.Contains(t, string(data), "precious")
	})
}

// What the program before has asked for is no crash.
func TestRestartsOfTheProgramBeforeAreNoCrashes(t *testing.T) {
	inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
		p := start(t, tree)
		of := func(arg string) map[string]desired {
			return map[string]desired{"a": {State: s6.Running, Spec: &s6.Spec{Command: []string{"sleep", arg}}}}
		}
		for _, arg := range []string{"1", "2", "3", "4"} { // three restarts
			p.wants(of(arg))
			pass(3 * time.Second)
		}
		s, _ := p.Instance("a")
		require.Equal(t, fsm.PhaseRunning, s.Phase)
		require.Zero(t, s.Observed.Deaths)
		p.stop()
		q := start(t, tree)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		require.NoError(t, q.Apply(ctx, of("4")))
		assert.NoError(t, q.Wait(ctx, "a", fsm.PhaseRunning))
	})
}

// A pass takes seconds before it comes to the status, and a process has started
// meanwhile. It has not run for as long as it has to.
func TestSlowPassSeesAYoungProcess(t *testing.T) {
	inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
		settle(t, tree, running("a"))
		slow := filesystemtest.OnKind(filesystemtest.Query, slowly(4*time.Second))
		d := s6.NewDriver(s6test.Inject(tree, slow), "a", func() {})
		want := desired{State: s6.Running, Spec: running("a")["a"].Spec}
		begin := time.Now()
		time.AfterFunc(11*time.Second-100*time.Millisecond, func() { assert.NoError(t, tree.Kill("a", syscall.SIGKILL)) })
		o, err := d.Observe(t.Context(), want)
		require.NoError(t, err)
		require.True(t, o.Up())
		require.WithinDuration(t, begin.Add(3*4*time.Second), o.Status.Stamp, time.Second, "it began just before three looks were over")
		o.Watched = true
		in := fsm.Input[*s6.Spec, s6.Observed]{Now: begin, State: s6.StateStarting, Since: begin, Desired: want, Observed: o}
		decision := s6.Decide(in)
		assert.Empty(t, decision.Fire, "%s", decision.Reason)
		assert.Positive(t, decision.After)
	})
}

// slowly lets operations take some time.
type slowly time.Duration

func (s slowly) Inject(filesystemtest.Op) filesystemtest.Fault {
	time.Sleep(time.Duration(s))
	return filesystemtest.Fault{}
}

func (s slowly) String() string { return "slowly" }

// A request to end that met no process is none to the next one: that one's end
// was not asked for.
func TestRequestThatMetNoProcess(t *testing.T) {
	inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
		tree.SetProgram("a", s6test.Program{RunFor: 300 * time.Millisecond, ExitCode: 1})
		p := start(t, tree)
		of := func(state fsm.State) map[string]desired {
			return map[string]desired{"a": {State: state, Spec: running("a")["a"].Spec}}
		}
		require.NoError(t, p.Apply(t.Context(), of(s6.Running)))
		pass(400 * time.Millisecond)
		require.Empty(t, pids(t, tree), "it has ended, and s6 runs another in a second")
		require.NoError(t, p.Apply(t.Context(), of(s6.Stopped)))
		pass(3 * time.Second)
		require.NoError(t, p.Apply(t.Context(), of(s6.Running)))
		pass(400 * time.Millisecond)
		s, _ := p.Instance("a")
		assert.Equal(t, 2, s.Observed.Restarts)
		assert.Equal(t, 2, s.Observed.Deaths)
		assert.True(t, s.Observed.Unasked)
	})
}
