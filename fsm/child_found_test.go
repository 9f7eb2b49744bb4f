package fsm_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
)

// A shelf is a kind built on lamps whose spec is no pointer: there is always one.
type shelfSeen struct {
	Lamp fsm.ChildObserved[watts, bulb]
}

type shelfDriver struct {
	*fsm.Child[watts, watts, bulb]
}

func (d shelfDriver) Observe(_ context.Context, desired lampDesired) (seen shelfSeen, err error) {
	seen.Lamp, err = d.Look(desired)
	return seen, err
}

func decideShelf(in fsm.Input[watts, shelfSeen]) fsm.Decision {
	return decideRoom(roomInput{
		Now: in.Now, State: in.State, Since: in.Since, Observed: roomSeen{in.Observed.Lamp},
		Desired: roomDesired{State: in.Desired.State, Spec: &room{in.Desired.Spec}},
	})
}

// Of what an earlier run has left it cannot be told with what spec. Where what
// is declared now is refused, it goes on.
func TestAParentThatCannotBeReadBackIsLeftAsItIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse()
		h.put("a", bulb{There: true, Power: true, Glows: true, Watts: 40}, lit(40))
		h.put("b", bulb{There: true, Power: true, Glows: true, Watts: 40}, lit(40))
		lamps := h.kind(t)
		lamps.Discover = h.discover
		kind := fsm.Kind[watts, shelfSeen]{
			Name: "shelf", Table: roomTable(t), Decide: decideShelf,
			Validate: func(context.Context, declarations, declarations) (map[string]error, error) {
				return map[string]error{"a": errBroken}, nil
			},
		}
		kind, err := fsm.BuildOn(kind, fsm.ChildKind[watts, watts, bulb]{
			Kind: lamps, Targets: map[fsm.State]fsm.State{roomBright: lampLit, roomDark: lampOff},
			Spec:   func(_ string, w watts) (watts, error) { return w, nil },
			Parent: func(watts) (watts, bool) { return 0, false },
		}, func(_ string, _ func(), lamp *fsm.Child[watts, watts, bulb]) (fsm.Driver[watts, shelfSeen], error) {
			return shelfDriver{lamp}, nil
		})
		require.NoError(t, err)
		m, err := fsm.NewManager(kind, fsm.Config{})
		require.NoError(t, err)
		defer func() { assert.NoError(t, m.Close(context.Background())) }()
		go m.Run(context.Background())

		require.ErrorIs(t, m.Apply(t.Context(), declarations{"a": {State: roomBright, Spec: 60}}), errBroken)
		elapse(time.Minute)
		lamp, done, _ := h.look("a")
		assert.EqualValues(t, 40, lamp.Watts)
		assert.Empty(t, done)
		assert.Empty(t, m.Declared())
		lamp, _, _ = h.look("b")
		assert.Zero(t, lamp, "what is not listed is removed all the same")
		require.NoError(t, m.Remove(t.Context(), "a"))
		require.NoError(t, m.Wait(within(t, time.Minute), "a", fsm.PhaseRemoved))
	})
}
