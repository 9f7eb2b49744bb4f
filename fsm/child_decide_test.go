package fsm_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/fsm/fsmtest"
)

// roomScene is a house with a room whose lamp is as given, if it has one.
func roomScene(t *testing.T, name string, lamp *bulb, hook func(op string) error) fsmtest.Scene[*room, roomSeen] {
	return fsmtest.Scene[*room, roomSeen]{Name: name, New: func(time.Time) fsmtest.World[*room, roomSeen] {
		h := newHouse()
		if lamp != nil {
			h.put("hall", *lamp, off(0))
		}
		if hook != nil {
			h.hook(func(_ context.Context, _, op string) error { return hook(op) })
		}
		return fsmtest.Live(t, roomKind(t, h.kind(t)), "hall")
	}}
}

func TestRoomExhaustively(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		noPower := roomScene(t, "no power", nil, func(op string) error {
			if op == "switch_on" {
				return errors.New("no power")
			}
			return nil
		})
		noPower.Ends = map[fsm.State][]fsm.Phase{roomBright: {fsm.PhaseStopped}}
		fsmtest.Check[*room, roomSeen]{
			Kind:  roomKind(t, newHouse().kind(t)),
			Specs: []*room{{40}, {60}},
			Scenes: []fsmtest.Scene[*room, roomSeen]{
				roomScene(t, "nothing there", nil, nil),
				roomScene(t, "lit", &bulb{There: true, Power: true, Glows: true, Watts: 40}, nil),
				noPower,
			},
		}.Run(t)
	})
}

func TestStoryOfARoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse()
		s := fsmtest.NewStory(t, roomKind(t, h.kind(t)), "hall")
		s.Ask(bright(40))
		s.Watch(time.Second)
		s.Ask(bright(60))
		s.Watch(time.Second)
		s.Note("the lamp cannot be seen, and is asked to be off")
		h.hook(func(_ context.Context, _, op string) error {
			if op == "observe" {
				return errors.New("it is too dark")
			}
			return nil
		})
		s.Ask(roomDesired{State: roomDark, Spec: &room{60}})
		s.Watch(time.Second)
		h.hook(nil)
		s.Watch(3 * time.Second)
		s.Note("it is removed without a spec")
		s.Ask(roomDesired{State: fsm.StateRemoved})
		s.Watch(time.Second)
		s.Golden("testdata/room.txt", *update)
	})
}

func TestAChildRefusesActionsThatAreNone(t *testing.T) {
	driver, err := roomKind(t, newHouse().kind(t)).Open("hall", func() {})
	require.NoError(t, err)
	for _, action := range []fsm.Action{"", "paint it", "ask its room to be lit"} {
		assert.True(t, fsm.IsPermanent(driver.Do(t.Context(), action, bright(40))), action)
	}
	err = driver.Do(t.Context(), "ask its lamp to be wet", bright(40))
	assert.ErrorContains(t, err, `"wet" cannot be asked for`)
	assert.True(t, fsm.IsPermanent(err))
}
