package api

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
)

var errEnough = errors.New("enough")

// watched returns so many events after an ID.
func watched(t testing.TB, f *Feed, after int64, n int) (all []Event) {
	t.Helper()
	err := f.Watch(t.Context(), after, 0, func(e *Event) error {
		all = append(all, *e)
		if len(all) == n {
			return errEnough
		}
		return nil
	})
	require.ErrorIs(t, err, errEnough)
	return all
}

func moved(n int) fsm.Transition {
	return fsm.Transition{
		Subject: fsm.Subject{At: time.Now(), Kind: "gate", Instance: fmt.Sprint(n)},
		From:    "closed", To: "open", ToPhase: fsm.PhaseRunning, Reason: fsm.Because("so: password=hunter2"),
	}
}

func TestWatchersHearAllInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := NewFeed()
		first := f.Last()
		const all = 1000
		for watcher := range 3 {
			go func() {
				last := first
				for n, e := range watched(t, f, first, all) {
					assert.Equal(t, fmt.Sprint(n), e.Name, "watcher %d", watcher)
					assert.Greater(t, e.ID, last)
					last = e.ID
				}
			}()
		}
		for n := range all {
			f.Hear(moved(n))
			if n%100 == 0 {
				time.Sleep(time.Millisecond)
			}
		}
		synctest.Wait()
		phase := fsm.PhaseRunning
		e := watched(t, f, first, 1)[0]
		assert.Equal(t, Event{
			ID: e.ID, At: e.At, Type: Moved, Kind: "gate", Name: "0", From: "closed", To: "open", Phase: &phase,
			Reason: fsm.Because("so: password=***"),
		}, e)
	})
}

// A watcher that comes again is told what it has missed, or that it has missed
// something that is not there any more.
func TestWatchersGoOnWhereTheyWere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := NewFeed()
		f.Hear(moved(0))
		f.Hear(moved(1))
		f.Hear(moved(2))
		all := watched(t, f, f.Last()-3, 3)
		assert.Equal(t, all[1:], watched(t, f, all[0].ID, 2))
		assert.Equal(t, Missed, watched(t, f, 0, 1)[0].Type, "it may have seen events of an earlier program")

		for n := range feedSize {
			f.Hear(moved(n))
		}
		assert.Equal(t, "0", watched(t, f, all[2].ID, 1)[0].Name, "nothing is missing")
		again := watched(t, f, all[1].ID, feedSize+1)
		assert.Equal(t, Missed, again[0].Type)
		assert.Equal(t, "0", again[1].Name)
		assert.Equal(t, fmt.Sprint(feedSize-1), again[feedSize].Name)

		time.Sleep(time.Second)
		next := NewFeed()
		next.Hear(moved(7))
		later := watched(t, next, f.Last(), 2)
		assert.Equal(t, Missed, later[0].Type)
		assert.Equal(t, "7", later[1].Name)
	})
}

func TestWatchersHearThatNothingHappens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, begun, quiet := NewFeed(), time.Now(), 0
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		time.AfterFunc(5*time.Second, func() { f.Hear(moved(1)) })
		err := f.Watch(ctx, f.Last(), 2*time.Second, func(e *Event) error {
			if e == nil {
				quiet++
			}
			return nil
		})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, 4, quiet, "at 2, 4, 7 and 9 s")
		assert.Equal(t, 10*time.Second, time.Since(begun))
	})
}

func TestEveryNoticeIsShown(t *testing.T) {
	about := fsm.Subject{At: time.Now(), Kind: "gate", Instance: "a"}
	secret := errors.New("no: password=hunter2")
	for _, n := range []fsm.Notice{
		fsm.Transition{Subject: about}, fsm.PassFailed{Subject: about, Err: secret}, fsm.PassRecovered{Subject: about, Err: secret},
		fsm.Refused{Subject: about, Err: secret}, fsm.RefusalEnded{Subject: about, Err: secret}, fsm.Warned{Subject: about, Err: secret},
		fsm.Overran{Subject: about}, fsm.Closed{Subject: about}, fsm.Closed{Subject: about, Err: secret},
	} {
		e, shown := eventOf(n)
		assert.True(t, shown, "%T", n)
		assert.NotEmpty(t, e.Type, "%T", n)
		assert.NotContains(t, e.Error, "hunter2")
	}
	_, shown := eventOf(fsm.Owned{Subject: about, Notice: fsm.Transition{Subject: about}})
	assert.False(t, shown, "what an instance owns speaks through its reason")
}
