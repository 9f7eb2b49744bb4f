package s6_test

import (
	"maps"
	"path"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/s6test"
)

func itoa(n int) string { return strconv.Itoa(n) }

func TestDiscover(t *testing.T) {
	inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
		discover := func(owner string) (map[string]desired, map[string]error, error) {
			kind, err := s6.NewKind(tree, owner)
			require.NoError(t, err)
			return kind.Discover(t.Context())
		}
		none, unread, err := discover(s6.KindName)
		require.NoError(t, err)
		assert.Empty(t, none)
		assert.Empty(t, unread)

		settle(t, tree, map[string]desired{"a": {State: s6.Running, Spec: specA}, "b": {State: s6.Stopped, Spec: plainSpec}})
		services, fsys := tree.Layout().ServicesDir, tree.FS()
		for dir, manifest := range map[string]string{
			"theirs":   "",
			"garbage":  "not JSON",
			"future":   `{"version": 2, "kind": "s6", "spec": {"command": ["x"]}}`,
			"other":    `{"version": 1, "kind": "benthos", "spec": {"command": ["x"]}}`,
			"specless": `{"version": 1, "kind": "s6"}`,
			"nothing":  `{"version": 1, "kind": "s6", "spec": {}}`,
			".new-c":   `{"version": 1, "kind": "s6", "spec": {"command": ["x"]}}`,
		} {
			require.NoError(t, fsys.MkdirAll(path.Join(services, dir, "data"), 0o755))
			if manifest != "" {
				require.NoError(t, fsys.WriteFile(path.Join(services, dir, "data/manifest.json"), []byte(manifest), 0o600))
			}
		}
		require.NoError(t, fsys.WriteFile(path.Join(services, "file"), nil, 0o600))

		all, unread, err := discover(s6.KindName)
		require.NoError(t, err)
		assert.Equal(t, map[string]desired{"a": {State: s6.Running, Spec: specA}, "b": {State: s6.Stopped, Spec: plainSpec}}, all)
		assert.Equal(t, []string{"future", "garbage", "nothing", "specless"}, slices.Sorted(maps.Keys(unread)))
		assert.ErrorIs(t, unread["future"], s6.ErrVersion)
		theirs, _, err := discover("benthos")
		require.NoError(t, err)
		assert.Equal(t, map[string]desired{"other": {State: s6.Running, Spec: &s6.Spec{Command: []string{"x"}}}}, theirs)

		require.NoError(t, fsys.RemoveAll(path.Join(services, "garbage/data/manifest.json")))
		require.NoError(t, fsys.Mkdir(path.Join(services, "garbage/data/manifest.json"), 0o755))
		again, unread, err := discover(s6.KindName)
		require.NoError(t, err)
		assert.Equal(t, all, again)
		assert.ErrorIs(t, unread["garbage"], syscall.EISDIR, "what cannot be read is not absent")
	})
}

func TestNameOfAnotherOwnersService(t *testing.T) {
	inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
		dir := path.Join(tree.Layout().Service("theirs"), "data")
		require.NoError(t, tree.FS().MkdirAll(dir, 0o755))
		require.NoError(t, tree.FS().WriteFile(path.Join(dir, "manifest.json"), []byte(`{"version": 1, "kind": "benthos", "spec": {"command": ["x"]}}`), 0o600))
		owner, err := s6.Owner(tree, "theirs")
		require.NoError(t, err)
		assert.Equal(t, "benthos", owner)
		require.NoError(t, tree.FS().WriteFile(tree.Layout().Service("file"), nil, 0o644))
		for _, none := range []string{"nobody", "file"} {
			owner, err = s6.Owner(tree, none)
			require.NoError(t, err)
			assert.Empty(t, owner)
		}

		kind, err := s6.NewKind(tree, s6.KindName)
		require.NoError(t, err)
		refused, err := kind.Validate(t.Context(), map[string]desired{
			"theirs": {State: s6.Running, Spec: plainSpec}, "ours": {State: s6.Running, Spec: plainSpec},
		}, nil)
		require.NoError(t, err)
		assert.ErrorContains(t, refused["theirs"], `it belongs to "benthos"`)
		assert.NotContains(t, refused, "ours")
	})
}

func TestCompare(t *testing.T) {
	spec := &s6.Spec{Command: []string{"sleep", "1"}}
	up := healthy()
	up.Hash, up.Started = spec.Hash(), s6.ProcessHash(spec)
	down := lying()
	down.Hash = spec.Hash()
	with := func(o s6.Observed, change func(o *s6.Observed)) s6.Observed { change(&o); return o }
	for name, test := range map[string]struct {
		want fsm.State
		o    s6.Observed
		kind fsm.ChangeKind
	}{
		"nothing there":        {s6.Running, s6.Observed{}, fsm.ChangeCreate},
		"as it is to be, up":   {s6.Running, up, fsm.ChangeNone},
		"as it is to be, down": {s6.Stopped, down, fsm.ChangeNone},
		"down":                 {s6.Running, down, fsm.ChangeStart},
		"up":                   {s6.Stopped, up, fsm.ChangeStop},
		"other logs":           {s6.Running, with(up, func(o *s6.Observed) { o.Hash = "b" }), fsm.ChangeLive},
		"other process":        {s6.Running, with(up, func(o *s6.Observed) { o.Hash, o.Started = "b", "b" }), fsm.ChangeRestart},
		"other files, down":    {s6.Stopped, with(down, func(o *s6.Observed) { o.Hash = "b" }), fsm.ChangeLive},
		"unknown process":      {s6.Running, with(up, func(o *s6.Observed) { o.Hash, o.Started = "b", "" }), fsm.ChangeRestart},
		"just begun":           {s6.Running, with(up, func(o *s6.Observed) { o.Started = "" }), fsm.ChangeNone},
	} {
		t.Run(name, func(t *testing.T) {
			c := s6.Compare(desired{State: test.want, Spec: spec}, test.o)
			assert.Equal(t, test.kind, c.Kind)
			assert.NotEmpty(t, c.Why)
		})
	}
}

// TestPlanDoesNothing: a plan says what an Apply would do, of services that a
// manager has not seen yet too, and touches none of them.
func TestPlanDoesNothing(t *testing.T) {
	inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
		settle(t, tree, map[string]desired{
			"keep": {State: s6.Running, Spec: specA}, "log": {State: s6.Running, Spec: specA}, "other": {State: s6.Running, Spec: specA},
			"stop": {State: s6.Running, Spec: specA}, "start": {State: s6.Stopped, Spec: specA}, "remove": {State: s6.Running, Spec: specA},
			"bad": {State: s6.Running, Spec: specA},
		})
		pass(time.Second)
		before := list(t, tree.FS(), "/")
		processes := tree.Processes()
		m, err := s6.NewManager(tree, fsm.Config{})
		require.NoError(t, err)
		changes, err := m.Plan(t.Context(), map[string]desired{
			"keep": {State: s6.Running, Spec: specA}, "log": {State: s6.Running, Spec: specALog}, "other": {State: s6.Running, Spec: specB},
			"stop": {State: s6.Stopped, Spec: specA}, "start": {State: s6.Running, Spec: specA},
			"bad": {State: s6.Running, Spec: &s6.Spec{}}, "new": {State: s6.Running, Spec: specA},
		})
		require.NoError(t, err)
		got := make(map[string]fsm.ChangeKind)
		for _, c := range changes {
			got[c.Name] = c.Kind
		}
		assert.Equal(t, map[string]fsm.ChangeKind{
			"bad": fsm.ChangeRefused, "keep": fsm.ChangeNone, "log": fsm.ChangeLive, "new": fsm.ChangeCreate,
			"other": fsm.ChangeRestart, "remove": fsm.ChangeRemove, "start": fsm.ChangeStart, "stop": fsm.ChangeStop,
		}, got)
		pass(time.Minute)
		assert.Equal(t, before, list(t, tree.FS(), "/"))
		assert.Equal(t, processes, tree.Processes())
	})
}
