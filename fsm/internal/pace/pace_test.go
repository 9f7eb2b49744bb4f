package pace_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm/internal/pace"
)

const s = time.Second

var (
	errBroken = errors.New("broken")
	start     = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	rule      = pace.Rule{
		Delay:   func(failures int) time.Duration { return time.Duration(failures) * s },
		Resync:  10 * s,
		Rest:    300 * s,
		Recheck: s / 10,
	}
	switchOn = pace.NewAttempt(1, "off", []string{"switch on", "look"}, "lit", "it is off", "seen at 1")
)

func TestNewAttempt(t *testing.T) {
	assert.Equal(t, pace.Attempt{
		Generation: 1, State: "off", Action: "switch on", Event: "lit", Summary: "it is off", Evidence: "seen at 1",
	}, switchOn)
	assert.Empty(t, pace.NewAttempt(1, "off", []string(nil), "", "", "").Action)
}

func TestWhenTheNextPassIsDue(t *testing.T) {
	tests := []struct {
		name string
		o    pace.Outcome
		want time.Duration
	}{
		{"nothing to do", pace.Outcome{Decided: true}, 10 * s},
		{"what happens is heard", pace.Outcome{Decided: true, Heard: true}, 300 * s},
		{"what happens is heard, left alone for a while", pace.Outcome{Decided: true, Heard: true, After: 3 * s}, 3 * s},
		{"what happens is heard, and it failed", pace.Outcome{Decided: true, Heard: true, Err: errBroken}, s},
		{"left alone for a while", pace.Outcome{Decided: true, After: 3 * s}, 3 * s},
		{"left alone for longer than the resync", pace.Outcome{Decided: true, After: time.Hour}, 10 * s},
		{"after an action", pace.Outcome{Decided: true, Acted: true}, s / 10},
		{"after an action, left alone for a while", pace.Outcome{Decided: true, Acted: true, After: 3 * s}, 3 * s},
		{"after a transition", pace.Outcome{Decided: true, Fired: true, After: 3 * s}, 0},
		{"something owned is due", pace.Outcome{Decided: true, Owned: start.Add(2 * s)}, 2 * s},
		{"something owned is due later", pace.Outcome{Decided: true, Owned: start.Add(time.Hour)}, 10 * s},
		{"it could not be observed", pace.Outcome{Err: errBroken}, s},
		{"an action failed", pace.Outcome{Decided: true, Acted: true, After: s / 2, Attempt: switchOn, Err: errBroken}, s},
		{"an action failed for good", pace.Outcome{Decided: true, Acted: true, Attempt: switchOn, Err: errBroken, Permanent: true}, s},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var m pace.Memory
			assert.Equal(t, start.Add(tt.want), m.Conclude(start, rule, tt.o).Next)
		})
	}
}

func TestWhatFailedWaits(t *testing.T) {
	change := func(f func(*pace.Attempt)) pace.Attempt {
		a := switchOn
		f(&a)
		return a
	}
	tests := []struct {
		name        string
		then        pace.Attempt
		soon, later bool // put off after an ordinary failure, half a second and an hour after it
		heldLater   bool // and an hour after a permanent one
	}{
		{"the same", switchOn, true, false, true},
		{"other evidence", change(func(a *pace.Attempt) { a.Evidence = "seen at 2" }), true, false, false},
		{"another reason", change(func(a *pace.Attempt) { a.Summary = "it burned out" }), false, false, false},
		{"another action", change(func(a *pace.Attempt) { a.Action = "look" }), false, false, false},
		{"another event", change(func(a *pace.Attempt) { a.Event = "burned" }), false, false, false},
		{"another state", change(func(a *pace.Attempt) { a.State = "broken" }), false, false, false},
		{"another declaration", change(func(a *pace.Attempt) { a.Generation = 2 }), false, false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, permanent := range []bool{false, true} {
				var m pace.Memory
				m.Conclude(start, rule, pace.Outcome{Decided: true, Attempt: switchOn, Err: errBroken, Permanent: permanent})
				assert.Equal(t, tt.soon, m.Waits(start.Add(s/2), tt.then), "soon, permanent %v", permanent)
				want := tt.later
				if permanent {
					want = tt.heldLater
				}
				assert.Equal(t, want, m.Waits(start.Add(time.Hour), tt.then), "later, permanent %v", permanent)
			}
		})
	}
}

func TestFailuresAreCounted(t *testing.T) {
	var m pace.Memory
	failed := pace.Outcome{Decided: true, Attempt: switchOn, Err: errBroken}
	m.Conclude(start, rule, failed)
	v := m.Conclude(start.Add(s), rule, failed)
	assert.Equal(t, pace.Verdict{Next: start.Add(3 * s), Err: errBroken, Failures: 2, Failing: start, NextTry: start.Add(3 * s)}, v)

	v = m.Conclude(start.Add(2*s), rule, pace.Outcome{Decided: true, Attempt: switchOn, PutOff: true})
	assert.Equal(t, pace.Verdict{Next: start.Add(3 * s), Err: errBroken, Failures: 2, Failing: start, NextTry: start.Add(3 * s)}, v,
		"a pass that leaves it alone changes nothing")

	v = m.Conclude(start.Add(2*s), rule, pace.Outcome{Err: errors.New("cannot look")})
	assert.Equal(t, 1, v.Failures, "that looking fails is counted apart")
	assert.Equal(t, start.Add(2*s), v.Failing)
	v = m.Conclude(start.Add(3*s), rule, failed)
	assert.Equal(t, 3, v.Failures)
	assert.Equal(t, start, v.Failing)

	v = m.Conclude(start.Add(4*s), rule, pace.Outcome{Decided: true})
	assert.Equal(t, pace.Verdict{Next: start.Add(14 * s)}, v, "what succeeded is forgotten")
	assert.False(t, m.Waits(start.Add(4*s), switchOn))
}

func TestHeldHasNoNextTry(t *testing.T) {
	var m pace.Memory
	v := m.Conclude(start, rule, pace.Outcome{Decided: true, Attempt: switchOn, Err: errBroken, Permanent: true})
	assert.Equal(t, pace.Verdict{Next: start.Add(s), Err: errBroken, Failures: 1, Failing: start, Held: true}, v)
	v = m.Conclude(start.Add(2*s), rule, pace.Outcome{Decided: true, Attempt: switchOn, PutOff: true})
	assert.Equal(t, start.Add(12*s), v.Next, "it goes on being observed")
	assert.True(t, v.Held)
}

// TestTurns: those that are looked at in the same interval are not looked at all at
// once, though they begin together and after whatever has happened meanwhile.
func TestTurns(t *testing.T) {
	const instances = 3000
	for _, every := range []time.Duration{s / 2, 5 * s, 300 * s} {
		at := make(map[time.Duration]int)
		for n := range instances {
			r := rule
			r.Resync, r.Turn = every, pace.TurnOf(fmt.Sprint("instance-", n))
			now := start.Add(time.Duration(n) * s / 1000)
			for pass := range 3 {
				var m pace.Memory
				next := m.Conclude(now, r, pace.Outcome{Decided: true}).Next
				if pass > 0 {
					require.Equal(t, every, next.Sub(now), "its turn comes once in the interval")
				}
				require.True(t, next.After(now) && !next.After(now.Add(every)))
				now = next
			}
			at[now.Sub(start)%every]++
		}
		most := 0
		for _, n := range at {
			most = max(most, n)
		}
		turns := min(30, int(every/(s/10)))
		assert.Len(t, at, turns)
		assert.LessOrEqual(t, most, 2*instances/turns, "they are spread evenly")
	}
}

// TestTurnsOfOneName: the moment depends on the name alone.
func TestTurnsOfOneName(t *testing.T) {
	r := rule
	r.Turn = pace.TurnOf("a")
	var m, other pace.Memory
	assert.Equal(t, m.Conclude(start, r, pace.Outcome{Decided: true}).Next, other.Conclude(start, r, pace.Outcome{Decided: true}).Next)
	assert.Equal(t, r.Turn, pace.TurnOf("a"))
	assert.NotEqual(t, r.Turn, pace.TurnOf("b"))
}
