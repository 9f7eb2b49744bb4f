package runner

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/benthos/benthostest"
	"github.com/evenkeel/evenkeel/config"
	"github.com/evenkeel/evenkeel/s6/s6test"
)

// aWhile is enough for what is done at once, and not for an engine that does not
// listen to be restarted.
const aWhile = 2 * time.Second

// verdict is what a linter says of each document that it is asked about.
type verdict struct{ refuse, fail error }

// slowLinter answers when it is told what to say.
type slowLinter chan verdict

func (l slowLinter) Lint(_ context.Context, docs map[string][]byte) (map[string]error, error) {
	v := <-l
	verdicts := make(map[string]error)
	for name := range docs {
		verdicts[name] = v.refuse
	}
	return verdicts, v.fail
}

// asking is a program that keeps the files of a home with a slow linter.
type asking struct {
	*home
	tree   *s6test.Tree
	runner *Runner
	linter slowLinter
	loaded chan error
}

func newAsking(t *testing.T, h *home, tree *s6test.Tree) *asking {
	a := &asking{home: h, tree: tree, runner: new(Runner), linter: make(slowLinter), loaded: make(chan error, 1)}
	options := benthos.Options{Engine: "/opt/benthos", Prober: benthostest.NewProber(), Linter: a.linter}
	require.NoError(t, a.runner.manage(t.Context(), tree, options, h.Store, Config{}.told()))
	h.Keeper, h.Free = a.runner, free
	return a
}

// leave ends the program, and leaves what it keeps.
func (a *asking) leave() {
	a.runner.endTrials()
	require.NoError(a.t, errors.Join(a.runner.Services.Close(context.Background()), a.runner.Streams.Close(context.Background())))
}

// asks has streams declared, about some of which the linter is asked and does not
// answer for a while.
func (a *asking) asks(streams ...string) {
	a.t.Helper()
	text := "services: []\nbenthos:\n"
	for _, s := range streams {
		text += s
	}
	a.write(file, text)
	go func() {
		for {
			again, err := a.Load(a.t.Context(), false)
			if again == 0 || err != nil {
				a.loaded <- err
				return
			}
			time.Sleep(again)
		}
	}()
	time.Sleep(aWhile)
	synctest.Wait()
	require.Empty(a.t, a.loaded, "the linter is asked")
}

// says has the linter answer, and lets a while pass.
func (a *asking) says(v verdict) {
	a.t.Helper()
	a.linter <- v
	require.ErrorIs(a.t, <-a.loaded, v.fail)
	time.Sleep(aWhile)
	synctest.Wait()
}

// pid is that of the one process of a stream, 0 for none.
func (a *asking) pid(stream string) (pid int) {
	a.t.Helper()
	for _, p := range a.tree.Processes() {
		if p.Service == "benthos-"+stream {
			require.Zero(a.t, pid)
			pid = p.PID
		}
	}
	return pid
}

// waits checks that a stream is there, and waits for the engine.
func (a *asking) waits(stream string) {
	a.t.Helper()
	s, there := a.runner.Streams.Instance("benthos-" + stream)
	require.True(a.t, there)
	assert.Equal(a.t, benthos.StateStopped, s.State)
	assert.Equal(a.t, "waits for the engine to say whether it takes its configuration", s.Reason.String())
	assert.Equal(a.t, "engine", s.HeldBy)
	assert.Zero(a.t, a.pid(stream))
}

// TestNewStreamsAreCreatedWhileTheEngineIsAsked: they are started when it takes them,
// and no others wait.
func TestNewStreamsAreCreatedWhileTheEngineIsAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, tree := newHome(t, file), s6test.New(s6test.Config{})
		defer func() { assert.NoError(t, tree.Close()) }()
		tree.Install("/opt/benthos", s6test.Program{})
		a := newAsking(t, h, tree)

		a.asks(stream("a", "1s"))
		a.waits("a")
		a.says(verdict{})
		first := a.pid("a")
		require.NotZero(t, first)

		a.asks(stream("a", "1s"), stream("b", "1s"))
		a.waits("b")
		a.says(verdict{refuse: errors.New("no such field")})
		assert.Zero(t, a.pid("b"))
		_, there := a.runner.Streams.Instance("benthos-b")
		assert.False(t, there, "it is removed")
		key := config.Key{Kind: config.KindStream, Name: "benthos-b"}
		assert.ErrorContains(t, a.runner.Refused()[key], "no such field")
		last, err := h.Store.Last()
		require.NoError(t, err)
		assert.NotContains(t, last.Entries, key, "it was never taken")

		// Without a verdict it goes on waiting.
		silent := errors.New("the linter hangs")
		a.asks(stream("a", "1s"), stream("b", "2s"))
		a.says(verdict{fail: silent})
		a.waits("b")
		a.asks(stream("a", "1s"), stream("b", "2s"))
		a.waits("b")
		a.says(verdict{})
		assert.NotZero(t, a.pid("b"))
		assert.Equal(t, first, a.pid("a"))
		a.leave()

		// What runs already waits for nothing.
		second := a.pid("b")
		a = newAsking(t, h.restarted(), tree)
		a.asks(stream("a", "1s"), stream("b", "2s"), stream("c", "1s"))
		assert.Equal(t, []int{first, second}, []int{a.pid("a"), a.pid("b")})
		a.waits("c")
		a.says(verdict{})
		assert.Equal(t, []int{first, second}, []int{a.pid("a"), a.pid("b")})
		assert.NotZero(t, a.pid("c"))
		a.leave()
	})
}
