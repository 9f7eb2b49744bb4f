package s6_test

import (
	"context"
	"path"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/filesystem/filesystemtest"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/s6test"
)

func TestAnOwnerHasOneManagerAtATime(t *testing.T) {
	inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
		first, err := s6.NewManager(tree, fsm.Config{})
		require.NoError(t, err)
		_, err = s6.NewManager(tree, fsm.Config{})
		require.ErrorIs(t, err, s6.ErrClaimed)
		assert.EqualError(t, err, `cannot make a manager of s6: owner "s6": it has a manager already: close that one before, or give one of the two an owner's name of its own`)

		kind, err := s6.NewKind(tree, "mine")
		require.NoError(t, err)
		other, err := fsm.NewManager(kind, fsm.Config{})
		require.NoError(t, err, "another owner has its own")
		require.NoError(t, other.Close(t.Context()))
		require.NoError(t, first.Close(t.Context()))
		again, err := s6.NewManager(tree, fsm.Config{})
		require.NoError(t, err)
		require.NoError(t, again.Close(t.Context()))
	})
}

func TestOwnersHaveNames(t *testing.T) {
	inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
		for _, owner := range []string{"", "../x", "a/b", ".a", strings.Repeat("a", 41)} {
			_, err := s6.NewKind(tree, owner)
			assert.ErrorIs(t, err, fsm.ErrName, "%q", owner)
		}
	})
}

// managerOf runs a manager of an owner's services until the test ends.
func managerOf(t *testing.T, tree s6.Tree, owner string) *fsm.Manager[*s6.Spec, s6.Observed] {
	t.Helper()
	kind, err := s6.NewKind(tree, owner)
	require.NoError(t, err)
	m, err := fsm.NewManager(kind, fsm.Config{})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, m.Close(context.Background())) }) // t.Context has ended by then
	return m
}

// Both declare the name before either has made a pass.
func TestOneNewNameOfTwoOwners(t *testing.T) {
	inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
		managers := map[string]*fsm.Manager[*s6.Spec, s6.Observed]{"one": nil, "two": nil}
		for owner := range managers {
			managers[owner] = managerOf(t, tree, owner)
			require.NoError(t, managers[owner].Apply(t.Context(), map[string]desired{"a": {State: s6.Running, Spec: plainSpec}}))
		}
		for _, m := range managers {
			go m.Run(t.Context())
		}
		has, lacks := 0, 0
		for owner, m := range managers {
			err := m.Wait(t.Context(), "a", fsm.PhaseRunning)
			actual, ownerErr := s6.Owner(tree, "a")
			require.NoError(t, ownerErr)
			if actual == owner {
				has++
				assert.NoError(t, err)
				continue
			}
			lacks++
			assert.ErrorIs(t, err, fsm.ErrHeld)
			assert.ErrorIs(t, err, s6.ErrOwned)
		}
		assert.Equal(t, []int{1, 1}, []int{has, lacks})
		before := tree.Processes()
		time.Sleep(time.Minute)
		assert.Equal(t, before, tree.Processes(), "neither does anything more")
	})
}

func TestAnothersServiceIsNotTaken(t *testing.T) {
	inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
		settle(t, tree, map[string]desired{"a": {State: s6.Running, Spec: plainSpec}})
		before := tree.Processes()
		kind, err := s6.NewKind(tree, "mine")
		require.NoError(t, err)
		for _, state := range []fsm.State{s6.Running, s6.Stopped, fsm.StateRemoved} {
			i, err := fsm.NewInstance(&kind, "a", fsm.InstanceConfig{}, nil)
			require.NoError(t, err)
			require.NoError(t, i.SetDesired(desired{State: state, Spec: plainSpec}))
			for range 20 {
				i.Reconcile(t.Context())
				time.Sleep(time.Second)
			}
			s := i.Snapshot()
			assert.Equal(t, before, tree.Processes(), state)
			if state == fsm.StateRemoved {
				assert.Equal(t, fsm.StateRemoved, s.State, "nothing of its own is there")
			} else {
				assert.True(t, s.Held)
				assert.EqualError(t, s.Err, `cannot create: a service of another owner has its name: /data/services/a belongs to "s6": give one of the two another name`)
				assert.Equal(t, "a service of another owner has its name: it belongs to s6", s.Reason.String())
			}
			require.NoError(t, i.Close())
		}
		owner, err := s6.Owner(tree, "a")
		require.NoError(t, err)
		assert.Equal(t, s6.KindName, owner)
	})
}

// offAndOn is an injector of failures that can be switched.
type offAndOn struct {
	filesystemtest.Injector
	on atomic.Bool
}

func (i *offAndOn) Inject(op filesystemtest.Op) filesystemtest.Fault {
	if !i.on.Load() {
		return filesystemtest.Fault{}
	}
	return i.Injector.Inject(op)
}

// A service that another owner was found to have is looked at again: it may
// change hands, and that its manifest cannot be read for a moment changes
// nothing.
func TestServiceThatChangesHands(t *testing.T) {
	inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
		unreadable := &offAndOn{Injector: filesystemtest.OnPath("manifest.json", filesystemtest.Fail(syscall.EIO))}
		mine := managerOf(t, s6test.Inject(tree, unreadable), s6.KindName)
		other := managerOf(t, tree, "other")
		want := map[string]desired{"a": {State: s6.Running, Spec: plainSpec}}
		require.NoError(t, other.Apply(t.Context(), want))
		require.NoError(t, mine.Apply(t.Context(), want))
		go other.Run(t.Context())
		require.NoError(t, other.Wait(t.Context(), "a", fsm.PhaseRunning))
		go mine.Run(t.Context())
		require.ErrorIs(t, mine.Wait(t.Context(), "a", fsm.PhaseRunning), s6.ErrOwned)
		require.NoError(t, other.Close(t.Context()))
		before := tree.Processes()

		unreadable.on.Store(true)
		pass(20 * time.Second)
		s, _ := mine.Instance("a")
		assert.ErrorIs(t, s.Err, syscall.EIO)
		unreadable.on.Store(false)
		pass(time.Minute)
		s, _ = mine.Instance("a")
		assert.Equal(t, "other", s.Observed.Owner)
		assert.Equal(t, before, tree.Processes())

		manifest := path.Join(tree.Layout().Service("a"), "data/manifest.json")
		data, err := tree.FS().ReadFile(manifest)
		require.NoError(t, err)
		given := strings.Replace(string(data), `"other"`, `"s6"`, 1)
		require.NoError(t, tree.FS().ReplaceFile(manifest, []byte(given), 0o600))
		pass(time.Minute)
		s, _ = mine.Instance("a")
		assert.Equal(t, s6.StateRunning, s.State)
		assert.Equal(t, before, tree.Processes(), "it is adopted as it is")
	})
}

// TestAnErrorAboutOneNameIsNoneAboutAll: what cannot be read in the services
// directory may be anybody's. It is named, and all else is managed.
func TestAnErrorAboutOneNameIsNoneAboutAll(t *testing.T) {
	inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
		settle(t, tree, running("a", "b", "c", "roots"))
		before := tree.Processes()
		require.NoError(t, tree.FS().MkdirAll(tree.Layout().Service("lost+found"), 0o700))
		denied := s6test.Inject(tree,
			filesystemtest.OnPath("/data/services/lost+found/data/manifest.json", filesystemtest.Fail(syscall.EACCES)),
			filesystemtest.OnPath("/data/services/roots/data/manifest.json", filesystemtest.Fail(syscall.EACCES)))
		p := start(t, denied)
		p.wants(running("a", "b", "new"))
		for _, name := range []string{"lost+found", "roots"} {
			assert.ErrorIs(t, p.Refused()[name], syscall.EACCES)
			assert.ErrorContains(t, p.Refused()[name], name)
		}
		require.NoError(t, p.Set(t.Context(), "later", running("later")["later"]))
		require.NoError(t, p.Wait(t.Context(), "later", fsm.PhaseRunning))
		pass(time.Minute)
		now := pids(t, tree)
		assert.NotContains(t, now, "c", "what can be read and is not declared is removed")
		for _, process := range before {
			if process.Service == "a" || process.Service == "b" || process.Service == "roots" {
				assert.Equal(t, process.PID, now[process.Service], process.Service)
			}
		}

		err := p.Apply(t.Context(), running("a", "roots"))
		assert.ErrorIs(t, err, syscall.EACCES)
		assert.ErrorContains(t, err, `refused "roots": `)
		assert.NotContains(t, err.Error(), "lost+found", "nobody has declared that")
		pass(time.Minute)
		assert.Len(t, pids(t, tree), 2)
		p.stop()
	})
}

// TestManifestOfAnotherVersion: what it says is not known, so the directory is
// nobody's to take.
func TestManifestOfAnotherVersion(t *testing.T) {
	inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
		settle(t, tree, running("a", "b"))
		before := pids(t, tree)
		manifest := path.Join(tree.Layout().Service("a"), "data/manifest.json")
		require.NoError(t, tree.FS().WriteFile(manifest, []byte(`{"version": 2, "kind": "s6", "spec": "elsewhere"}`), 0o600))
		p := start(t, tree)
		p.wants(running("b"))
		assert.ErrorIs(t, p.Refused()["a"], s6.ErrVersion)
		err := p.Apply(t.Context(), running("a", "b"))
		assert.ErrorIs(t, err, s6.ErrVersion)
		assert.ErrorContains(t, err, `refused "a": `)
		assert.ErrorContains(t, err, "use the program that wrote it")
		pass(time.Minute)
		assert.Equal(t, before, pids(t, tree))
		p.stop()

		// One that found it in order, and then it was changed.
		kind, err := s6.NewKind(tree, s6.KindName)
		require.NoError(t, err)
		for _, state := range []fsm.State{s6.Running, s6.Stopped, fsm.StateRemoved} {
			i, err := fsm.NewInstance(&kind, "a", fsm.InstanceConfig{}, nil)
			require.NoError(t, err)
			require.NoError(t, i.SetDesired(desired{State: state, Spec: plainSpec}))
			for range 20 {
				i.Reconcile(t.Context())
				time.Sleep(time.Second)
			}
			if s := i.Snapshot(); state != fsm.StateRemoved {
				assert.True(t, s.Held)
				assert.ErrorIs(t, s.Err, s6.ErrVersion)
				assert.Contains(t, s.Reason.String(), "a program of another version")
			}
			require.NoError(t, i.Close())
		}
		assert.Equal(t, before, pids(t, tree))
	})
}
