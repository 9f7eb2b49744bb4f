package s6_test

import (
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/filesystem/filesystemtest"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/s6test"
)

// crashing asks for a service that fails at once, and pauses after it.
func crashing(p *program, policy s6.Policy) {
	p.t.Helper()
	require.NoError(p.t, p.Apply(p.t.Context(), map[string]desired{
		"a": {State: s6.Running, Spec: &s6.Spec{Command: []string{"sleep", "1"}, Policy: policy}},
	}))
}

func dies(words string, prints ...string) s6test.Program {
	return s6test.Program{RunFor: 10 * time.Millisecond, ExitCode: 78, Prints: prints, LastWords: words}
}

// TestReasonHasLastWords: of the process that ended, whoever looks, and of no
// other one.
func TestReasonHasLastWords(t *testing.T) {
	for name, policy := range map[string]s6.Policy{
		"crashes":  {},
		"pauses":   {Backoff: s6.Backoff{From: time.Second, To: time.Second}},
		"gives up": {GiveUpAfter: 3},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tree := s6test.New(s6test.Config{})
				defer func() { require.NoError(t, tree.Close()) }()
				tree.Install("sleep", dies("cannot open foo.yaml: token=abc", "starting"))
				p := start(t, tree)
				says := func(what string) {
					t.Helper()
					pass(20 * time.Second)
					s, _ := p.Instance("a")
					assert.Equal(t, what, s.Observed.LastWords)
					assert.Equal(t, what != "", strings.HasSuffix(s.Reason.Evidence, "; its last words: "+what), s.Reason)
				}
				crashing(p, policy)
				says("cannot open foo.yaml: token=***")
				p.stop()
				p = start(t, tree)
				crashing(p, policy)
				says("cannot open foo.yaml: token=***")
				tree.SetProgram("a", dies(""))
				require.NoError(t, p.Restart(t.Context(), "a"))
				says("")
				tree.SetProgram("a", dies("", "a whole line", "another"))
				require.NoError(t, p.Restart(t.Context(), "a"))
				says("another")
			})
		})
	}
}

// TestLastWordsOfWhatWasAskedToEnd are nobody's business, nor are those that were
// printed before this program and its process.
func TestLastWordsOfWhatWasAskedToEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tree := s6test.New(s6test.Config{})
		defer func() { require.NoError(t, tree.Close()) }()
		tree.Install("sleep", s6test.Program{LastWords: "told to end"})
		p := start(t, tree)
		p.wants(running("a"))
		stopped := running("a")
		stopped["a"] = desired{State: s6.Stopped, Spec: stopped["a"].Spec}
		p.wants(stopped)
		pass(time.Minute)
		s, _ := p.Instance("a")
		assert.Empty(t, s.Observed.LastWords)
		assert.NotContains(t, s.Reason.String(), "told to end")

		tree.SetProgram("a", s6test.Program{})
		p.wants(running("a"))
		require.NoError(t, tree.Kill("a", syscall.SIGKILL))
		pass(100 * time.Millisecond)
		s, _ = p.Instance("a")
		assert.Equal(t, syscall.SIGKILL, s.Observed.Last.Signal)
		assert.Empty(t, s.Observed.LastWords, "it said nothing")
	})
}

// opened counts how often a file is opened.
type opened struct {
	file string
	n    atomic.Int32
}

func (o *opened) Inject(op filesystemtest.Op) filesystemtest.Fault {
	if op.Kind == filesystemtest.Open && op.Path == o.file {
		o.n.Add(1)
	}
	return filesystemtest.Fault{}
}

func (o *opened) String() string { return "opened " + o.file }

// TestLogIsReadWithEachEnd, three times, and not while nothing happens.
func TestLogIsReadWithEachEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tree := s6test.New(s6test.Config{})
		defer func() { require.NoError(t, tree.Close()) }()
		tree.Install("sleep", dies("cannot bind"))
		log := &opened{file: tree.Layout().Log("a") + "/current"}
		p := start(t, s6test.Inject(tree, log))
		crashing(p, s6.Policy{Backoff: s6.Backoff{From: 5 * time.Minute, To: 5 * time.Minute}, GiveUpAfter: 3})
		reads := func() int { return int(log.n.Load()) }
		pass(2 * time.Second)
		assert.Equal(t, 3, reads())
		pass(4 * time.Minute)
		assert.Equal(t, 3, reads(), "it waits")
		pass(time.Hour)
		assert.Equal(t, 9, reads())
		pass(24 * time.Hour)
		assert.Equal(t, 9, reads(), "it has failed")
		s, _ := p.Instance("a")
		assert.Contains(t, s.Reason.Evidence, "cannot bind")
	})
}

// TestLogThatCannotBeRead costs the words, and nothing else.
func TestLogThatCannotBeRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tree := s6test.New(s6test.Config{})
		defer func() { require.NoError(t, tree.Close()) }()
		tree.Install("sleep", dies("cannot bind"))
		p := start(t, s6test.Inject(tree, filesystemtest.OnPath("/data/logs/a", filesystemtest.Fail(syscall.EIO))))
		crashing(p, s6.Policy{GiveUpAfter: 3})
		pass(time.Minute)
		s, _ := p.Instance("a")
		assert.Equal(t, s6.StateFailed, s.State)
		assert.NoError(t, s.Err)
		assert.Empty(t, s.Observed.LastWords)
		assert.Contains(t, s.Reason.Evidence, "exited with 78")
	})
}
