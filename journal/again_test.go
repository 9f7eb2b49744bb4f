package journal_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/filesystem"
	"github.com/evenkeel/evenkeel/filesystem/memfs"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/internal/simulate"
	"github.com/evenkeel/evenkeel/journal"
	"github.com/evenkeel/evenkeel/s6"
)

var (
	services = fsm.Kind[*s6.Spec, s6.Observed]{Decide: s6.Decide}
	streams  = fsm.Kind[*benthos.Config, benthos.Observed]{Decide: benthos.Decide}
)

// again decides again about a pass of either kind.
func again(p *journal.Pass) (fsm.Decision, bool, error) {
	if p.Kind == benthos.KindName {
		return journal.Again(streams, p)
	}
	return journal.Again(services, p)
}

// both records passes of both kinds.
func both(j *journal.Journal) func(fsm.Reconciled) {
	ofServices, ofStreams := journal.Passes[*s6.Spec, s6.Observed](j), journal.Passes[*benthos.Config, benthos.Observed](j)
	return func(r fsm.Reconciled) { ofServices(r); ofStreams(r) }
}

// What programs have decided in random lives, against an adversary, is decided again
// from what was recorded.
func TestWhatWasDecidedIsDecidedAgain(t *testing.T) {
	seeds := uint64(4)
	if testing.Short() {
		seeds = 2
	}
	for seed := range seeds {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			fsys := memfs.New()
			writtenAtOnce(t, fsys, 1<<17, func(j *journal.Journal) {
				require.Nil(t, simulate.RunTold(t, simulate.NewPlan(seed, 20*time.Minute), both(j)).Violation)
			})
			states := make(map[string]int)
			for r, err := range journal.Read(fsys, dir) {
				require.NoError(t, err)
				require.Nil(t, r.Gap)
				if r.Pass == nil || r.Pass.Input == nil {
					continue
				}
				states[r.Pass.Kind+" "+string(r.Pass.State)]++
				decided, same, err := again(r.Pass)
				require.NoError(t, err)
				require.True(t, same, "%s:%d: %s\n%+v was decided, and now is\n%+v", r.File, r.Line, r.Pass.Input, r.Pass.Decision, decided)
			}
			assert.Greater(t, len(states), 10, "%v", states)
		})
	}
}

// passesOf returns the passes of a journal.
func passesOf(t *testing.T, fsys filesystem.FS) (all []*journal.Pass) {
	t.Helper()
	for r, err := range journal.Read(fsys, dir) {
		require.NoError(t, err)
		require.Nil(t, r.Gap)
		if r.Pass != nil {
			all = append(all, r.Pass)
		}
	}
	return all
}

// A kind that decides otherwise than it did is found, whatever of the decision differs.
func TestAnotherDecisionIsFound(t *testing.T) {
	fsys := memfs.New()
	writtenAtOnce(t, fsys, 1<<17, func(j *journal.Journal) {
		require.Nil(t, simulate.RunTold(t, simulate.NewPlan(1, time.Minute), both(j)).Violation)
	})
	for name, other := range map[string]func(*fsm.Decision){
		"action": func(d *fsm.Decision) { d.Do = append(slices.Clone(d.Do), "more") },
		"event":  func(d *fsm.Decision) { d.Fire = "another" },
		"reason": func(d *fsm.Decision) { d.Reason = d.Reason.With("of another sort") },
		"time":   func(d *fsm.Decision) { d.After++ },
		"state":  func(d *fsm.Decision) { d.Pending = !d.Pending },
	} {
		kind := fsm.Kind[*s6.Spec, s6.Observed]{Decide: func(in fsm.Input[*s6.Spec, s6.Observed]) fsm.Decision {
			d := s6.Decide(in)
			other(&d)
			return d
		}}
		found := 0
		for _, p := range passesOf(t, fsys) {
			if p.Kind != s6.KindName || p.Input == nil {
				continue
			}
			_, same, err := journal.Again(kind, p)
			require.NoError(t, err)
			if core := p.State == fsm.StateToBeCreated || p.State == fsm.StateRemoved; !core {
				require.False(t, same, "%s in %s", name, p.State)
				found++
			}
		}
		assert.Positive(t, found)
	}
}

func TestWhatCannotBeDecidedAgain(t *testing.T) {
	_, _, err := journal.Again(services, &journal.Pass{Kind: s6.KindName})
	require.ErrorIs(t, err, journal.ErrUndecided)
	_, _, err = journal.Again(services, &journal.Pass{Input: []byte(`{"state": 7}`)})
	require.ErrorContains(t, err, "is not of this kind")
	panics := fsm.Kind[*s6.Spec, s6.Observed]{Decide: func(fsm.Input[*s6.Spec, s6.Observed]) fsm.Decision { panic("boom") }}
	_, _, err = journal.Again(panics, &journal.Pass{Input: []byte(`{"state": "running", "desired": {"state": "running", "spec": {}}}`)})
	require.ErrorContains(t, err, "boom")
}
