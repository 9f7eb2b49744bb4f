package order_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/fsm/order"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// inHall runs a test in fake time.
func inHall(t *testing.T, test func(t *testing.T, h *hall)) {
	synctest.Test(t, func(t *testing.T) { test(t, &hall{motors: make(map[string]*motor)}) })
}

func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

var chain = runs{"a": {"pump"}, "pump": {"c"}, "c": nil}

func TestStartsAfterWhatItNeeds(t *testing.T) {
	for _, first := range []string{"pump", "motor"} {
		inHall(t, func(t *testing.T, h *hall) {
			p, _ := newPlant(t, h)
			p.declare(t, chain, first)
			pass(500 * time.Millisecond)
			assert.False(t, p.runs("pump"))
			assert.Regexp(t, `^waits for c to be ready: it is starting since 2000-01-01T.*: it turns$`, p.reason("pump"))
			assert.Regexp(t, `^waits for pump to be ready: it is stopped since .*: waits for c to be ready$`, p.reason("a"))
			pass(5 * time.Second)
			for pair := range map[[2]string]bool{{"a", "pump"}: true, {"pump", "c"}: true} {
				user, _ := p.span(pair[0])
				need, _ := p.span(pair[1])
				assert.Less(t, need.Add(time.Second).Sub(user).Abs(), 50*time.Millisecond, "%v: no sooner and not much later", pair)
				assert.False(t, user.Before(need.Add(time.Second)))
			}
			assert.Equal(t, "it turns", p.reason("a"))
		})
	}
}

func TestStopsBeforeWhatItNeeds(t *testing.T) {
	for _, first := range []string{"pump", "motor"} {
		inHall(t, func(t *testing.T, h *hall) {
			p, _ := newPlant(t, h)
			p.declare(t, chain)
			pass(5 * time.Second)
			p.declare(t, runs{}, first)
			pass(500 * time.Millisecond)
			assert.Regexp(t, `^waits for a to stop: it is stopping since .*: it turns still$`, p.reason("pump"))
			assert.True(t, p.runs("c"))
			pass(time.Minute)
			for pair := range map[[2]string]bool{{"a", "pump"}: true, {"pump", "c"}: true} {
				_, user := p.span(pair[0])
				h.mu.Lock()
				need := h.motors[pair[1]].told
				h.mu.Unlock()
				assert.Less(t, need.Sub(user).Abs(), 50*time.Millisecond, "%v: no sooner and not much later", pair)
				assert.False(t, need.Before(user))
			}
			for _, m := range p.kinds {
				assert.Empty(t, m.Snapshot(), "and is gone")
			}
		})
	}
}

// What has been started goes on: when what it needs is degraded, is stopped, or is
// not there yet after a new beginning of the program.
func TestWhatRunsDoesNotWait(t *testing.T) {
	inHall(t, func(t *testing.T, h *hall) {
		p, end := newPlant(t, h)
		p.declare(t, chain)
		pass(5 * time.Second)
		h.mu.Lock()
		h.motors["c"].readyAfter = time.Hour
		began := h.motors["a"].began
		h.mu.Unlock()
		pass(10 * time.Second)
		s, _ := p.kinds["motor"].Instance("c")
		require.Equal(t, fsm.PhaseDegraded, s.Phase)
		require.True(t, p.runs("pump"))
		end()

		p, _ = newPlant(t, h)
		p.declare(t, chain)
		pass(10 * time.Second)
		p.declare(t, runs{"a": {"pump"}, "pump": {"d"}, "c": nil, "d": nil})
		pass(100 * time.Millisecond)
		assert.Equal(t, fsm.StateRunning, p.states("pump")[len(p.states("pump"))-1])
		now, _ := p.span("a")
		assert.Equal(t, began, now)
		_, ended := p.span("pump")
		assert.Zero(t, ended)
	})
}

// What is changed at the same time is waited for as it is then.
func TestWaitsForWhatChanges(t *testing.T) {
	for _, first := range []string{"pump", "motor"} {
		inHall(t, func(t *testing.T, h *hall) {
			p, _ := newPlant(t, h)
			p.declare(t, runs{"pump": nil, "c": nil})
			pass(5 * time.Second)
			p.declare(t, runs{"a": {"pump"}, "pump": nil, "b": {"c"}, "c": nil, version: {"2"}}, first)
			pass(5 * time.Second)
			for user, need := range map[string]string{"a": "pump", "b": "c"} {
				began, _ := p.span(user)
				changed, _ := p.span(need)
				assert.False(t, began.Before(changed.Add(time.Second)), "%s needs %s", user, need)
			}
		})
	}
}

// What is changed and stopped at once, and is to stop later, goes on unchanged.
func TestStopLeavesItUnchanged(t *testing.T) {
	inHall(t, func(t *testing.T, h *hall) {
		p, _ := newPlant(t, h)
		p.declare(t, chain)
		pass(5 * time.Second)
		began, _ := p.span("pump")
		require.NoError(t, p.order.Declare(map[order.ID]order.Member{is("pump"): {}}, func() error {
			require.NoError(t, p.kinds["pump"].Apply(t.Context(), map[string]fsm.Desired[string]{"pump": {State: fsm.StateStopped, Spec: "2"}}))
			return p.kinds["motor"].Apply(t.Context(), nil)
		}))
		pass(time.Minute)
		now, ended := p.span("pump")
		assert.Equal(t, began, now)
		assert.NotZero(t, ended)
	})
}

// Nothing starts after what is only there until others have stopped.
func TestDoesNotStartAfterWhatIsToStop(t *testing.T) {
	inHall(t, func(t *testing.T, h *hall) {
		p, _ := newPlant(t, h)
		p.declare(t, runs{"c": nil, "pump": {"c"}})
		pass(5 * time.Second)
		all := runs{"a": {"c"}, "c": nil}.members()
		all[is("c")] = order.Member{}
		require.NoError(t, p.order.Declare(all, func() error {
			require.NoError(t, p.kinds["pump"].Apply(t.Context(), nil))
			return p.kinds["motor"].Apply(t.Context(), map[string]fsm.Desired[string]{
				"a": {State: fsm.StateRunning, Spec: "a"}, "c": {State: fsm.StateStopped, Spec: "c"},
			})
		}))
		pass(time.Minute)
		began, _ := p.span("a")
		assert.Zero(t, began)
		assert.False(t, p.runs("c"))
	})
}

// A program that begins anew with a declaration in which both are gone stops them
// in the order of the one before, of which it is told.
func TestOrderOfAnEarlierRun(t *testing.T) {
	inHall(t, func(t *testing.T, h *hall) {
		p, end := newPlant(t, h)
		p.declare(t, chain)
		pass(5 * time.Second)
		end()
		p, _ = newPlant(t, h)
		require.NoError(t, p.order.Declare(chain.members(), func() error { return nil }))
		require.NoError(t, p.order.Declare(nil, func() error {
			for _, kind := range []string{"motor", "pump"} {
				all := map[string]fsm.Desired[string]{"c": {State: fsm.StateRemoved}, "a": {State: fsm.StateRemoved}}
				if kind == "pump" {
					all = map[string]fsm.Desired[string]{"pump": {State: fsm.StateRemoved}}
				}
				require.NoError(t, p.kinds[kind].Apply(t.Context(), all))
				time.Sleep(50 * time.Millisecond)
			}
			return nil
		}))
		pass(time.Minute)
		_, a := p.span("a")
		_, pump := p.span("pump")
		_, c := p.span("c")
		assert.True(t, a.Before(pump) && pump.Before(c), "%v %v %v", a, pump, c)
	})
}

// What does not stop in its time holds up nobody for ever, and at the end of
// everything for no longer than there is time.
func TestStopIsNotWaitedForForEver(t *testing.T) {
	for name, limit := range map[string]time.Duration{"declared": 12 * time.Second, "halt": 3 * time.Second} {
		t.Run(name, func(t *testing.T) {
			inHall(t, func(t *testing.T, h *hall) {
				h.motors["a"] = &motor{readyAfter: time.Second, stopTakes: time.Hour}
				p, _ := newPlant(t, h)
				p.declare(t, chain)
				pass(5 * time.Second)
				now := time.Now()
				ask := func() error {
					for name, all := range map[string][]string{"motor": {"a", "c"}, "pump": {"pump"}} {
						desired := make(map[string]fsm.Desired[string])
						for _, name := range all {
							desired[name] = fsm.Desired[string]{State: fsm.StateStopped, Spec: name}
						}
						require.NoError(t, p.kinds[name].Apply(t.Context(), desired))
					}
					return nil
				}
				all := chain.members()
				for id, m := range all {
					m.Runs = false
					all[id] = m
				}
				if name == "halt" {
					require.NoError(t, p.order.Halt(all, now.Add(limit), ask))
				} else {
					require.NoError(t, p.order.Declare(all, ask))
				}
				pass(time.Minute)
				h.mu.Lock()
				defer h.mu.Unlock()
				assert.InDelta(t, limit.Seconds(), h.motors["pump"].told.Sub(now).Seconds(), 1.1)
				assert.False(t, h.motors["c"].up(time.Now()))
			})
		})
	}
}

// What one that runs needs may be stopped: it is asked for by itself.
func TestStopOfWhatOthersNeed(t *testing.T) {
	inHall(t, func(t *testing.T, h *hall) {
		p, _ := newPlant(t, h)
		p.declare(t, chain)
		pass(5 * time.Second)
		all := chain.members()
		all[is("c")] = order.Member{}
		require.NoError(t, p.order.Declare(all, func() error {
			return p.kinds["motor"].Set(t.Context(), "c", fsm.Desired[string]{State: fsm.StateStopped, Spec: "c"})
		}))
		pass(2 * time.Second)
		assert.False(t, p.runs("c"))
		assert.True(t, p.runs("pump"))
	})
}

// What an instance needs, and is refused, is told.
func TestNeedThatIsRefused(t *testing.T) {
	inHall(t, func(t *testing.T, h *hall) {
		p, _ := newPlant(t, h)
		require.NoError(t, p.order.Declare(runs{"a": {"pump"}, "pump": nil}.members(), func() error {
			assert.Error(t, p.kinds["pump"].Apply(t.Context(), map[string]fsm.Desired[string]{"pump": {State: "spins"}}))
			return p.kinds["motor"].Apply(t.Context(), map[string]fsm.Desired[string]{"a": {State: fsm.StateRunning}})
		}))
		pass(time.Second)
		assert.Regexp(t, `^waits for pump to be ready: it is refused: "spins" cannot be asked for`, p.reason("a"))
	})
}

// seenAs is an order over instances that are seen as a test says.
func seenAs(t *testing.T, all runs, is map[string]order.View, begun map[string]bool) (*order.Order, func(name string, asked fsm.State) (waits bool)) {
	t.Helper()
	o := order.New(order.Config{
		Look:  func(id order.ID) order.View { return is[id.Name] },
		Begun: func(id order.ID) (bool, bool) { return begun[id.Name], true },
		Wake:  func(order.ID) {},
	})
	require.NoError(t, o.Declare(all.members(), func() error { return nil }))
	gate := o.Gate("motor", fsm.StateRunning, fsm.StateStopped)
	return o, func(name string, asked fsm.State) bool {
		_, waits := gate.Hold(name, asked)
		return waits
	}
}

// What may start may for as long as the same is declared, however long its start
// takes. A stop ends that.
func TestMayStartOnce(t *testing.T) {
	all, is := runs{"a": {"c"}, "c": nil}, make(map[string]order.View)
	o, waits := seenAs(t, all, is, nil)
	assert.True(t, waits("a", fsm.StateRunning))
	is["c"] = order.View{Ready: true}
	assert.False(t, waits("a", fsm.StateRunning))
	is["c"] = order.View{}
	assert.False(t, waits("a", fsm.StateRunning))
	assert.False(t, waits("a", fsm.StateStopped))
	assert.True(t, waits("a", fsm.StateRunning))

	is["c"] = order.View{Ready: true}
	assert.False(t, waits("a", fsm.StateRunning))
	is["c"] = order.View{}
	require.NoError(t, o.Declare(all.members(), func() error { return nil }))
	assert.True(t, waits("a", fsm.StateRunning))
}

// A stop that is asked for and has not been made yet has stopped nothing. Once it
// was, nobody has to be asked.
func TestStopThatIsNotMade(t *testing.T) {
	begun, seen := map[string]bool{"a": true}, make(map[string]order.View)
	o, waits := seenAs(t, runs{"a": {"c"}, "c": nil}, seen, begun)
	assert.False(t, waits("a", fsm.StateRunning), "an earlier run has started it")
	require.NoError(t, o.Declare(map[order.ID]order.Member{is("a"): {Needs: []order.Need{{ID: is("c")}}}}, func() error { return nil }))
	assert.False(t, waits("a", fsm.StateStopped))
	assert.False(t, waits("a", fsm.StateRunning), "it runs still")
	assert.False(t, waits("a", fsm.StateStopped))
	seen["a"] = order.View{Stopped: true}
	o.Gate("motor", fsm.StateRunning, fsm.StateStopped).Passed("a")
	assert.True(t, waits("a", fsm.StateRunning))
}

// What was seen stopped does not run where the disk cannot be asked about that: when
// it is declared to run, and passes are made before its manager knows; when one of
// its passes fails; and when it needed nothing until then.
func TestWhatWasSeenStoppedIsNotAskedAbout(t *testing.T) {
	for name, before := range map[string]runs{"in need": {"a": {"c"}, "c": nil}, "without need": {"a": nil, "c": nil}} {
		t.Run(name, func(t *testing.T) {
			all, begun, seen := before.members(), make(map[string]bool), make(map[string]order.View)
			all[is("a")] = order.Member{Needs: all[is("a")].Needs}
			o, waits := seenAs(t, nil, seen, begun)
			passed := o.Gate("motor", fsm.StateRunning, fsm.StateStopped).Passed
			require.NoError(t, o.Declare(all, func() error { return nil }))
			require.False(t, waits("a", fsm.StateStopped))
			seen["a"] = order.View{Stopped: true}
			passed("a")
			begun["a"] = true // for all that can be found out
			require.NoError(t, o.Declare(runs{"a": {"c"}, "c": nil}.members(), func() error {
				require.False(t, waits("a", fsm.StateStopped), "its manager does not know yet")
				seen["a"] = order.View{} // it cannot be observed
				passed("a")
				return nil
			}))
			assert.True(t, waits("a", fsm.StateRunning))
		})
	}
}

// What was seen to go is not asked about either when it is declared again, whatever
// was declared in between.
func TestWhatWasSeenToGoIsNotAskedAbout(t *testing.T) {
	begun, seen := make(map[string]bool), make(map[string]order.View)
	o, waits := seenAs(t, runs{"a": {"c"}, "c": nil}, seen, begun)
	passed := o.Gate("motor", fsm.StateRunning, fsm.StateStopped).Passed
	declare := func(all runs) {
		t.Helper()
		require.NoError(t, o.Declare(all.members(), func() error { return nil }))
	}
	declare(runs{"c": nil})
	require.False(t, waits("a", fsm.StateRemoved))
	seen["a"] = order.View{Stopped: true}
	passed("a")
	declare(runs{"c": nil, "b": nil})
	declare(runs{"c": nil})
	begun["a"] = true // for all that can be found out
	declare(runs{"a": {"c"}, "c": nil})
	assert.True(t, waits("a", fsm.StateRunning))
}

// What may have been started, and was not seen to be, is asked about.
func TestStartThatIsNotSeen(t *testing.T) {
	all, begun, seen := runs{"a": {"c"}, "c": nil}, make(map[string]bool), map[string]order.View{"c": {Ready: true}}
	o, waits := seenAs(t, all, seen, begun)
	require.False(t, waits("a", fsm.StateRunning))
	begun["a"], seen["c"] = true, order.View{}
	require.NoError(t, o.Declare(all.members(), func() error { return nil }))
	assert.False(t, waits("a", fsm.StateRunning))
}

// What has stopped though it was to go on until others have does not start again for
// them, also where an earlier run had started it.
func TestWhatHasStoppedDoesNotStayForOthers(t *testing.T) {
	begun, seen := map[string]bool{"c": true}, map[string]order.View{"a": {Started: true}}
	o, waits := seenAs(t, nil, seen, begun)
	passed := o.Gate("motor", fsm.StateRunning, fsm.StateStopped).Passed
	all := runs{"a": {"c"}, "c": nil}.members()
	for id, m := range all {
		m.Runs = false
		all[id] = m
	}
	require.NoError(t, o.Declare(all, func() error { return nil }))
	require.True(t, waits("c", fsm.StateStopped), "it is on the way from its adoption")
	seen["c"] = order.View{Started: true} // it stops, for an earlier run has told it
	passed("c")
	require.True(t, waits("c", fsm.StateStopped))
	seen["c"] = order.View{}
	passed("c")
	assert.False(t, waits("c", fsm.StateStopped))
}

// A process that is being stopped, or that another is to replace, is none to start
// after.
func TestWhatGoesIsNotRunning(t *testing.T) {
	inHall(t, func(t *testing.T, h *hall) {
		p, _ := newPlant(t, h)
		p.declare(t, runs{"c": nil})
		pass(5 * time.Second)
		look := func() order.View { return order.Look(p.kinds["motor"], "c", (*seen).process) }
		v := look()
		assert.True(t, v.Up && v.Ready && v.Started && !v.Stopped, "%+v", v)
		h.mu.Lock()
		h.motors["c"].outgoing = true
		h.mu.Unlock()
		p.kinds["motor"].Wake("c")
		pass(100 * time.Millisecond)
		v = look()
		assert.True(t, !v.Up && !v.Ready && v.Started && !v.Stopped, "%+v", v)
		h.mu.Lock()
		h.motors["c"].outgoing = false
		h.mu.Unlock()
		p.declare(t, runs{})
		pass(100 * time.Millisecond)
		require.True(t, p.runs("c"))
		v = look()
		assert.True(t, !v.Up && !v.Ready && v.Started && !v.Stopped, "%+v", v)
	})
}

// Where it takes long to find out whether one was started, the others do not wait,
// also where it takes long each time and nothing comes of it.
func TestSlowToFindOut(t *testing.T) {
	for _, sure := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			o := order.New(order.Config{
				Look: func(order.ID) order.View { return order.View{} },
				Begun: func(id order.ID) (bool, bool) {
					if id.Name == "a" {
						time.Sleep(time.Hour)
						return false, sure
					}
					return false, true
				},
				Wake: func(order.ID) {},
			})
			require.NoError(t, o.Declare(runs{"a": {"c"}, "b": {"c"}, "c": nil}.members(), func() error { return nil }))
			gate := o.Gate("motor", fsm.StateRunning, fsm.StateStopped)
			go gate.Hold("a", fsm.StateRunning)
			for range 3 {
				pass(time.Minute + time.Hour/2)
				now := time.Now()
				_, waits := gate.Hold("b", fsm.StateRunning)
				assert.True(t, waits)
				assert.Equal(t, now, time.Now())
			}
		})
	}
}

// What waits, and is not declared any more, does not start before its manager knows.
func TestWhatIsRemovedDoesNotStart(t *testing.T) {
	all, is := runs{"a": {"c"}}, map[string]order.View{"a": {Stopped: true}, "c": {Stopped: true}}
	o, waits := seenAs(t, all, is, nil)
	require.True(t, waits("a", fsm.StateRunning))
	is["a"] = order.View{Stopped: true, Waits: true}
	cannot := errors.New("cannot be removed")
	require.ErrorIs(t, o.Declare(nil, func() error {
		assert.True(t, waits("a", fsm.StateRunning), "while it is being removed")
		return cannot
	}), cannot)
	assert.True(t, waits("a", fsm.StateRunning), "nor where it cannot be")
}

// What is to stop is nothing to start after, though an earlier run has left it
// running and its manager has not seen to it.
func TestWhatIsToStopIsNotStartedAfter(t *testing.T) {
	seen := map[string]order.View{"c": {Up: true, Says: "up"}}
	for name, tt := range map[string]struct{ runs, waits bool }{"to run": {true, false}, "to stop": {false, true}} {
		all := runs{"a": {}, "c": nil}.members()
		all[is("a")] = order.Member{Needs: []order.Need{{ID: is("c"), Is: order.Running}}, Runs: true}
		all[is("c")] = order.Member{Runs: tt.runs}
		o, waits := seenAs(t, nil, seen, nil)
		require.NoError(t, o.Declare(all, func() error { return nil }))
		assert.Equal(t, tt.waits, waits("a", fsm.StateRunning), name)
		if tt.waits {
			held, _ := o.Gate("motor", fsm.StateRunning, fsm.StateStopped).Hold("a", fsm.StateRunning)
			assert.Equal(t, "waits for c to be running: it is to stop, and is up", held.Why.String())
		}
	}
}

// What ran while it was being removed, and is asked to run again, is started anew.
func TestStartAfterARemoval(t *testing.T) {
	begun, seen := map[string]bool{"a": true}, map[string]order.View{"a": {Goes: true}}
	_, waits := seenAs(t, runs{"a": {"c"}, "c": nil}, seen, begun)
	assert.True(t, waits("a", fsm.StateRunning), "it is being removed still")
	begun["a"], seen["a"] = false, order.View{Stopped: true}
	assert.True(t, waits("a", fsm.StateRunning))
}

// A process of what is being removed is none to start after.
func TestWhatIsBeingRemovedIsNotRunning(t *testing.T) {
	inHall(t, func(t *testing.T, h *hall) {
		h.motors["c"] = &motor{lingers: true}
		p, _ := newPlant(t, h)
		p.declare(t, runs{"c": nil})
		pass(5 * time.Second)
		p.declare(t, runs{})
		pass(time.Minute)
		v := order.Look(p.kinds["motor"], "c", func(*seen) (there, works bool) { return true, true })
		assert.True(t, !v.Up && !v.Ready, "%+v", v)
	})
}
