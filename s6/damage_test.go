package s6_test

import (
	"fmt"
	"path"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/filesystem/filesystemtest"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/s6test"
)

// TestWhatWasLookedAtOnceIsLookedAtAgain: what is missing is put back while the
// service runs, without its process, and the reason names it.
func TestWhatWasLookedAtOnceIsLookedAtAgain(t *testing.T) {
	for name, test := range map[string]struct {
		damage func(tree *s6test.Tree, service string) error
		says   string
	}{
		"rm run": {func(tree *s6test.Tree, service string) error {
			return tree.FS().Remove(service + "/run")
		}, "run is missing"},
		"chmod -x run": {func(tree *s6test.Tree, service string) error {
			data, err := tree.FS().ReadFile(service + "/run")
			if err != nil {
				return err
			}
			return tree.FS().ReplaceFile(service+"/run", data, 0o600)
		}, "run is not executable"},
		"truncate -s 0 run": {func(tree *s6test.Tree, service string) error {
			return tree.FS().WriteFile(service+"/run", nil, 0o700)
		}, "run has 0 bytes and not "},
		"rm timeout-kill": {func(tree *s6test.Tree, service string) error {
			return tree.FS().Remove(service + "/timeout-kill")
		}, "timeout-kill is missing"},
		"rm -rf env": {func(tree *s6test.Tree, service string) error {
			return tree.FS().RemoveAll(service + "/env")
		}, "env/A is missing"},
		"rm -rf log": {func(tree *s6test.Tree, service string) error {
			return tree.FS().RemoveAll(service + "/log")
		}, "log/run is missing"},
		"rm -rf logs/a": {func(tree *s6test.Tree, service string) error {
			return tree.FS().RemoveAll(tree.Layout().Log("a"))
		}, "its log directory was deleted"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tree := s6test.New(s6test.Config{})
				defer func() {
					if err := tree.Close(); err != nil {
						assert.Equal(t, "rm -rf log", name, err)
						assert.NotContains(t, err.Error(), "two processes")
					}
				}()
				tree.Install("sleep", s6test.Program{})
				p := start(t, tree)
				all := running("a")
				all["a"].Spec.Env = map[string]string{"A": "1"}
				p.wants(all)
				pass(10 * time.Second)
				before, service := pids(t, tree)["a"], tree.Layout().Service("a")
				files := list(t, tree.FS(), service) + list(t, tree.FS(), tree.Layout().LogsDir)
				logs := tree.Layout().Log("a") + "/current"
				require.NoError(t, test.damage(tree, service))
				var said strings.Builder
				for range 300 {
					pass(50 * time.Millisecond)
					s, _ := p.Instance("a")
					said.WriteString(s.Reason.String() + "\n")
				}
				seen, _ := p.Instance("a")
				for _, move := range seen.History { // what it is for milliseconds alone is there
					said.WriteString(move.Reason.String() + "\n")
				}
				assert.Contains(t, said.String(), test.says)
				p.wants(all)
				assert.Equal(t, before, pids(t, tree)["a"], "the process is spared")
				assert.Equal(t, files, list(t, tree.FS(), service)+list(t, tree.FS(), tree.Layout().LogsDir))
				info, err := tree.FS().Stat(service + "/run")
				require.NoError(t, err)
				assert.EqualValues(t, 0o700, info.Mode().Perm())
				require.NoError(t, tree.Print("a", "still heard"))
				pass(time.Second)
				data, err := tree.FS().ReadFile(logs)
				require.NoError(t, err)
				assert.Contains(t, string(data), "still heard")
				assert.Len(t, tree.Processes(), 2)
				s, _ := p.Instance("a")
				at := len(s.History)
				pass(time.Minute)
				s, _ = p.Instance("a")
				assert.Len(t, s.History, at, "it settles")
				p.stop()
			})
		})
	}
}

// TestFilesThatTheProcessChangesAreLeft: what is in config/ may be the process's
// to change while it runs.
func TestFilesThatTheProcessChangesAreLeft(t *testing.T) {
	inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
		p := start(t, tree)
		all := map[string]desired{"a": {State: s6.Running, Spec: specA}}
		p.wants(all)
		file := path.Join(tree.Layout().Service("a"), "config/x")
		require.NoError(t, tree.FS().WriteFile(file, []byte("its own now"), 0o600))
		pass(time.Minute)
		data, err := tree.FS().ReadFile(file)
		require.NoError(t, err)
		assert.Equal(t, "its own now", string(data))
		p.stop()
	})
}

// deletes deletes a service directory before the n-th operation of a program.
type deletes struct {
	tree *s6test.Tree
	left atomic.Int64 // until then
}

func (d *deletes) Inject(filesystemtest.Op) filesystemtest.Fault {
	if d.left.Add(-1) == 0 {
		_ = d.tree.FS().RemoveAll(d.tree.Layout().Service("a"))
	}
	return filesystemtest.Fault{}
}

func (d *deletes) String() string {
	return fmt.Sprintf("the directory is deleted in %d operations", d.left.Load())
}

// TestDeletedInTheMiddleOfAChange: what is made anew is whole before its supervisor
// starts it.
func TestDeletedInTheMiddleOfAChange(t *testing.T) {
	for n := 1; ; n++ {
		over := false
		synctest.Test(t, func(t *testing.T) {
			tree := s6test.New(s6test.Config{})
			tree.Install("sleep", s6test.Program{})
			all := running("a")
			settle(t, tree, all)
			all["a"].Spec.Env = map[string]string{"A": "1"}
			d := &deletes{tree: tree}
			d.left.Store(int64(n))
			p := start(t, s6test.Inject(tree, d))
			p.wants(all)
			over = d.left.Load() > 0
			pass(10 * time.Second)
			p.wants(all)
			p.stop()
			assert.NotZero(t, pids(t, tree)["a"])
			for _, v := range tree.Violations() {
				assert.Contains(t, v, "was deleted while it lived", "operation %d", n)
			}
			_ = tree.Close() // the violations
		})
		if over || t.Failed() {
			return
		}
	}
}

// TestTornStatusOfWhatIsToBeReplaced: what its process was started from is not known
// then, and nothing is to start after that.
func TestTornStatusOfWhatIsToBeReplaced(t *testing.T) {
	inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
		settle(t, tree, running("a"))
		pass(time.Minute)
		require.NoError(t, tree.FS().WriteFile(path.Join(tree.Layout().Service("a"), "supervise/status"), nil, 0o644))
		o := observe(t, tree, "a", desired{State: s6.Running, Spec: &s6.Spec{Command: []string{"sleep", "changed"}}})
		there, works := o.Process()
		assert.True(t, there)
		assert.False(t, works)
	})
}
