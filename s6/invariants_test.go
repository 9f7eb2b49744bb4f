package s6_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/filesystem/filesystemtest"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/s6log"
	"github.com/evenkeel/evenkeel/s6/s6test"
)

// program is a manager that runs, as in a program of a user.
type program struct {
	*fsm.Manager[*s6.Spec, s6.Observed]
	t    *testing.T
	stop func()
}

func start(t *testing.T, tree s6.Tree) *program {
	m, err := s6.NewManager(tree, fsm.Config{Backoff: fsm.Backoff{Cap: time.Second}})
	require.NoError(t, err)
	go m.Run(context.Background())
	stop := sync.OnceFunc(func() {
		assert.NoError(t, m.Close(context.Background()))
	})
	t.Cleanup(stop)
	return &program{m, t, stop}
}

func (p *program) wants(all map[string]desired) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	require.NoError(p.t, p.Apply(ctx, all))
	for name, d := range all {
		phase := fsm.PhaseRunning
		if d.State == s6.Stopped {
			phase = fsm.PhaseStopped
		}
		require.NoError(p.t, p.Wait(ctx, name, phase))
	}
}

// removes has all services removed, and waits for one.
func (p *program) removes(name string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	require.NoError(p.t, p.Apply(ctx, nil))
	require.NoError(p.t, p.Wait(ctx, name, fsm.PhaseRemoved))
}

// pids returns the processes at work, by service; a logger's is not one.
func pids(t *testing.T, tree *s6test.Tree) map[string]int {
	all := make(map[string]int)
	for _, p := range tree.Processes() {
		if !p.Waiting && !p.Finish && !strings.HasSuffix(p.Service, "/log") {
			assert.Zero(t, all[p.Service], "two processes of %s", p.Service)
			all[p.Service] = p.PID
		}
	}
	return all
}

func running(names ...string) map[string]desired {
	all := make(map[string]desired)
	for _, name := range names {
		all[name] = desired{State: s6.Running, Spec: &s6.Spec{Command: []string{"sleep", name}}}
	}
	return all
}

// TestInvariant1NeverTwoProcesses kills whatever there is, in every order that
// chance finds, while the service is changed, stopped and removed. The tree
// itself says so if two processes of a service are ever at work at once.
func TestInvariant1NeverTwoProcesses(t *testing.T) {
	for seed := range uint64(30) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			inBubble(t, s6test.Config{Version: s6test.Version(seed % 3)}, func(t *testing.T, tree *s6test.Tree) {
				random := rand.New(rand.NewPCG(seed, 0))
				tree.SetProgram("a", s6test.Program{StopAfter: 150 * time.Millisecond, Deaf: seed%5 == 4, FinishFor: 30 * time.Millisecond})
				p := start(t, tree)
				asks := []map[string]desired{
					{"a": {State: s6.Running, Spec: specA}}, {"a": {State: s6.Running, Spec: specALog}},
					{"a": {State: s6.Running, Spec: specB}}, {"a": {State: s6.Stopped, Spec: specB}}, {},
				}
				trouble := []func(){
					func() { _ = tree.Kill("a", syscall.SIGKILL) },
					func() { _ = tree.Kill("a/log", syscall.SIGKILL) },
					func() { _ = tree.KillSupervisor("a") },
					func() { _ = tree.KillSupervisor("a/log") },
					func() {
						tree.KillSvscan()
						pass(time.Duration(random.IntN(300)) * time.Millisecond)
						tree.StartSvscan()
					},
					func() { p.stop(); p = start(t, tree) },
					func() { require.NoError(t, p.Apply(t.Context(), asks[random.IntN(len(asks))])) },
				}
				for range 60 {
					trouble[random.IntN(len(trouble))]()
					pass(time.Duration(random.IntN(1500)) * time.Millisecond)
					pids(t, tree)
				}
				p.wants(asks[0])
				assert.Len(t, pids(t, tree), 1)
				p.removes("a")
				p.stop()
				assert.Empty(t, list(t, tree.FS(), tree.Layout().ServicesDir))
				assert.Empty(t, tree.Processes())
			})
		})
	}
}

// TestInvariant2PIDIsKept: through Apply, a restart of the program and the
// trouble of others.
func TestInvariant2PIDIsKept(t *testing.T) {
	inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
		p := start(t, tree)
		p.wants(running("a", "b", "c"))
		pid := pids(t, tree)["a"]
		kept := func(after string) {
			t.Helper()
			pass(20 * time.Second)
			assert.Equal(t, pid, pids(t, tree)["a"], after)
		}
		p.wants(running("a", "b", "c"))
		kept("the same declaration")
		p.wants(running("a", "d"))
		kept("others that come and go")
		p.stop()
		kept("the end of the program")
		p = start(t, tree)
		p.wants(running("a", "d"))
		kept("a new program")
		tree.SetProgram("d", s6test.Program{RunFor: time.Millisecond, ExitCode: 1})
		require.NoError(t, tree.Kill("d", syscall.SIGKILL))
		require.NoError(t, tree.KillSupervisor("d"))
		kept("the crashes of another")
		require.NoError(t, tree.KillSupervisor("a/log"))
		kept("the end of its logger's supervisor")
		tree.KillSvscan()
		pass(time.Second)
		tree.StartSvscan()
		kept("the end of s6-svscan")
		other := running("a")
		other["a"].Spec.Log, other["a"].Spec.Note, other["a"].Spec.StopTimeout = s6.Log{Files: 2}, "n", time.Second
		p.wants(other)
		kept("a change that is not the process's")
		p.stop()
	})
}

// TestInvariant3BadConfigurationStopsNothing: it is refused with its reason,
// and the others are applied.
func TestInvariant3BadConfigurationStopsNothing(t *testing.T) {
	inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
		p := start(t, tree)
		p.wants(running("a"))
		before := pids(t, tree)["a"]
		for round := range 2 {
			all := running("b")
			all["a"] = desired{State: s6.Running, Spec: &s6.Spec{Command: []string{"sleep"}, StopSignal: "NONE"}}
			err := p.Apply(t.Context(), all)
			require.ErrorIs(t, err, s6.ErrSpec)
			require.ErrorContains(t, err, `refused "a"`)
			require.ErrorContains(t, err, "stopSignal")
			require.NoError(t, p.Wait(t.Context(), "b", fsm.PhaseRunning))
			pass(20 * time.Second)
			assert.Equal(t, before, pids(t, tree)["a"], round)
			assert.Contains(t, p.Refused(), "a")
			p.stop()
			p = start(t, tree) // which has never seen a good one of it
		}
		p.stop()
	})
}

// TestInvariant4FailedReadIsNoAbsence: while nothing can be read nothing is
// done, and what cannot be found out is not applied.
func TestInvariant4FailedReadIsNoAbsence(t *testing.T) {
	inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
		settle(t, tree, running("a", "b"))
		before, files := pids(t, tree), list(t, tree.FS(), tree.Layout().ServicesDir)

		blind := s6test.Inject(tree, filesystemtest.OnKind(filesystemtest.Reads, filesystemtest.Fail(syscall.EIO)))
		p := start(t, blind)
		require.ErrorIs(t, p.Apply(t.Context(), nil), syscall.EIO)
		require.ErrorIs(t, p.Apply(t.Context(), running("a")), syscall.EIO)
		pass(time.Minute)
		assert.Equal(t, before, pids(t, tree))
		p.stop()

		// It can be found out what there is, and nothing more of one.
		blind = s6test.Inject(tree, filesystemtest.OnPath("/data/services/a/data/hash", filesystemtest.Fail(syscall.EIO)))
		p = start(t, blind)
		require.NoError(t, p.Apply(t.Context(), map[string]desired{"a": {State: s6.Running, Spec: specB}, "b": running("b")["b"]}))
		pass(time.Minute)
		assert.Equal(t, before, pids(t, tree))
		assert.Equal(t, files, list(t, tree.FS(), tree.Layout().ServicesDir))
		s, _ := p.Instance("a")
		assert.ErrorIs(t, s.Err, syscall.EIO)
		assert.False(t, s.Held)
		p.stop()
	})
}

// TestInvariant5NothingDeletedUnderLiveProcess: a removal waits for a process
// that is slow to end, that has lost its supervisor, or both.
func TestInvariant5NothingDeletedUnderLiveProcess(t *testing.T) {
	for name, killed := range map[string]func(tree *s6test.Tree) error{
		"supervised":             func(*s6test.Tree) error { return nil },
		"supervisor killed":      func(tree *s6test.Tree) error { return tree.KillSupervisor("a") },
		"all but process killed": func(tree *s6test.Tree) error { tree.KillSvscan(); return tree.KillSupervisor("a") },
		"killed while it is to end": func(tree *s6test.Tree) error {
			time.AfterFunc(50*time.Millisecond, func() { _ = tree.KillSupervisor("a") })
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
				tree.SetProgram("a", s6test.Program{Deaf: true})
				all := running("a")
				all["a"].Spec.StopTimeout = 3 * time.Second
				p := start(t, tree)
				p.wants(all)
				require.NoError(t, killed(tree))
				require.NoError(t, p.Apply(t.Context(), nil))
				pass(2 * time.Second)
				assert.Len(t, pids(t, tree), 1)
				_, err := tree.FS().Lstat(path.Join(tree.Layout().Service("a"), "run"))
				assert.NoError(t, err)
				require.NoError(t, p.Wait(t.Context(), "a", fsm.PhaseRemoved))
				assert.Empty(t, pids(t, tree))
				p.stop()
			})
		})
	}
}

// TestInvariant5NoLogLineIsLost to restarts, changes of the logs, kills of the
// logger, nor to a removal.
func TestInvariant5NoLogLineIsLost(t *testing.T) {
	inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
		p := start(t, tree)
		lines := 0
		say := func(count int) {
			for range count {
				lines++
				require.NoError(t, tree.Print("a", fmt.Sprintf("line %04d", lines)))
			}
		}
		spec := func(change func(s *s6.Spec)) map[string]desired {
			s := &s6.Spec{Command: []string{"sleep"}, Log: s6.Log{FileSize: 4096, Files: 100}}
			change(s)
			return map[string]desired{"a": {State: s6.Running, Spec: s}}
		}
		p.wants(spec(func(*s6.Spec) {}))
		say(300)
		p.wants(spec(func(s *s6.Spec) { s.Log.Files, s.Log.TAI64N = 200, true }))
		say(300)
		pass(time.Second)
		require.NoError(t, tree.Kill("a/log", syscall.SIGKILL))
		say(50)
		pass(time.Second)
		require.NoError(t, tree.KillSupervisor("a/log"))
		say(50)
		p.wants(spec(func(s *s6.Spec) { s.Command = []string{"sleep", "2"} }))
		say(10)
		pass(time.Second)
		require.NoError(t, tree.Kill("a", syscall.SIGKILL))
		pass(3 * time.Second)
		say(10)
		p.removes("a")
		p.stop()

		var all []string
		dir := tree.Layout().Log("a")
		entries, err := tree.FS().ReadDir(dir)
		require.NoError(t, err)
		for _, e := range entries { // archives sort before current
			if strings.HasPrefix(e.Name(), "@") || e.Name() == "current" {
				content, err := tree.FS().ReadFile(path.Join(dir, e.Name()))
				require.NoError(t, err)
				for line := range strings.Lines(string(content)) {
					all = append(all, s6log.ParseLine([]byte(line)).Text)
				}
			}
		}
		require.Len(t, all, lines)
		for n, text := range all {
			require.Equal(t, fmt.Sprintf("line %04d", n+1), text)
		}
	})
}

func TestLogsGoWithTheServiceIfAsked(t *testing.T) {
	for _, asked := range []bool{true, false} {
		inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
			spec := &s6.Spec{Command: []string{"sleep"}, Log: s6.Log{RemoveWithService: asked}}
			settle(t, tree, map[string]desired{"a": {State: s6.Running, Spec: spec}})
			p := start(t, tree)
			require.NoError(t, p.Apply(t.Context(), map[string]desired{"a": {State: fsm.StateRemoved}}))
			require.NoError(t, p.Wait(t.Context(), "a", fsm.PhaseRemoved))
			p.stop()
			_, err := tree.FS().Lstat(tree.Layout().Log("a"))
			assert.Equal(t, asked, err != nil)
		})
	}
}

// TestInvariant7FullDisk: nothing can be written, and the service that is to
// stop stops; when there is room again the rest follows.
func TestInvariant7FullDisk(t *testing.T) {
	inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
		settle(t, tree, running("a", "b"))
		full := s6test.Inject(tree, filesystemtest.OnKind(filesystemtest.Writes|filesystemtest.Mkdir, filesystemtest.Fail(syscall.ENOSPC)))
		p := start(t, full)
		all := running("a", "c")
		all["b"] = desired{State: s6.Stopped, Spec: running("b")["b"].Spec}
		require.NoError(t, p.Apply(t.Context(), all))
		pass(10 * time.Second)
		now := pids(t, tree)
		assert.NotZero(t, now["a"])
		assert.Zero(t, now["b"])
		c, _ := p.Instance("c")
		assert.ErrorIs(t, c.Err, syscall.ENOSPC)
		assert.False(t, c.NextTry.IsZero())
		p.stop()
		p = start(t, tree)
		p.wants(all)
		assert.Len(t, pids(t, tree), 2)
		p.stop()
	})
}

// TestInvariant8NamesAreCheckedBeforeTheyArePaths: whatever is asked of a bad
// name, nothing is looked at and nothing is touched.
func TestInvariant8NamesAreCheckedBeforeTheyArePaths(t *testing.T) {
	inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
		seen := s6test.Inject(tree)
		m, err := s6.NewManager(seen, fsm.Config{})
		require.NoError(t, err)
		before := list(t, tree.FS(), "/")
		for _, name := range []string{"", ".", "..", "../a", "a/b", "/", ".a", strings.Repeat("a", 201), "a\x00"} {
			for _, state := range []fsm.State{s6.Running, s6.Stopped, fsm.StateRemoved} {
				looks := seen.Ops().Count()
				err := m.Apply(t.Context(), map[string]desired{name: {State: state, Spec: plainSpec}})
				require.ErrorIs(t, err, fsm.ErrName, "%q", name)
				assert.Equal(t, 1, seen.Ops().Count()-looks, "only the services that exist are listed")
			}
		}
		require.NoError(t, m.Reconcile(t.Context()))
		assert.Equal(t, before, list(t, tree.FS(), "/"))
	})
}
