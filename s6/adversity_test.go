package s6_test

import (
	"io/fs"
	"path"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/filesystem"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/s6test"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

// disk is a filesystem on which some things cannot be written while full is
// set.
type disk struct {
	filesystem.FS
	full    atomic.Bool
	refuses func(name, data string) bool
	looks   atomic.Int64
}

func (d *disk) check(name, data string) error {
	if d.full.Load() && d.refuses(name, data) {
		return &fs.PathError{Op: "write", Path: name, Err: syscall.ENOSPC}
	}
	return nil
}

func (d *disk) ReplaceFile(name string, data []byte, perm fs.FileMode) error {
	if err := d.check(name, string(data)); err != nil {
		return err
	}
	return d.FS.ReplaceFile(name, data, perm)
}

func (d *disk) WriteFile(name string, data []byte, perm fs.FileMode) error {
	if err := d.check(name, string(data)); err != nil {
		return err
	}
	return d.FS.WriteFile(name, data, perm)
}

func (d *disk) MkdirAll(name string, perm fs.FileMode) error {
	if err := d.check(name, ""); err != nil {
		return err
	}
	return d.FS.MkdirAll(name, perm)
}

func (d *disk) Readlink(name string) (string, error) {
	d.looks.Add(1)
	return d.FS.Readlink(name)
}

// diskTree is a tree on such a filesystem, as a program sees it.
type diskTree struct {
	*s6test.Tree
	disk *disk
}

func (d diskTree) FS() filesystem.FS { return d.disk }

func onDisk(tree *s6test.Tree, refuses func(name, data string) bool) (diskTree, *disk) {
	d := &disk{FS: tree.FS(), refuses: refuses}
	return diskTree{tree, d}, d
}

// A change that was cut short, and taken back, leaves no process that was given
// some of it.
func TestChangeThatWasCutShortIsNotLeftRunning(t *testing.T) {
	inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
		of := func(x string) map[string]desired {
			return map[string]desired{"a": {State: s6.Running, Spec: &s6.Spec{Command: []string{"sleep", "1"}, Env: map[string]string{"X": x}}}}
		}
		// The last file but one, when all others are written.
		limited, disk := onDisk(tree, func(name, data string) bool {
			return name == tree.Layout().Service("a")+"/run" && !strings.Contains(data, strings.Repeat("0", 64))
		})
		p := start(t, limited)
		p.wants(of("good"))
		disk.full.Store(true)
		require.NoError(t, p.Apply(t.Context(), of("bad")))
		pass(5 * time.Second)
		env, err := tree.FS().ReadFile(path.Join(tree.Layout().Service("a"), "env/X"))
		require.NoError(t, err)
		require.Equal(t, "bad\n", string(env), "it was cut short after that")
		require.NoError(t, tree.Kill("a", syscall.SIGKILL))
		pass(5 * time.Second)
		mixed := pids(t, tree)["a"]
		disk.full.Store(false)
		p.wants(of("good"))
		pass(5 * time.Second)
		assert.NotEqual(t, mixed, pids(t, tree)["a"], "its environment is that of the change")
	})
}

// A process that was told to end for a change is not said to run when the change
// is taken back before it has ended.
func TestTakenBackChangeWaitsForItsProcess(t *testing.T) {
	for name, ready := range map[string]s6.Readiness{"plain": {}, "announcing": {FD: 3}} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
				of := func(arg string) map[string]desired {
					return map[string]desired{"a": {State: s6.Running, Spec: &s6.Spec{Command: []string{"sleep", arg}, Ready: ready}}}
				}
				tree.SetProgram("a", s6test.Program{StopAfter: 150 * time.Millisecond})
				p := start(t, tree)
				p.wants(of("1"))
				pass(3 * time.Second)
				first := pids(t, tree)["a"]
				require.NoError(t, p.Apply(t.Context(), of("2")))
				pass(50 * time.Millisecond)
				p.wants(of("1"))
				for range 100 {
					s, _ := p.Instance("a")
					require.NotEqual(t, first, s.Observed.PID())
					require.Equal(t, fsm.PhaseRunning, s.Phase)
					pass(20 * time.Millisecond)
				}
			})
		})
	}
}

// Nothing that a process could be given is touched before that is prepared.
func TestChangeThatCannotBeginTouchesNothing(t *testing.T) {
	inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
		of := func(env map[string]string) map[string]desired {
			return map[string]desired{"a": {State: s6.Running, Spec: &s6.Spec{Command: []string{"sleep", "1"}, Env: env}}}
		}
		limited, disk := onDisk(tree, func(name, _ string) bool { return name == tree.Layout().Service("a")+"/run" })
		p := start(t, limited)
		p.wants(of(map[string]string{"X": "good", "Y": "needed"}))
		before := list(t, tree.FS(), path.Join(tree.Layout().Service("a"), "env"))
		disk.full.Store(true)
		require.NoError(t, p.Apply(t.Context(), of(map[string]string{"X": "bad"})))
		pass(10 * time.Second)
		s, _ := p.Instance("a")
		require.ErrorIs(t, s.Err, syscall.ENOSPC)
		assert.Equal(t, before, list(t, tree.FS(), path.Join(tree.Layout().Service("a"), "env")))
	})
}

func TestFullDiskIsNotHammered(t *testing.T) {
	inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
		limited, disk := onDisk(tree, func(name, _ string) bool { return strings.Contains(name, ".new-") })
		disk.full.Store(true)
		p := start(t, limited)
		require.NoError(t, p.Apply(t.Context(), running("a")))
		pass(time.Minute)
		before := disk.looks.Load()
		pass(time.Minute)
		assert.Less(t, disk.looks.Load()-before, int64(120), "passes in a minute")
		disk.full.Store(false)
		p.wants(running("a"))
	})
}

// Where the file down cannot be written, a process that is deaf is killed all
// the same.
func TestDeafProcessIsKilledOnAFullDisk(t *testing.T) {
	inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
		limited, disk := onDisk(tree, func(name, _ string) bool { return path.Base(name) == "down" })
		tree.SetProgram("a", s6test.Program{Deaf: true})
		p := start(t, limited)
		spec := &s6.Spec{Command: []string{"sleep", "1"}, StopTimeout: time.Minute}
		p.wants(map[string]desired{"a": {State: s6.Running, Spec: spec}})
		disk.full.Store(true)
		require.NoError(t, p.Apply(t.Context(), map[string]desired{"a": {State: s6.Stopped, Spec: spec}}))
		pass(3 * time.Minute)
		assert.Empty(t, pids(t, tree))
	})
}

func TestProcessThatSomebodyElseLetRunOutIsStopped(t *testing.T) {
	inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
		p := start(t, tree)
		p.wants(running("a"))
		service := tree.Layout().Service("a")
		require.NoError(t, tree.Control(service, supervise.CommandOnceAtMost))
		require.NoError(t, tree.FS().WriteFile(path.Join(service, "down"), nil, 0o644))
		pass(10 * time.Second)
		p.wants(map[string]desired{"a": {State: s6.Stopped, Spec: running("a")["a"].Spec}})
		assert.Empty(t, pids(t, tree))
	})
}

func TestWhatTheProcessMakesBesideItsFilesStays(t *testing.T) {
	inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
		p := start(t, tree)
		of := func(files map[string]string) map[string]desired {
			return map[string]desired{"a": {State: s6.Running, Spec: &s6.Spec{Command: []string{"sleep", "1"}, ConfigFiles: files}}}
		}
		p.wants(of(map[string]string{"x": "1", "y": "1"}))
		config := path.Join(tree.Layout().Service("a"), "config")
		require.NoError(t, tree.FS().MkdirAll(config+"/cache/deep", 0o755))
		require.NoError(t, tree.FS().WriteFile(config+"/state.db", nil, 0o644))
		p.wants(of(map[string]string{"x": "2"}))
		assert.Equal(t, []string{config + "/cache", config + "/cache/deep", config + "/state.db", config + "/x"}, strings.Fields(list(t, tree.FS(), config)))
	})
}

// A process that s6 has started meanwhile is not the one that was to end.
func TestRestartIsForTheProcessThatWasSeen(t *testing.T) {
	inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
		of := func(arg string) desired {
			return desired{State: s6.Running, Spec: &s6.Spec{Command: []string{"sleep", arg}, Ready: s6.Readiness{FD: 3}}}
		}
		settle(t, tree, map[string]desired{"a": of("1")})
		pass(3 * time.Second)
		d := s6.NewDriver(tree, "a", func() {})
		_, err := d.Observe(t.Context(), of("2"))
		require.NoError(t, err)
		require.NoError(t, d.Do(t.Context(), "write", of("2")))
		o, err := d.Observe(t.Context(), of("2"))
		require.NoError(t, err)
		require.True(t, o.Stale())
		require.NoError(t, tree.Kill("a", syscall.SIGKILL))
		pass(500 * time.Millisecond)
		fresh := pids(t, tree)["a"]
		require.NotZero(t, fresh)
		require.NoError(t, d.Do(t.Context(), "restart", of("2")))
		pass(500 * time.Millisecond)
		assert.Equal(t, fresh, pids(t, tree)["a"])
	})
}

func TestLoggerThatCannotRunIsTold(t *testing.T) {
	inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
		require.NoError(t, tree.FS().MkdirAll(tree.Layout().LogsDir, 0o755))
		p := start(t, tree)
		p.wants(running("a"))
		pass(10 * time.Second)
		// A logger of an earlier s6-svscan, on a pipe that nobody writes to any more.
		tree.KillSvscan()
		require.NoError(t, tree.Kill("a/log", syscall.SIGKILL))
		require.NoError(t, tree.KillSupervisor("a"))
		tree.StartSvscan()
		pass(time.Minute)
		p.wants(running("a"))
		s, _ := p.Instance("a")
		assert.Equal(t, fsm.PhaseRunning, s.Phase, s.Reason)
		assert.NoError(t, tree.Print("a", "heard"))
		pass(time.Second)
		data, err := tree.FS().ReadFile(path.Join(tree.Layout().Log("a"), "current"))
		require.NoError(t, err)
		assert.Contains(t, string(data), "heard")
	})
}

func TestNamesWithAMeaningOfTheirOwn(t *testing.T) {
	inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
		p := start(t, tree)
		for _, name := range []string{"s6-svscan-log", "evenkeel-nudge-1"} {
			assert.ErrorIs(t, s6.CheckName(name), fsm.ErrName)
			assert.ErrorIs(t, p.Apply(t.Context(), running(name)), fsm.ErrName)
		}
		assert.ErrorIs(t, s6.CheckName("a/b"), fsm.ErrName)
		assert.NoError(t, s6.CheckName("a"))
	})
}

func TestHandMadeServiceInTheWayOfNobody(t *testing.T) {
	inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
		require.NoError(t, tree.FS().MkdirAll(tree.Layout().Service("hand-made"), 0o755))
		require.NoError(t, tree.FS().WriteFile(path.Join(tree.Layout().Service("hand-made"), "data"), nil, 0o644))
		p := start(t, tree)
		p.wants(running("a"))
	})
}

// statusOf is a service's status file.
func statusOf(tree *s6test.Tree, service string) string {
	return path.Join(tree.Layout().Service(service), "supervise/status")
}

// TestDamagedFileOutsideIsNoErrorForEver: what s6-supervise itself writes anew
// is passed by where nobody supervises, and control goes on without it where
// somebody does.
func TestDamagedFileOutsideIsNoErrorForEver(t *testing.T) {
	for name, content := range map[string][]byte{
		"nothing": nil, "a part": []byte("half of a status"), "zeroes": make([]byte, supervise.StatusSize),
		"garbage": []byte(strings.Repeat("\xff", supervise.StatusSize)),
	} {
		t.Run("after a loss of power: "+name, func(t *testing.T) {
			inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
				settle(t, tree, running("a", "b"))
				require.NoError(t, tree.Terminate())
				pass(time.Minute)
				require.Empty(t, tree.Processes())
				// The scan directory is on a filesystem in memory.
				require.NoError(t, tree.FS().Remove(tree.Layout().Link("a")))
				require.NoError(t, tree.FS().Remove(tree.Layout().Link("b")))
				for _, service := range []string{"a", "a/log", "b"} {
					require.NoError(t, tree.FS().WriteFile(statusOf(tree, service), content, 0o644))
					require.NoError(t, tree.FS().WriteFile(path.Join(path.Dir(statusOf(tree, service)), "death_tally"), content, 0o644))
				}
				p := start(t, tree)
				require.NoError(t, p.Apply(t.Context(), running("a", "b")))
				pass(5 * time.Second)
				tree.StartSvscan()
				p.wants(running("a", "b"))
				assert.Len(t, pids(t, tree), 2)
				p.stop()
			})
		})
		t.Run("under a live supervisor: "+name, func(t *testing.T) {
			inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
				p := start(t, tree)
				p.wants(running("a", "b", "c"))
				before := pids(t, tree)
				for _, service := range []string{"a", "a/log", "b", "c"} {
					require.NoError(t, tree.FS().WriteFile(statusOf(tree, service), content, 0o644))
				}
				want := running("a", "c")
				want["b"] = desired{State: s6.Stopped, Spec: running("b")["b"].Spec}
				want["c"].Spec.Env = map[string]string{"A": "another"}
				require.NoError(t, p.Apply(t.Context(), want))
				pass(30 * time.Second)
				p.wants(want)
				after := pids(t, tree)
				assert.Equal(t, before["a"], after["a"])
				assert.NotContains(t, after, "b")
				assert.NotEqual(t, before["c"], after["c"])
				s, _ := p.Instance("a")
				assert.Empty(t, s.Observed.StatusProblem, "it is written anew")
				p.removes("c")
				p.stop()
			})
		})
	}
}

// TestTornStatusIsTold: the reason says what was torn, while it is.
func TestTornStatusIsTold(t *testing.T) {
	inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
		settle(t, tree, running("a"))
		require.NoError(t, tree.Terminate())
		pass(time.Minute)
		require.NoError(t, tree.FS().WriteFile(statusOf(tree, "a"), nil, 0o644))
		p := start(t, tree)
		require.NoError(t, p.Apply(t.Context(), running("a")))
		pass(time.Second)
		s, _ := p.Instance("a")
		require.NoError(t, s.Err)
		assert.Equal(t, "not in place yet: s6-svscan has started no supervisor for it; what the last one has left is passed by: "+
			"read /data/services/a/supervise/status: cannot read status: it has 0 bytes, known are 35 and 43", s.Reason.String())
		p.stop()
	})
}

// TestStaleStatusThatNamesTheHolderOfTheLock: the status is that of a supervisor
// that was killed, on a full disk; the process that it names is not the new
// supervisor's, whose own waits for the lock.
func TestStaleStatusThatNamesTheHolderOfTheLock(t *testing.T) {
	for _, deaf := range []bool{false, true} {
		inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
			tree.SetProgram("a", s6test.Program{Deaf: deaf})
			p := start(t, tree)
			p.wants(running("a"))
			old := pids(t, tree)["a"]
			stale, err := tree.FS().ReadFile(statusOf(tree, "a"))
			require.NoError(t, err)
			p.stop()
			require.NoError(t, tree.KillSupervisor("a"))
			pass(3 * time.Second)
			require.NoError(t, tree.FS().ReplaceFile(statusOf(tree, "a"), stale, 0o644))
			p = start(t, tree)
			p.wants(running("a"))
			pass(20 * time.Second)
			p.wants(running("a"))
			now := pids(t, tree)
			assert.NotZero(t, now["a"])
			assert.NotEqual(t, old, now["a"])
			for _, process := range tree.Processes() {
				assert.True(t, process.Supervised, process)
				assert.False(t, process.Waiting, process)
			}
			p.stop()
		})
	}
}
