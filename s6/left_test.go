package s6_test

import (
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/internal/proc"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/s6log"
	"github.com/evenkeel/evenkeel/s6/s6test"
)

// children returns the processes that those of a service have started.
func children(tree *s6test.Tree) (pids []int) {
	for _, p := range tree.Processes() {
		if p.Child {
			pids = append(pids, p.PID)
		}
	}
	return pids
}

func stopped(d map[string]desired) map[string]desired {
	all := make(map[string]desired)
	for name, one := range d {
		all[name] = desired{State: s6.Stopped, Spec: one.Spec}
	}
	return all
}

var (
	parent     = s6test.Program{Children: []s6test.Program{{}, {StopAfter: 100 * time.Millisecond}}}
	deafParent = s6test.Program{Children: []s6test.Program{{Deaf: true}}}
)

// A service is no single process: what its process has started ends with it,
// before another one starts, and when it is stopped.
func TestServiceIsNotTakenToBeOneProcess(t *testing.T) {
	for name, program := range map[string]s6test.Program{"children that hear": parent, "a deaf child": deafParent} {
		t.Run(name, func(t *testing.T) {
			for _, version := range []s6test.Version{s6test.V211, s6test.V213, s6test.V215} {
				inBubble(t, s6test.Config{Version: version}, func(t *testing.T, tree *s6test.Tree) {
					tree.SetProgram("a", program)
					p := start(t, tree)
					p.wants(running("a"))
					for range 3 {
						before := children(tree)
						require.Len(t, before, len(program.Children))
						require.NoError(t, tree.Kill("a", syscall.SIGKILL))
						pass(10 * time.Second)
						require.Len(t, children(tree), len(program.Children))
						require.NotSubset(t, children(tree), before)
					}
					p.wants(stopped(running("a")))
					assert.Empty(t, children(tree))
				})
			}
		})
	}
}

// s6 alone ends what was left: no program needs to run.
func TestWhatWasLeftEndsWithoutTheProgram(t *testing.T) {
	inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
		tree.SetProgram("a", parent)
		settle(t, tree, running("a"))
		before := children(tree)
		require.NoError(t, tree.Kill("a", syscall.SIGKILL))
		pass(10 * time.Second)
		assert.Len(t, children(tree), 2)
		assert.NotSubset(t, children(tree), before)
	})
}

// Where the finish script is cut short, or comes from before there was one that
// ends groups, the program ends what was left, and says so meanwhile.
func TestWhatTheFinishScriptHasNotEnded(t *testing.T) {
	inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
		tree.SetProgram("a", deafParent)
		p := start(t, tree)
		all := running("a")
		all["a"].Spec.FinishTimeout = 20 * time.Millisecond
		p.wants(all)
		finish := path.Join(tree.Layout().Service("a"), "finish")
		require.NoError(t, tree.FS().Remove(finish))
		before := children(tree)
		require.NoError(t, tree.Kill("a", syscall.SIGSTOP))
		require.NoError(t, tree.Kill("a", syscall.SIGKILL))
		pass(2 * time.Millisecond)
		s, _ := p.Instance("a")
		assert.Equal(t, s6.StateDegraded, s.State)
		assert.Equal(t, fmt.Sprintf("its process has ended and what that has started has not: pid %d", before[0]), s.Reason.String())
		assert.Equal(t, before, s.Observed.Left)
		pass(10 * time.Second)
		assert.NotSubset(t, children(tree), before)
		assert.Len(t, children(tree), 1)
		p.wants(stopped(all))
		assert.Empty(t, children(tree))
	})
}

// A process that has lost its supervisor does not leave anything either.
func TestStrayLeavesNothing(t *testing.T) {
	for name, program := range map[string]s6test.Program{"children that hear": parent, "a deaf child": deafParent} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
				tree.SetProgram("a", program)
				p := start(t, tree)
				p.wants(running("a"))
				before := children(tree)
				require.NoError(t, tree.KillSupervisor("a"))
				pass(time.Second)
				p.wants(running("a"))
				pass(time.Second)
				assert.Len(t, children(tree), len(before))
				assert.NotSubset(t, children(tree), before)
				require.NoError(t, tree.KillSupervisor("a"))
				p.wants(stopped(running("a")))
				assert.Empty(t, children(tree))
			})
		})
	}
}

// The service directory stays for as long as something works in it.
func TestRemovalWaitsForWhatWasLeft(t *testing.T) {
	inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
		tree.SetProgram("a", deafParent)
		p := start(t, tree)
		p.wants(running("a"))
		require.NoError(t, tree.FS().Remove(path.Join(tree.Layout().Service("a"), "finish")))
		tree.KillSvscan()
		require.NoError(t, tree.KillSupervisor("a"))
		require.NoError(t, tree.Kill("a", syscall.SIGKILL))
		p.removes("a")
		assert.Empty(t, children(tree))
	})
}

// The next run of the program finds what the last process has left, as long as
// the process has not been seen to.
func TestNextRunFindsWhatWasLeft(t *testing.T) {
	inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
		tree.SetProgram("a", deafParent)
		settle(t, tree, running("a"))
		require.NoError(t, tree.FS().Remove(path.Join(tree.Layout().Service("a"), "finish")))
		require.NoError(t, tree.FS().WriteFile(path.Join(tree.Layout().Service("a"), "down"), nil, 0o644))
		require.NoError(t, tree.Control(tree.Layout().Service("a"), 'd'))
		pass(time.Second)
		require.NotEmpty(t, children(tree))
		o := observe(t, tree, "a", stopped(running("a"))["a"])
		assert.Equal(t, children(tree), o.Left)
		settle(t, tree, stopped(running("a")))
		assert.Empty(t, children(tree))
	})
}

// A restart by hand keeps what is known of the supervisor.
func TestRestartEndsChildren(t *testing.T) {
	inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
		tree.SetProgram("a", parent)
		p := start(t, tree)
		p.wants(running("a"))
		before := children(tree)
		require.NoError(t, p.Restart(t.Context(), "a"))
		p.wants(running("a"))
		require.NoError(t, p.Wait(t.Context(), "a", fsm.PhaseRunning))
		assert.NotSubset(t, children(tree), before)
	})
}

// TestFinishScriptEndsNothingElse has real shells run finish scripts: a group is
// ended only where it is known to be that of the process which has ended.
func TestFinishScriptEndsNothingElse(t *testing.T) {
	const sleeps = "exec sleep 1000"
	spec := &s6.Spec{Command: []string{"true"}, FinishTimeout: 400 * time.Millisecond}
	later := time.Now().Add(time.Hour)
	for name, test := range map[string]struct {
		script string // of the group
		record func(pid int) string
		told   func(pid int) string // by s6-supervise, from 2.13 on
		ends   bool
	}{
		"its own":                   {sleeps, func(pid int) string { return fmt.Sprintf("hash %d %s", pid, self(t)) }, nil, true},
		"its own, deaf":             {"trap '' TERM; while :; do sleep 1000; done", func(pid int) string { return fmt.Sprintf("hash %d %s", pid, self(t)) }, nil, true},
		"of another supervisor":     {sleeps, func(pid int) string { return fmt.Sprintf("hash %d %d.1", pid, os.Getpid()) }, nil, false},
		"of an unknown supervisor":  {sleeps, func(pid int) string { return fmt.Sprintf("hash %d", pid) }, nil, false},
		"none: it was ended before": {sleeps, func(pid int) string { return fmt.Sprintf("hash 0\n%d %s", pid, self(t)) }, nil, false},
		"nothing is written down":   {sleeps, func(int) string { return "" }, nil, false},
		"older than it was seen":    {sleeps, func(pid int) string { return fmt.Sprintf("- %d %s %d", pid, self(t), ticks(t, later)) }, nil, true},
		"younger than it was seen":  {sleeps, func(pid int) string { return fmt.Sprintf("- %d %s 1", pid, self(t)) }, nil, false},
		"seen nobody knows when":    {sleeps, func(pid int) string { return fmt.Sprintf("- %d %s x", pid, self(t)) }, nil, false},
		"nothing but what is told":  {sleeps, func(int) string { return "" }, strconv.Itoa, true},
		"told and written down":     {sleeps, func(pid int) string { return fmt.Sprintf("hash %d %s", pid, self(t)) }, strconv.Itoa, true},
		"told, another is written":  {sleeps, func(int) string { return fmt.Sprintf("hash %d %s", 1<<30, self(t)) }, strconv.Itoa, true},
		"told that it is no group":  {sleeps, func(int) string { return "" }, func(int) string { return "0" }, false},
		"told what is no number":    {sleeps, func(int) string { return "" }, func(pid int) string { return "+" + strconv.Itoa(pid) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			inEveryShell(t, spec, func(s *scripted) {
				group, pid := leaves(t, test.script)
				defer func() { _ = syscall.Kill(-group, syscall.SIGKILL) }()
				record := filepath.Join(s.dir, "data/started")
				s.write("data/started", test.record(group)+"\n")
				args := []string{"finish", "256", "9", "name"}
				if test.told != nil {
					args = append(args, test.told(group))
				}
				cmd := exec.Command(s.shell[0], append(s.shell[1:len(s.shell):len(s.shell)], args...)...)
				cmd.Dir = s.dir
				said, err := cmd.CombinedOutput()
				require.NoError(t, err)
				require.Equal(t, s6log.Border+"\n", string(said))
				left, err := proc.System.Group(group)
				require.NoError(t, err)
				if !test.ends {
					require.True(t, slices.ContainsFunc(left, func(p proc.Process) bool { return fmt.Sprint(p.PID) == pid }))
					return
				}
				require.Empty(t, left)
				after, err := os.ReadFile(record)
				require.NoError(t, err)
				was := strings.Fields(test.record(group))
				if len(was) > 1 && was[1] == strconv.Itoa(group) {
					require.True(t, strings.HasPrefix(string(after), was[0]+" 0\n"), "%q", after)
				} else {
					require.Equal(t, test.record(group)+"\n", string(after), "it is of another")
				}
			})
		})
	}
}

// TestFinishScriptWithoutARecord has real shells end what s6-supervise says, where
// there is no record at all, in scripts with and without a policy.
func TestFinishScriptWithoutARecord(t *testing.T) {
	for name, spec := range map[string]*s6.Spec{
		"plain":  {Command: []string{"true"}},
		"policy": {Command: []string{"true"}, Policy: s6.Policy{Restart: s6.RestartOnFailure}, Finish: []string{"true"}},
	} {
		t.Run(name, func(t *testing.T) {
			inEveryShell(t, spec, func(s *scripted) {
				group, _ := leaves(t, "exec sleep 1000")
				defer func() { _ = syscall.Kill(-group, syscall.SIGKILL) }()
				require.NoError(t, os.Remove(filepath.Join(s.dir, "data/started")))
				assert.Zero(t, s.run("finish", "256", "9", "name", strconv.Itoa(group)))
				left, err := proc.System.Group(group)
				require.NoError(t, err)
				assert.Empty(t, left)
				assert.NoFileExists(t, filepath.Join(s.dir, "data/started"))
			})
		})
	}
}

// leaves has a process start another one and end: what is left is the group.
func leaves(t *testing.T, script string) (group int, pid string) {
	t.Helper()
	leader := exec.Command("sh", "-c", script+" >/dev/null 2>&1 & echo $!")
	leader.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := leader.Output()
	require.NoError(t, err)
	return leader.Process.Pid, strings.TrimSpace(string(out))
}

// ticks is when something is, as /proc and the program's records have it.
func ticks(t *testing.T, when time.Time) int {
	now, err := proc.SinceBoot()
	require.NoError(t, err)
	return int((now + time.Until(when)) / proc.Tick)
}
