package fsmtest_test

import (
	"context"
	"errors"
	"flag"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/fsm/fsmtest"
)

var update = flag.Bool("update", false, "write the golden files")

func newStory(t *testing.T, tb testing.TB, p *pump) *fsmtest.Story[litres, gauge] {
	t.Helper()
	kind := pumpKind(t)
	kind.Open = func(string, func()) (fsm.Driver[litres, gauge], error) { return p, nil }
	return fsmtest.NewStory(tb, kind, "cellar")
}

func TestStory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &pump{supply: 9}
		s := newStory(t, t, p)
		s.Ask(fsm.Desired[litres]{State: pumpPumping, Spec: 3})
		s.Watch(5 * time.Second)
		assert.Equal(t, pumpPumping, s.Snapshot().State)

		s.Note("the well runs dry for 8 s")
		p.supply = 0
		s.Watch(8 * time.Second)
		p.supply = 9
		s.Watch(5 * time.Second)

		s.Note("the mains fail for good")
		p.Power, p.refuse = false, fsm.Permanent(errors.New("no mains"))
		s.Watch(time.Minute)
		s.Note("the mains are back")
		p.refuse = nil
		s.Watch(10 * time.Second)
		s.Retry()
		s.Watch(10 * time.Second)

		s.Ask(fsm.Desired[litres]{State: fsm.StateRemoved, Spec: 3})
		s.Watch(5 * time.Second)
		s.Golden("testdata/pump.txt", *update)
	})
}

func TestStoryShowsPutOffAndBlindness(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &pump{supply: 9, refuse: errors.New("fuse blown"), blind: 3}
		s := newStory(t, t, p)
		s.Ask(fsm.Desired[litres]{State: pumpPumping, Spec: 3})
		s.Watch(4 * time.Second)
		s.Note("the fuse is mended")
		p.refuse = nil
		s.Watch(10 * time.Second)
		s.Golden("testdata/fuse.txt", *update)
	})
}

// bell is a driver that wakes its instance and owns another.
type bell struct {
	*pump
	wake  func()
	owned int
	open  bool
}

func (b *bell) ReconcileOwned(context.Context) { b.owned++ }

func (b *bell) OwnedDue() time.Time { return time.Time{} }

func (b *bell) Close() error {
	b.open = false
	return nil
}

func TestStoryHandsThroughWakesOwnersAndClose(t *testing.T) {
	b := &bell{pump: &pump{supply: 9}, open: true}
	synctest.Test(t, func(t *testing.T) {
		kind := pumpKind(t)
		kind.Open = func(_ string, wake func()) (fsm.Driver[litres, gauge], error) {
			b.wake = wake
			return b, nil
		}
		s := fsmtest.NewStory(t, kind, "cellar")
		s.Ask(fsm.Desired[litres]{State: pumpPumping, Spec: 3})
		s.Watch(5 * time.Second)
		require.True(t, s.Snapshot().Settled)

		before, woken := b.owned, time.Now().Add(300*time.Millisecond)
		time.AfterFunc(300*time.Millisecond, b.wake)
		s.Watch(time.Second)
		assert.Equal(t, woken, s.Snapshot().ObservedAt, "a wake is followed by a pass at once")
		assert.Equal(t, before+1, b.owned, "what is owned is reconciled in each pass")
	})
	assert.False(t, b.open, "the driver is closed when the test ends")
}

func TestStoryGolden(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &ledger{TB: t}
		s := newStory(t, l, &pump{supply: 9})
		path := filepath.Join(t.TempDir(), "new", "story.txt")

		s.Golden(path, false)
		require.Len(t, l.failures, 1, "no file yet")
		assert.Contains(t, l.failures[0], "-update")

		s.Ask(fsm.Desired[litres]{State: pumpOff})
		s.Watch(time.Second)
		s.Golden(path, true)
		s.Golden(path, false)
		require.Len(t, l.failures, 1, "the story is the one that was written")

		s.Ask(fsm.Desired[litres]{State: fsm.StateRemoved})
		s.Watch(time.Second)
		s.Golden(path, false)
		require.Len(t, l.failures, 2, "the story has gone on")
		assert.Contains(t, l.failures[1], "the story differs from")
	})
}
