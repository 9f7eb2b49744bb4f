package fsm_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
)

var errBroken = errors.New("broken")

// asked returns an instance that was asked to be lit and is in creating.
func asked(t testing.TB, config fsm.InstanceConfig) (*fsm.Instance[string, int], *stub, *script) {
	t.Helper()
	i, driver, decides := newStub(t, config)
	require.NoError(t, i.SetDesired(fsm.Desired[string]{State: lampLit}))
	require.NoError(t, i.Reconcile(t.Context()).Err)
	require.Equal(t, fsm.StateCreating, i.Snapshot().State)
	return i, driver, decides
}

func TestPassDoesActionsInOrderThenFires(t *testing.T) {
	var seen []fsm.Transition
	i, driver, decides := asked(t, fsm.InstanceConfig{Listener: func(n fsm.Notice) { seen = append(seen, n.(fsm.Transition)) }})
	decides.says(fsm.Decision{Do: []fsm.Action{"one", "two", "three"}, Fire: fsm.EventCreateDone, Reason: why("new")})
	driver.do = func(context.Context, fsm.Action) error {
		assert.Len(t, seen, 1, "fired before the last action")
		return nil
	}
	res := pass(t, i)
	assert.True(t, res.Fired)
	require.NoError(t, res.Err)
	assert.Equal(t, []fsm.Action{"one", "two", "three"}, driver.taken())

	s := i.Snapshot()
	assert.Equal(t, lampOff, s.State)
	assert.Equal(t, fsm.PhaseStopped, s.Phase)
	assert.Equal(t, why("new"), s.Reason)
	assert.False(t, s.Settled)
	require.Len(t, seen, 2)
	assert.Equal(t, fsm.Transition{
		Subject: fsm.Subject{At: s.Since, Kind: "stub", Instance: "a"},
		From:    fsm.StateCreating, To: lampOff, Event: fsm.EventCreateDone,
		ToPhase: fsm.PhaseStopped, Reason: why("new"),
	}, seen[1])
	assert.Equal(t, seen, s.History)
}

func TestFirstFailureEndsThePass(t *testing.T) {
	i, driver, decides := asked(t, fsm.InstanceConfig{})
	decides.says(fsm.Decision{Do: []fsm.Action{"one", "two", "three"}, Fire: fsm.EventCreateDone})
	driver.do = func(_ context.Context, action fsm.Action) error {
		if action == "two" {
			return errBroken
		}
		return nil
	}
	res := pass(t, i)
	assert.False(t, res.Fired)
	assert.ErrorIs(t, res.Err, errBroken)
	assert.EqualError(t, res.Err, "cannot two: broken")
	assert.Equal(t, []fsm.Action{"one", "two"}, driver.taken())
	s := i.Snapshot()
	assert.Equal(t, fsm.StateCreating, s.State)
	assert.Equal(t, res.Err, s.Err)
	assert.Equal(t, 1, s.Failures)
	assert.Len(t, s.History, 1)
	assert.Equal(t, res.Next, s.NextTry)
}

func TestNothingIsDoneForAnEventWithoutARow(t *testing.T) {
	i, driver, decides := asked(t, fsm.InstanceConfig{})
	decides.says(fsm.Decision{Do: []fsm.Action{"one"}, Fire: "glow"})
	res := pass(t, i)
	assert.EqualError(t, res.Err, "the table of stub has no row for glow from creating")
	assert.Empty(t, driver.taken())
	assert.True(t, i.Snapshot().Held)
	assert.Equal(t, fsm.StateCreating, i.Snapshot().State)
}

func TestBeforeAnythingIsAskedAPassOnlyObserves(t *testing.T) {
	i, driver, decides := newStub(t, fsm.InstanceConfig{})
	driver.observe = func(context.Context) (int, error) { return 7, nil }
	decides.decide = func(stubInput) fsm.Decision { panic("decided") }
	require.NoError(t, pass(t, i).Err)
	s := i.Snapshot()
	assert.Equal(t, 7, s.Observed)
	assert.Zero(t, s.Generation)
	assert.False(t, s.Settled)
}

func TestDecideIsGivenThePass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i, driver, decides := asked(t, fsm.InstanceConfig{})
		decides.says(fsm.Decision{Fire: fsm.EventCreateDone})
		pass(t, i)
		since := time.Now()
		time.Sleep(3 * time.Second)

		var got stubInput
		driver.observe = func(context.Context) (int, error) {
			time.Sleep(time.Second)
			return 9, nil
		}
		decides.decide = func(in stubInput) fsm.Decision {
			got = in
			return fsm.Decision{}
		}
		begin := time.Now()
		pass(t, i)
		assert.Equal(t, stubInput{
			Now: begin, State: lampOff, Since: since,
			Desired: fsm.Desired[string]{State: lampLit}, Observed: 9,
		}, got)
		assert.Equal(t, begin, i.Snapshot().ObservedAt)
		assert.True(t, i.Snapshot().Settled)
	})
}

func TestFailedObservationChangesNothing(t *testing.T) {
	i, driver, decides := asked(t, fsm.InstanceConfig{})
	driver.observe = func(context.Context) (int, error) { return 5, nil }
	decides.says(fsm.Decision{Fire: fsm.EventCreateDone, Reason: why("new")})
	pass(t, i)
	before := i.Snapshot()

	driver.observe = func(context.Context) (int, error) { return -1, errBroken }
	decides.says(fsm.Decision{Do: []fsm.Action{"wrong"}, Fire: fsm.EventRemove, Reason: why("wrong")})
	for n := range 10 {
		res := pass(t, i)
		assert.EqualError(t, res.Err, "cannot observe: broken")
		s := i.Snapshot()
		assert.Equal(t, n+1, s.Failures)
		assert.Equal(t, before.State, s.State)
		assert.Equal(t, before.Since, s.Since)
		assert.Equal(t, 5, s.Observed)
		assert.Equal(t, before.ObservedAt, s.ObservedAt)
		assert.Equal(t, before.Reason, s.Reason)
		assert.False(t, s.Settled)
		assert.False(t, s.Held)
	}
	assert.Empty(t, driver.taken())

	fog := driver.observe
	driver.observe, decides.decide = nil, func(stubInput) fsm.Decision { return fsm.Decision{} }
	require.NoError(t, pass(t, i).Err)
	driver.observe = fog
	pass(t, i)
	assert.Equal(t, 1, i.Snapshot().Failures, "failures in a row are counted")
}

func TestPanicsAreContained(t *testing.T) {
	for _, where := range []string{"observe", "decide", "do", "hook"} {
		t.Run(where, func(t *testing.T) {
			armed := false
			boom := func(here string) {
				if armed && here == where {
					panic("boom in " + here)
				}
			}
			i, driver, decides := asked(t, fsm.InstanceConfig{Listener: func(fsm.Notice) { boom("hook") }})
			armed = true
			driver.observe = func(context.Context) (int, error) { boom("observe"); return 0, nil }
			driver.do = func(context.Context, fsm.Action) error { boom("do"); return nil }
			decides.decide = func(in stubInput) fsm.Decision {
				boom("decide")
				if in.State != fsm.StateCreating {
					return fsm.Decision{}
				}
				return fsm.Decision{Do: []fsm.Action{"one"}, Fire: fsm.EventCreateDone}
			}
			res := pass(t, i)
			var p *fsm.PanicError
			require.ErrorAs(t, res.Err, &p)
			assert.Equal(t, "boom in "+where, p.Value)
			assert.Contains(t, string(p.Stack), "instance_test.go")
			assert.ErrorContains(t, res.Err, "panic: boom in "+where)
			assert.Equal(t, 1, i.Snapshot().Failures)
			assert.Equal(t, where == "hook", res.Fired)

			armed = false
			i.Retry()
			pass(t, i)
			assert.NoError(t, pass(t, i).Err)
			assert.Equal(t, lampOff, i.Snapshot().State)
			assert.Len(t, i.Snapshot().History, 2)
			assert.Zero(t, i.Snapshot().Failures)
		})
	}
}

func TestPanicsOfOpenAndCloseAreErrors(t *testing.T) {
	i, driver, _ := newStub(t, fsm.InstanceConfig{})
	driver.close = func() error { panic("boom") }
	assert.ErrorContains(t, i.Close(), "panic: boom")

	open := func(open func(string, func()) (fsm.Driver[string, int], error)) error {
		kind := fsm.Kind[string, int]{Name: "stub", Table: lampTable(t), Decide: (&script{}).decide, Open: open}
		kind.Decide = func(stubInput) fsm.Decision { return fsm.Decision{} }
		_, err := fsm.NewInstance(&kind, "a", fsm.InstanceConfig{}, nil)
		return err
	}
	var p *fsm.PanicError
	assert.ErrorAs(t, open(func(string, func()) (fsm.Driver[string, int], error) { panic("boom") }), &p)
	assert.ErrorIs(t, open(func(string, func()) (fsm.Driver[string, int], error) { return nil, errBroken }), errBroken)
	assert.EqualError(t, open(func(string, func()) (fsm.Driver[string, int], error) { return nil, nil }), `cannot open stub "a": it returned no driver`)
}

func TestNewInstanceRefuses(t *testing.T) {
	_, err := fsm.NewInstance(&fsm.Kind[string, int]{Name: "empty"}, "a", fsm.InstanceConfig{}, nil)
	assert.ErrorContains(t, err, `kind "empty" needs a Table, Decide and Open`)
	_, err = fsm.NewManager(fsm.Kind[string, int]{Name: "empty"}, fsm.Config{})
	assert.ErrorContains(t, err, `kind "empty" needs a Table, Decide and Open`)
	kind := newHouse().kind(t)
	_, err = fsm.NewInstance(&kind, "../a", fsm.InstanceConfig{}, nil)
	assert.ErrorIs(t, err, fsm.ErrName)
}

func TestAPassIsNotEnteredTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i, driver, _ := asked(t, fsm.InstanceConfig{})
		release, entered := make(chan struct{}), 0
		driver.observe = func(context.Context) (int, error) {
			entered++
			<-release
			return 0, nil
		}
		done := make(chan fsm.Result)
		go func() { done <- pass(t, i) }()
		synctest.Wait()
		before := i.Snapshot()
		res := pass(t, i)
		assert.ErrorIs(t, res.Err, fsm.ErrInPass)
		assert.True(t, res.Next.After(time.Now()))
		assert.Same(t, before, i.Snapshot(), "it does nothing")
		close(release)
		assert.NoError(t, (<-done).Err)
		assert.Equal(t, 1, entered)
		assert.NoError(t, pass(t, i).Err, "and is open again afterwards")
	})
}

func TestAnEndedContextDoesNotWedgeTheMachine(t *testing.T) {
	i, _, decides := asked(t, fsm.InstanceConfig{})
	expired, cancel := context.WithDeadline(t.Context(), time.Unix(0, 0))
	defer cancel()
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for n, event := range []fsm.Event{fsm.EventCreateDone, "light", "glow"} {
		decides.says(fsm.Decision{Fire: event})
		res := i.Reconcile([]context.Context{expired, cancelled, t.Context()}[n])
		require.NoError(t, res.Err)
		assert.True(t, res.Fired)
	}
	assert.Equal(t, lampLit, i.Snapshot().State)
}

func TestHistoryIsBoundedAndImmutable(t *testing.T) {
	for _, limit := range []int{1, 3, 0} {
		i, _, decides := asked(t, fsm.InstanceConfig{History: limit})
		decides.decide = func(in stubInput) fsm.Decision {
			return fsm.Decision{Fire: map[fsm.State]fsm.Event{
				fsm.StateCreating: fsm.EventRemove, fsm.StateRemoving: fsm.EventRemoveDone,
			}[in.State]}
		}
		want := limit
		if limit == 0 {
			want = 64
		}
		var kept [][]fsm.Transition
		var copies []string
		for range 200 {
			pass(t, i)
			history := i.Snapshot().History
			kept, copies = append(kept, history), append(copies, fmt.Sprint(history))
			assert.LessOrEqual(t, len(history), want)
			assert.Equal(t, i.Snapshot().State, history[len(history)-1].To)
		}
		assert.Len(t, i.Snapshot().History, want)
		for n := range kept {
			assert.Equal(t, copies[n], fmt.Sprint(kept[n]), "an old snapshot has changed")
		}
	}
}

// owner is a driver that owns something.
type owner struct {
	*stub
	reconcile func(context.Context)
	next      *time.Time
}

func (o owner) ReconcileOwned(ctx context.Context) { o.reconcile(ctx) }

func (o owner) OwnedDue() time.Time { return *o.next }

func TestWhatIsOwnedIsReconciledFirstAndSaysWhenNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var order []string
		var next time.Time
		driver := owner{stub: &stub{}, next: &next}
		driver.observe = func(context.Context) (int, error) {
			order = append(order, "observe")
			return 0, errBroken
		}
		kind := fsm.Kind[string, int]{
			Name: "stub", Table: lampTable(t), Resync: time.Minute,
			Decide: func(stubInput) fsm.Decision { return fsm.Decision{} },
			Open:   func(string, func()) (fsm.Driver[string, int], error) { return driver, nil },
		}
		var boom bool
		driver.reconcile = func(context.Context) {
			if boom {
				panic("boom")
			}
			order = append(order, "owned")
		}
		i, err := fsm.NewInstance(&kind, "a", fsm.InstanceConfig{Backoff: fsm.Backoff{Base: 10 * time.Second, Jitter: -1}}, nil)
		require.NoError(t, err)
		require.NoError(t, i.SetDesired(fsm.Desired[string]{State: lampLit}))

		next = time.Now().Add(3 * time.Second)
		assert.Equal(t, next, pass(t, i).Next, "sooner than the back-off")
		assert.Equal(t, []string{"owned", "observe"}, order)

		driver.observe = nil
		pass(t, i)
		next = time.Now().Add(7 * time.Second)
		assert.Equal(t, next, pass(t, i).Next, "sooner than the resync")
		next = time.Time{}
		turn := pass(t, i).Next
		assert.Greater(t, turn, time.Now().Add(7*time.Second), "no time is no sooner than its turn")
		next = time.Now().Add(time.Hour)
		assert.Equal(t, turn, pass(t, i).Next, "later is no sooner")

		boom = true
		assert.ErrorContains(t, pass(t, i).Err, "panic: boom")
	})
}

func TestTimesAreMonotonic(t *testing.T) {
	i, _, decides := asked(t, fsm.InstanceConfig{})
	decides.says(fsm.Decision{Fire: fsm.EventCreateDone, Reason: why("new")})
	res := pass(t, i)
	s := i.Snapshot()
	for what, at := range map[string]time.Time{"Next": res.Next, "Since": s.Since, "ObservedAt": s.ObservedAt, "At": s.History[0].At} {
		assert.True(t, strings.Contains(at.String(), " m="), "%s has lost the monotonic reading: %s", what, at)
	}
	decides.says(fsm.Decision{Do: []fsm.Action{"one"}})
	require.NoError(t, i.SetDesired(fsm.Desired[string]{State: lampOff}))
	pass(t, i)
	assert.Equal(t, s.Since, i.Snapshot().Since, "a pass without a transition keeps Since")
}
