package fsm_test

import (
	"context"
	"errors"
	"flag"
	"testing"
	"testing/synctest"
	"time"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/fsm/fsmtest"
)

var update = flag.Bool("update", false, "write the golden files")

// lampWorld is the world of one lamp.
type lampWorld struct{ *lampDriver }

func (lampWorld) Advance(time.Duration) {}

func lampScene(name string, b *bulb, hook func(op string) error) fsmtest.Scene[watts, bulb] {
	return fsmtest.Scene[watts, bulb]{Name: name, New: func(time.Time) fsmtest.World[watts, bulb] {
		h := newHouse()
		if b != nil {
			h.put("a", *b, off(0))
		}
		if hook != nil {
			h.hook(func(_ context.Context, _, op string) error { return hook(op) })
		}
		return lampWorld{&lampDriver{h, "a"}}
	}}
}

func TestLampTableExhaustively(t *testing.T) {
	noPower := lampScene("no power", nil, func(op string) error {
		if op == "switch_on" {
			return errors.New("no power")
		}
		return nil
	})
	noPower.Ends = map[fsm.State][]fsm.Phase{lampLit: {fsm.PhaseStopped, fsm.PhaseDegraded}}
	fsmtest.Check[watts, bulb]{
		Kind:  newHouse().kind(t),
		Specs: []watts{40, 60},
		Scenes: []fsmtest.Scene[watts, bulb]{
			lampScene("nothing there", nil, nil),
			lampScene("dark", &bulb{There: true}, nil),
			lampScene("lit", &bulb{There: true, Power: true, Glows: true, Watts: 40}, nil),
			noPower,
		},
	}.Run(t)
}

func TestLampStory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse()
		s := fsmtest.NewStory(t, h.kind(t), "hall")
		s.Watch(time.Second)
		s.Ask(lit(40))
		s.Watch(10 * time.Second)
		s.Note("somebody switches it off and wakes the instance")
		h.cut("hall")
		h.wake("hall")
		s.Watch(3 * time.Second)
		s.Ask(lit(60))
		s.Watch(3 * time.Second)
		s.Note("the fuse blows: it went dark and cannot be switched on for 5 s")
		h.cut("hall")
		h.hook(func(_ context.Context, _, op string) error {
			if op == "switch_on" {
				return errors.New("fuse blown")
			}
			return nil
		})
		h.wake("hall")
		s.Watch(5 * time.Second)
		h.hook(nil)
		s.Watch(5 * time.Second)
		s.Ask(gone(60))
		s.Watch(3 * time.Second)
		s.Note("and once more")
		s.Ask(off(60))
		s.Watch(3 * time.Second)
		s.Golden("testdata/lamp.txt", *update)
	})
}
