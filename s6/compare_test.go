package s6_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/s6test"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

// TestPlanSaysWhatARunRepairs: what is said of a service that somebody has touched
// is what the next program does about it.
func TestPlanSaysWhatARunRepairs(t *testing.T) {
	remove := func(of func(l s6.Layout) string) func(*testing.T, *s6test.Tree) error {
		return func(t *testing.T, tree *s6test.Tree) error { return tree.FS().RemoveAll(of(tree.Layout())) }
	}
	in := func(file string) func(s6.Layout) string {
		return func(l s6.Layout) string { return l.Service("a") + "/" + file }
	}
	killed := func(t *testing.T, tree *s6test.Tree) error {
		tree.KillSvscan()
		return tree.KillSupervisor("a")
	}
	once := *specA
	once.Restart = s6.RestartNever
	for name, test := range map[string]struct {
		state, then fsm.State
		spec        *s6.Spec
		harm        func(*testing.T, *s6test.Tree) error
		kind        fsm.ChangeKind
		why         string
	}{
		"nothing": {s6.Running, s6.Running, specA, func(*testing.T, *s6test.Tree) error { return nil }, fsm.ChangeNone, "it is as declared"},
		"rm run":  {s6.Running, s6.Running, specA, remove(in("run")), fsm.ChangeLive, "its files are put back: run is missing"},
		"vi run": {s6.Running, s6.Running, specA, func(t *testing.T, tree *s6test.Tree) error {
			data, err := tree.FS().ReadFile(in("run")(tree.Layout()))
			require.NoError(t, err)
			data[len(data)-2] ^= 1
			return tree.FS().WriteFile(in("run")(tree.Layout()), data, 0o700)
		}, fsm.ChangeLive, "its files are put back: run is not as it was written"},
		"rm run of what is down": {s6.Stopped, s6.Stopped, specA, remove(in("run")), fsm.ChangeLive, "its files are put back: run is missing"},
		"rm run of what begins":  {s6.Stopped, s6.Running, specA, remove(in("run")), fsm.ChangeStart, "it does not run"},
		"rm data/hash":           {s6.Running, s6.Running, specA, remove(in("data/hash")), fsm.ChangeLive, "its files are put back: data/hash is missing"},
		"rm down":                {s6.Stopped, s6.Stopped, specA, remove(in("down")), fsm.ChangeLive, "it would start by itself with the tree"},
		"touch down": {s6.Running, s6.Running, specA, func(_ *testing.T, tree *s6test.Tree) error {
			return tree.FS().WriteFile(in("down")(tree.Layout()), nil, 0o644)
		}, fsm.ChangeLive, "it would not start by itself with the tree"},
		"rm the link": {s6.Running, s6.Running, specA, remove(func(l s6.Layout) string { return l.Link("a") }), fsm.ChangeLive,
			"not in place: the scan directory does not link to it"},
		"rm -r the log": {s6.Running, s6.Running, specA, remove(func(l s6.Layout) string { return l.Log("a") }), fsm.ChangeLive,
			"its log directory was deleted: what it prints was written into deleted files"},
		"kill -9 of all of s6":               {s6.Running, s6.Running, specA, killed, fsm.ChangeRestart, "one of its processes has lost its supervisor: pid 103"},
		"the same, and it is to stop":        {s6.Running, s6.Stopped, specA, killed, fsm.ChangeStop, "one of its processes has lost its supervisor: pid 103"},
		"the same, and it is not wanted":     {s6.Running, fsm.StateRemoved, specA, killed, fsm.ChangeRemove, "it is not wanted any more"},
		"the same of a job that runs once":   {s6.Running, s6.Running, &once, killed, fsm.ChangeNone, "one of its processes has lost its supervisor: pid 103"},
		"started by hand":                    {s6.Stopped, s6.Stopped, specA, byHand, fsm.ChangeStop, "it runs"},
		"started by hand, and it is to run":  {s6.Stopped, s6.Running, specA, byHand, fsm.ChangeLive, "it would not start by itself with the tree"},
		"started by hand, and is not wanted": {s6.Stopped, fsm.StateRemoved, specA, byHand, fsm.ChangeRemove, "it is not wanted any more"},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
				settle(t, tree, map[string]desired{"a": {State: test.state, Spec: test.spec}})
				pass(10 * time.Second)
				require.NoError(t, test.harm(t, tree))
				pass(10 * time.Millisecond)
				all := map[string]desired{"a": {State: test.then, Spec: test.spec}}
				before := tree.Processes()
				looks, err := s6.NewManager(s6.LookAt(tree), fsm.Config{})
				require.NoError(t, err)
				plan, err := looks.Plan(t.Context(), all)
				require.NoError(t, err)
				require.NoError(t, looks.Close(t.Context()))
				assert.Equal(t, []fsm.Change{{Name: "a", Kind: test.kind, Why: test.why}}, plan)
				assert.Equal(t, before, tree.Processes())
				did(t, tree, all, test.kind)
			})
		})
	}
}

// byHand starts a service beside the program.
func byHand(_ *testing.T, tree *s6test.Tree) error {
	return tree.Control(tree.Layout().Service("a"), supervise.CommandUp)
}

// did proves that a program does what was planned, and that nothing is left to do.
func did(t *testing.T, tree *s6test.Tree, all map[string]desired, kind fsm.ChangeKind) {
	t.Helper()
	before, files := pids(t, tree)["a"], list(t, tree.FS(), tree.Layout().ServicesDir)
	tree.StartSvscan()
	p := start(t, tree)
	require.NoError(t, p.Apply(t.Context(), all))
	pass(time.Minute)
	plan, err := p.Plan(t.Context(), all)
	require.NoError(t, err)
	after := pids(t, tree)["a"]
	switch kind {
	case fsm.ChangeNone, fsm.ChangeLive:
		assert.Equal(t, before, after)
	case fsm.ChangeRestart, fsm.ChangeStart:
		assert.NotEqual(t, before, after)
		assert.NotZero(t, after)
	default:
		assert.NotZero(t, before)
		assert.Zero(t, after)
	}
	if kind == fsm.ChangeNone {
		assert.Equal(t, files, list(t, tree.FS(), tree.Layout().ServicesDir))
		return
	}
	require.Len(t, plan, 1)
	assert.Equal(t, fsm.ChangeNone, plan[0].Kind, plan[0].Why)
}
