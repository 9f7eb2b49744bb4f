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
)

// A room is bright while its lamp is lit: a kind built on lamps.
type room struct{ Watts watts }

type roomSeen struct {
	Lamp fsm.ChildObserved[watts, bulb]
}

type (
	roomDesired = fsm.Desired[*room]
	roomManager = fsm.Manager[*room, roomSeen]
	roomChild   = fsm.Child[*room, watts, bulb]
	roomInput   = fsm.Input[*room, roomSeen]
)

const (
	roomDark   fsm.State = "dark"
	roomBright fsm.State = "bright"
)

func bright(w watts) roomDesired { return roomDesired{State: roomBright, Spec: &room{w}} }

type roomDriver struct{ *roomChild }

func (d roomDriver) Observe(_ context.Context, desired roomDesired) (seen roomSeen, err error) {
	seen.Lamp, err = d.Look(desired)
	return seen, err
}

func decideRoom(in roomInput) fsm.Decision { return decideRoomLit(in, lampLit) }

// decideRoomLit is told what a room asks of its lamp to be bright.
func decideRoomLit(in roomInput, lit fsm.State) fsm.Decision {
	lamp, ask := in.Observed.Lamp, lampOff
	if in.Desired.State == roomBright {
		ask = lit
	}
	if d, ok := fsm.DecideChild(in, lamp, ask, in.Asked()); ok {
		return d
	}
	switch shines := lamp.Is(fsm.PhaseRunning); {
	case lamp.Unseen:
		return fsm.Decision{Reason: lamp.Reason()}
	case in.State == roomBright && (ask == lampOff || !shines):
		return fsm.Decision{Fire: "darken", Reason: lamp.Reason()}
	case in.Desired.State == fsm.StateRemoved:
		return fsm.Decision{Fire: fsm.EventRemove, Reason: in.Asked()}
	case in.State == roomDark && ask == lit && shines:
		return fsm.Decision{Fire: "brighten", Reason: lamp.Reason()}
	case in.State == roomDark && ask == lit:
		return fsm.Decision{Reason: lamp.Reason()}
	}
	return fsm.Decision{}
}

func roomTable(t testing.TB) *fsm.Table {
	t.Helper()
	table, err := fsm.NewTable(fsm.TableSpec{
		Name:    "room",
		States:  []fsm.StateSpec{{Name: roomDark, Phase: fsm.PhaseStopped}, {Name: roomBright, Phase: fsm.PhaseRunning}},
		Initial: roomDark,
		Targets: []fsm.Target{{Name: roomBright, Phase: fsm.PhaseRunning}, {Name: roomDark, Phase: fsm.PhaseStopped}},
		Rows: []fsm.Row{
			{Event: "brighten", From: roomDark, To: roomBright}, {Event: "darken", From: roomBright, To: roomDark},
		},
	})
	require.NoError(t, err)
	return table
}

func onLamps(lamps lampKind) fsm.ChildKind[*room, watts, bulb] {
	return fsm.ChildKind[*room, watts, bulb]{
		Kind:    lamps,
		Targets: map[fsm.State]fsm.State{roomBright: lampLit, roomDark: lampOff},
		Spec: func(_ string, r *room) (watts, error) {
			if r.Watts < 0 {
				return 0, errors.New("a lamp takes no negative watts")
			}
			return r.Watts, nil
		},
		Parent:  func(w watts) (*room, bool) { return &room{w}, true },
		Backoff: fsm.Backoff{Jitter: -1},
	}
}

func roomKind(t testing.TB, lamps lampKind) fsm.Kind[*room, roomSeen] {
	t.Helper()
	kind, err := fsm.BuildOn(fsm.Kind[*room, roomSeen]{Name: "room", Table: roomTable(t), Decide: decideRoom}, onLamps(lamps),
		func(_ string, _ func(), lamp *roomChild) (fsm.Driver[*room, roomSeen], error) {
			return roomDriver{lamp}, nil
		})
	require.NoError(t, err)
	return kind
}

func rooms(t testing.TB, lamps lampKind, config fsm.Config) *roomManager {
	t.Helper()
	m, err := fsm.NewManager(roomKind(t, lamps), config)
	require.NoError(t, err)
	go m.Run(context.Background())
	t.Cleanup(func() { assert.NoError(t, m.Close(context.Background())) })
	return m
}

func TestAChildIsAskedSpeaksAndGoesWithItsParent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told heard
		h := newHouse()
		m := rooms(t, flickering(t, h), fsm.Config{Listeners: []fsm.Listener{told.listen}})
		require.NoError(t, m.Apply(t.Context(), map[string]roomDesired{"hall": bright(40)}))
		require.NoError(t, m.Wait(t.Context(), "hall", fsm.PhaseRunning))
		lamp, _, _ := h.look("hall")
		assert.Equal(t, bulb{There: true, Power: true, Glows: true, Watts: 40}, lamp)
		var moves []fsm.State
		for _, n := range told.taken() {
			if o, ok := n.(fsm.Owned); ok {
				assert.Equal(t, "room", o.Kind)
				moves = append(moves, o.Notice.(fsm.Transition).To)
			}
		}
		assert.Equal(t, []fsm.State{fsm.StateCreating, lampOff, lampLighting, lampLit}, moves)

		require.NoError(t, m.Apply(t.Context(), map[string]roomDesired{"hall": bright(60)}))
		require.NoError(t, m.Wait(t.Context(), "hall", fsm.PhaseRunning))
		synctest.Wait()
		s, _ := m.Instance("hall")
		assert.EqualValues(t, 60, s.Observed.Lamp.Snapshot.Desired.Spec)

		_, done, _ := h.look("hall")
		require.NoError(t, m.Restart(t.Context(), "hall"))
		require.NoError(t, m.Wait(t.Context(), "hall", fsm.PhaseRunning))
		_, after, _ := h.look("hall")
		assert.Greater(t, len(after), len(done), "the lamp went dark and was lit again")

		require.NoError(t, m.Apply(t.Context(), nil))
		require.NoError(t, m.Wait(t.Context(), "hall", fsm.PhaseRemoved))
		lamp, _, _ = h.look("hall")
		assert.Zero(t, lamp)
		synctest.Wait()
		assert.Zero(t, h.opened["hall"], "it is closed with its parent")
	})
}

func TestParentsAreFoundByTheirChildren(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse()
		h.put("hall", bulb{There: true, Power: true, Glows: true, Watts: 40}, lit(40))
		h.put("cellar", bulb{There: true}, off(25))
		lamps := h.kind(t)
		lamps.Discover = h.discover
		kind := roomKind(t, lamps)
		found, _, err := kind.Discover(t.Context())
		require.NoError(t, err)
		assert.Equal(t, map[string]roomDesired{"hall": bright(40), "cellar": {State: roomDark, Spec: &room{25}}}, found)

		m := rooms(t, lamps, fsm.Config{})
		require.NoError(t, m.Apply(t.Context(), map[string]roomDesired{"hall": bright(40)}))
		require.NoError(t, m.Wait(t.Context(), "hall", fsm.PhaseRunning))
		_, done, _ := h.look("hall")
		assert.Empty(t, done, "it is adopted as it is")
		require.NoError(t, m.Wait(t.Context(), "cellar", fsm.PhaseRemoved))
	})
}

func TestAChildThatIsHeldAndARetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse()
		h.hook(func(_ context.Context, _, op string) error {
			if op == "switch_on" {
				return fsm.Permanent(errBroken)
			}
			return nil
		})
		m := rooms(t, h.kind(t), fsm.Config{})
		require.NoError(t, m.Apply(t.Context(), map[string]roomDesired{"hall": bright(40)}))
		err := m.Wait(t.Context(), "hall", fsm.PhaseRunning)
		assert.ErrorIs(t, err, fsm.ErrHeld, "it is no use to wait for what its lamp does not try again")
		assert.ErrorIs(t, err, errBroken)
		assert.ErrorContains(t, err, `"hall" will not become running: it is dark: its lamp is off: cannot switch_on: broken`)
		elapse(time.Minute)
		h.hook(nil)
		begin := time.Now()
		require.NoError(t, m.Retry("hall"))
		require.NoError(t, m.Wait(within(t, time.Minute), "hall", fsm.PhaseRunning))
		assert.Less(t, time.Since(begin), time.Second)
	})
}

func TestAChildIsDueWhenThePassSaysThatWasMadeAsItWasAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, failures := newHouse(), 0
		h.hook(func(_ context.Context, _, op string) error {
			if op == "switch_on" && failures == 0 {
				failures++
				return errBroken
			}
			return nil
		})
		kind := roomKind(t, h.kind(t))
		kind.Decide = func(in roomInput) fsm.Decision {
			d := decideRoom(in)
			if len(d.Do) > 0 {
				d.After = time.Hour // which is for the room, and not for its lamp
			}
			return d
		}
		kind.Resync = time.Hour
		m, err := fsm.NewManager(kind, fsm.Config{})
		require.NoError(t, err)
		go m.Run(t.Context())
		require.NoError(t, m.Apply(t.Context(), map[string]roomDesired{"hall": {State: roomDark, Spec: &room{40}}}))
		require.NoError(t, m.Wait(within(t, time.Minute), "hall", fsm.PhaseStopped))
		begin := time.Now()
		require.NoError(t, m.Apply(t.Context(), map[string]roomDesired{"hall": bright(40)}))
		require.NoError(t, m.Wait(within(t, time.Minute), "hall", fsm.PhaseRunning))
		assert.Equal(t, 1, failures)
		assert.Less(t, time.Since(begin), time.Second, "its lamp is tried again after its own back-off")
		require.NoError(t, m.Close(t.Context()))
	})
}

// What an earlier version took is refused by this one.
func TestAParentIsRemovedThoughNoChildCanBeMadeOfIt(t *testing.T) {
	for how, remove := range map[string]func(*roomManager) error{
		"not listed": func(m *roomManager) error { return m.Apply(context.Background(), nil) },
		"removed":    func(m *roomManager) error { return m.Remove(context.Background(), "hall") },
	} {
		fakeTime(t, how, func(t *testing.T) {
			h := newHouse()
			h.put("hall", bulb{There: true, Power: true, Glows: true, Watts: -5}, lit(-5))
			lamps := h.kind(t)
			lamps.Discover = h.discover
			m := rooms(t, lamps, fsm.Config{})
			require.NoError(t, remove(m))
			require.NoError(t, m.Wait(within(t, time.Minute), "hall", fsm.PhaseRemoved))
			lamp, _, _ := h.look("hall")
			assert.Zero(t, lamp)
		})
	}
}

func TestChildrenAreValidatedWithTheirParents(t *testing.T) {
	lamps := newHouse().kind(t)
	lamps.Validate = func(_ context.Context, all, before map[string]lampDesired) (map[string]error, error) {
		assert.Equal(t, map[string]lampDesired{"hall": lit(10)}, before)
		refused := make(map[string]error)
		for name, d := range all {
			switch {
			case d.Spec > 100:
				refused[name] = errors.New("too bright for a " + string(d.State) + " lamp")
			case d.Spec > 50:
				refused[name] = fsm.Warning(errors.New("bright"))
			}
		}
		return refused, nil
	}
	kind := fsm.Kind[*room, roomSeen]{Name: "room", Table: roomTable(t), Decide: decideRoom}
	kind.Validate = func(_ context.Context, all, _ map[string]roomDesired) (map[string]error, error) {
		far := fsm.Warning(errors.New("far"))
		return map[string]error{"attic": errors.New("no room"), "shed": far, "barn": far, "tower": far}, nil
	}
	kind, err := fsm.BuildOn(kind, onLamps(lamps), nil)
	require.NoError(t, err)
	refused, err := kind.Validate(t.Context(), map[string]roomDesired{
		"hall": bright(40), "attic": bright(500), "stage": bright(500), "cellar": bright(-1),
		"shed": bright(40), "barn": bright(60), "tower": bright(500),
	}, map[string]roomDesired{"hall": bright(10), "cellar": bright(-1)})
	require.NoError(t, err)
	assert.Len(t, refused, 6)
	assert.True(t, fsm.IsWarning(refused["shed"]))
	assert.True(t, fsm.IsWarning(refused["barn"]))
	assert.EqualError(t, refused["barn"], "far\nbright")
	assert.False(t, fsm.IsWarning(refused["tower"]))
	assert.EqualError(t, refused["attic"], "no room")
	assert.EqualError(t, refused["stage"], "too bright for a lit lamp")
	assert.EqualError(t, refused["cellar"], "a lamp takes no negative watts")
}

func TestAChildIsNotAskedWhatItsTableHasNoTargetFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kind := roomKind(t, newHouse().kind(t))
		kind.Decide = func(in roomInput) fsm.Decision { return decideRoomLit(in, "running") }
		m, err := fsm.NewManager(kind, fsm.Config{})
		require.NoError(t, err)
		go m.Run(t.Context())
		require.NoError(t, m.Apply(t.Context(), map[string]roomDesired{"hall": bright(40)}))
		err = m.Wait(t.Context(), "hall", fsm.PhaseRunning)
		assert.ErrorIs(t, err, fsm.ErrHeld)
		assert.ErrorContains(t, err, `cannot ask its lamp to be running: cannot ask that of lamp "hall": "running" cannot be asked for`)
		require.NoError(t, m.Close(t.Context()))
	})
}

func TestBuildOnRefuses(t *testing.T) {
	for want, breaks := range map[string]func(*fsm.ChildKind[*room, watts, bulb]){
		`cannot build room on lamp: Targets does not say what the child is asked for "dark"`: func(k *fsm.ChildKind[*room, watts, bulb]) {
			delete(k.Targets, roomDark)
		},
		`Targets: for "dark" the child: "gloomy" cannot be asked for`: func(k *fsm.ChildKind[*room, watts, bulb]) {
			k.Targets[roomDark] = "gloomy"
		},
		`Targets: "bright" and "dark" ask the same of the child`: func(k *fsm.ChildKind[*room, watts, bulb]) {
			k.Targets[roomDark] = lampLit
		},
		"it takes a Spec and a Parent": func(k *fsm.ChildKind[*room, watts, bulb]) { k.Parent = nil },
		"both need a Table":            func(k *fsm.ChildKind[*room, watts, bulb]) { k.Kind.Table = nil },
	} {
		child := onLamps(newHouse().kind(t))
		breaks(&child)
		_, err := fsm.BuildOn(fsm.Kind[*room, roomSeen]{Name: "room", Table: roomTable(t)}, child, nil)
		assert.ErrorContains(t, err, want)
	}
}

func TestWhatAKindClaimsIsItsManagersUntilThatIsClosed(t *testing.T) {
	lamps := newHouse().kind(t)
	claimed := 0
	lamps.Claim = func() (func(), error) {
		if claimed > 0 {
			return nil, errors.New("the house has a manager")
		}
		claimed++
		return func() { claimed-- }, nil
	}
	first, err := fsm.NewManager(roomKind(t, lamps), fsm.Config{})
	require.NoError(t, err)
	_, err = fsm.NewManager(lamps, fsm.Config{})
	assert.EqualError(t, err, "cannot make a manager of lamp: the house has a manager")
	require.NoError(t, first.Close(t.Context()))
	require.NoError(t, first.Close(t.Context()), "closed twice it is let go of once")
	second := newManager(t, lamps, fsm.Config{})
	require.NoError(t, second.Close(t.Context()))
	assert.Zero(t, claimed)
}
