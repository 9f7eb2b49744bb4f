package s6_test

import (
	"errors"
	"fmt"
	"path"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/s6test"
)

// TestWhatIsDeletedUnderALiveProcess: what ran in it ends before another process
// begins, in the time that the service has for it, whatever was killed before.
func TestWhatIsDeletedUnderALiveProcess(t *testing.T) {
	deletions := map[string]func(t *testing.T, tree *s6test.Tree){
		"rm -rf services/a": func(t *testing.T, tree *s6test.Tree) {
			require.NoError(t, tree.FS().RemoveAll(tree.Layout().Service("a")))
		},
		"rm -rf after SIGKILL of s6-supervise": func(t *testing.T, tree *s6test.Tree) {
			require.NoError(t, tree.KillSupervisor("a"))
			require.NoError(t, tree.FS().RemoveAll(tree.Layout().Service("a")))
		},
		"rm -rf after SIGKILL of s6-svscan": func(t *testing.T, tree *s6test.Tree) {
			tree.KillSvscan()
			require.NoError(t, tree.FS().RemoveAll(tree.Layout().Service("a")))
			time.AfterFunc(500*time.Millisecond, tree.StartSvscan)
		},
		"rm -rf after SIGKILL of all supervisors": func(t *testing.T, tree *s6test.Tree) {
			tree.KillSvscan()
			require.NoError(t, tree.KillSupervisor("a"))
			require.NoError(t, tree.KillSupervisor("a/log"))
			require.NoError(t, tree.FS().RemoveAll(tree.Layout().Service("a")))
			time.AfterFunc(500*time.Millisecond, tree.StartSvscan)
		},
		"mv services/a": func(t *testing.T, tree *s6test.Tree) {
			require.NoError(t, tree.FS().Rename(tree.Layout().Service("a"), "/data/elsewhere"))
		},
		"rm -rf data": func(t *testing.T, tree *s6test.Tree) {
			require.NoError(t, tree.FS().RemoveAll(path.Join(tree.Layout().Service("a"), "data")))
		},
		"rm data/lock": func(t *testing.T, tree *s6test.Tree) {
			require.NoError(t, tree.FS().Remove(path.Join(tree.Layout().Service("a"), "data/lock")))
			pass(20 * time.Second)
			require.NoError(t, tree.KillSupervisor("a"))
		},
	}
	for name, deletion := range deletions {
		for how, program := range map[string]s6test.Program{"": {}, ", slow": {StopAfter: 2 * time.Second}, ", deaf": {Deaf: true}} {
			for _, again := range []string{"", ", and another program"} {
				if again != "" && name == "rm data/lock" {
					continue // nobody is there to prevent two: TestTwoProcessesThatNobodyPrevented
				}
				t.Run(name+how+again, func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) {
						tree := s6test.New(s6test.Config{})
						defer func() {
							if err := tree.Close(); err != nil {
								assert.NotContains(t, err.Error(), "two processes")
							}
						}()
						tree.Install("sleep", s6test.Program{})
						tree.SetProgram("a", program)
						all := running("a", "b")
						all["a"].Spec.StopTimeout = 4 * time.Second
						p := start(t, tree)
						p.wants(all)
						before := pids(t, tree)
						if again != "" {
							p.stop()
						}
						deletion(t, tree)
						if again != "" {
							pass(time.Second)
							p = start(t, tree)
							require.NoError(t, p.Apply(t.Context(), all))
						}
						began := time.Now()
						for time.Since(began) < 15*time.Second {
							pass(50 * time.Millisecond)
							pids(t, tree) // fails where there are two
						}
						p.wants(all)
						pass(10 * time.Second)
						p.wants(all)
						after := pids(t, tree)
						assert.NotEqual(t, before["a"], after["a"])
						assert.Equal(t, before["b"], after["b"])
						assert.Len(t, tree.Processes(), 4, "two processes and their loggers")
						p.stop()
						require.NoError(t, tree.Terminate())
						pass(time.Minute)
						assert.NotContains(t, pids(t, tree), "a", "nothing of it outlives the tree")
					})
				})
			}
		}
	}
}

// TestTwoProcessesThatNobodyPrevented: the lock was deleted, and the supervisor
// killed, while no program was there. The next one ends the older process.
func TestTwoProcessesThatNobodyPrevented(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tree := s6test.New(s6test.Config{})
		defer func() { assert.ErrorContains(t, tree.Close(), "two processes of a are at work") }()
		tree.Install("sleep", s6test.Program{})
		tree.SetProgram("a", s6test.Program{Deaf: true})
		settle(t, tree, running("a"))
		old := pids(t, tree)["a"]
		require.NoError(t, tree.FS().Remove(path.Join(tree.Layout().Service("a"), "data/lock")))
		require.NoError(t, tree.KillSupervisor("a"))
		pass(5 * time.Second)
		p := start(t, tree)
		p.wants(running("a"))
		pass(20 * time.Second)
		p.wants(running("a"))
		assert.NotEqual(t, old, pids(t, tree)["a"])
		assert.Len(t, tree.Processes(), 2)
		p.stop()
	})
}

// TestWhatIsDeletedAndNotWantedAnyMore ends, too.
func TestWhatIsDeletedAndNotWantedAnyMore(t *testing.T) {
	for _, state := range []string{"stopped", "removed"} {
		t.Run(state, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tree := s6test.New(s6test.Config{})
				defer func() { assert.ErrorContains(t, tree.Close(), "was deleted while it lived") }()
				tree.Install("sleep", s6test.Program{})
				tree.SetProgram("a", s6test.Program{Deaf: true})
				all := running("a")
				all["a"].Spec.StopTimeout = 4 * time.Second
				p := start(t, tree)
				p.wants(all)
				require.NoError(t, tree.KillSupervisor("a"))
				require.NoError(t, tree.FS().RemoveAll(tree.Layout().Service("a")))
				if state == "removed" {
					p.removes("a")
				} else {
					p.wants(map[string]desired{"a": {State: s6.Stopped, Spec: all["a"].Spec}})
				}
				assert.Empty(t, pids(t, tree))
				p.stop()
			})
		})
	}
}

// TestDeletedInstanceLock: the reason says why the process restarts, and it does
// so once.
func TestDeletedInstanceLock(t *testing.T) {
	inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
		p := start(t, tree)
		p.wants(running("a"))
		pass(10 * time.Second)
		require.NoError(t, tree.FS().Remove(path.Join(tree.Layout().Service("a"), "data/lock")))
		pass(20 * time.Second)
		after := pids(t, tree)["a"]
		s, _ := p.Instance("a")
		assert.Equal(t, s6.StateRunning, s.State)
		var reasons []string
		for _, move := range s.History {
			reasons = append(reasons, move.Reason.String())
		}
		assert.Contains(t, strings.Join(reasons, "\n"), "its instance lock was deleted")
		pass(time.Minute)
		assert.Equal(t, after, pids(t, tree)["a"])
		state, err := tree.Process(tree.Layout().Service("a"))
		require.NoError(t, err)
		assert.Equal(t, after, state.PID)
		require.NoError(t, tree.Kill("a", syscall.SIGTERM))
		p.stop()
	})
}

// attentive is a tree that remembers by which signals what is left of a deleted
// directory was told to end, but for what is of the logger.
type attentive struct {
	*s6test.Tree
	told  []string
	fails int // so often a supervisor cannot be signalled
}

func (a *attentive) EndRemnant(service string, known s6.Sighting, pid int, signals ...syscall.Signal) error {
	all, err := a.Remains(service, known, time.Time{})
	for _, r := range all {
		if r.PID == pid && !r.Logger {
			if r.Supervisor && a.fails > 0 {
				a.fails--
				return syscall.EMFILE
			}
			a.told = append(a.told, fmt.Sprintf("supervisor %v: %v", r.Supervisor, signals))
		}
	}
	return errors.Join(err, a.Tree.EndRemnant(service, known, pid, signals...))
}

// TestWhatIsDeletedIsAskedOnce: a second signal is for many programs a demand to
// end at once, and a supervisor that is told to end hands it on. The supervisor
// comes first, for it starts another process where that ends before.
func TestWhatIsDeletedIsAskedOnce(t *testing.T) {
	for name, fails := range map[string]int{"its supervisor can be told": 0, "its supervisor cannot be told at first": 3} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tree := &attentive{Tree: s6test.New(s6test.Config{})}
				defer func() { assert.ErrorContains(t, tree.Close(), "was deleted while it lived") }()
				tree.Install("sleep", s6test.Program{StopAfter: 8 * time.Second})
				p := start(t, tree)
				p.wants(running("a"))
				tree.fails = fails
				require.NoError(t, tree.FS().RemoveAll(tree.Layout().Service("a")))
				pass(time.Minute)
				p.wants(running("a"))
				require.GreaterOrEqual(t, len(tree.told), 2)
				assert.Equal(t, []string{"supervisor true: [hangup]", "supervisor false: [terminated continued]"}, tree.told[:2])
				assert.NotContains(t, tree.told[2:], "supervisor false: [terminated continued]")
				assert.NotContains(t, tree.told, "supervisor true: [terminated]")
				p.stop()
			})
		})
	}
}

// TestSupervisorWithoutItsLock is replaced, as nobody can ask it anything: that of
// a logger without the process, also by a program that has not seen it before.
func TestSupervisorWithoutItsLock(t *testing.T) {
	for _, of := range []string{"", "log"} {
		for _, before := range []bool{false, true} {
			t.Run(fmt.Sprintf("%q, %v", of, before), func(t *testing.T) {
				inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
					settle(t, tree, running("a"))
					var p *program
					if before {
						p = start(t, tree)
						p.wants(running("a"))
					}
					process := pidOf(tree, "a")
					require.NoError(t, tree.FS().RemoveAll(path.Join(tree.Layout().Service("a"), of, "supervise")))
					if !before {
						p = start(t, tree)
					}
					pass(10 * time.Second)
					p.wants(running("a"))
					state, err := tree.Supervisor(path.Join(tree.Layout().Service("a"), of))
					require.NoError(t, err)
					assert.True(t, state.Held)
					assert.Len(t, tree.Supervisors(), 2)
					assert.Len(t, pids(t, tree), 1)
					assert.Equal(t, of == "log", process == pidOf(tree, "a"))
				})
			})
		}
	}
}
