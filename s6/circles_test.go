package s6_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

// Whatever is observed, as long as it stays so no service goes round in circles:
// a transition is followed by the next pass at once. A short run tries fewer.
func TestNoObservationMakesCircles(t *testing.T) {
	t.Parallel()
	table, err := s6.NewTable()
	require.NoError(t, err)
	kind := &fsm.Kind[*s6.Spec, s6.Observed]{Table: table, Decide: s6.Decide}
	circles := make(map[string]string)
	for n := range 1 << (observedBits + rareBits) {
		if (n >= 1<<observedBits || testing.Short()) && n%11 != 0 {
			continue
		}
		o, ok := observedOf(n)
		if !ok {
			continue
		}
		for _, want := range []fsm.State{s6.Running, s6.Stopped, fsm.StateRemoved} {
			for _, from := range table.States() {
				if circle := circleFrom(t, kind, from.Name, want, o); circle != "" {
					circles[string(want)+": "+circle] = fmt.Sprintf("%+v", o)
				}
			}
		}
	}
	for circle, o := range circles {
		t.Errorf("%s\nfor instance with %s", circle, o)
	}
}

// circleFrom follows decisions until one makes no transition. It returns those
// that go on for ever.
func circleFrom(t *testing.T, kind *fsm.Kind[*s6.Spec, s6.Observed], state, want fsm.State, o s6.Observed) string {
	var path []string
	for range 12 { // more than a table has states
		d := kind.Decision(fsm.Input[*s6.Spec, s6.Observed]{
			Now: now, Since: now, State: state, Desired: fsm.Desired[*s6.Spec]{State: want, Spec: plainSpec}, Observed: o,
		})
		if d.Fire == "" {
			return ""
		}
		next, ok := kind.Table.Next(state, d.Fire)
		require.True(t, ok, "%s has no %s", state, d.Fire)
		path = append(path, fmt.Sprintf("%s -> %s %v", state, next, d.Do))
		state = next
	}
	path = path[8:]
	slices.Sort(path)
	return strings.Join(slices.Compact(path), "; ")
}

const (
	observedBits = 19 // of which every combination is tried
	rareBits     = 4  // of which some are
)

// observedOf returns one of the observations that can be told apart by what is
// decided on them, unless a driver never makes it.
func observedOf(n int) (o s6.Observed, ok bool) {
	on := func(bit int) bool { return n&(1<<bit) != 0 }
	text := func(bit int, yes, no string) string {
		if on(bit) {
			return yes
		}
		return no
	}
	number := func(bit, yes int) int {
		if on(bit) {
			return yes
		}
		return 0
	}
	ago := now.Add(-time.Minute)
	o = s6.Observed{
		Exists: on(0), Linked: on(1), Watched: on(1), AskedDown: on(2), Intact: true,
		Supervised: on(3), LoggerSupervised: on(3), Lags: on(4), Told: on(5), Ended: on(6),
		ReadyRequired: on(7), Locked: on(8), Failed: on(9), StartTimeout: 30 * time.Second,
		WantHash: "wanted", WantProcess: "wanted", Started: text(10, "wanted", "another"),
		CommandProblem: text(11, "there is none", ""), StrayPID: number(12, 7), Deaths: number(13, s6.CrashLimit),
		Status: supervise.Status{WantUp: on(14), Ready: on(15), Paused: on(16), PID: number(17, 8), Stamp: ago, ReadyStamp: ago},
	}
	if o.Exists {
		o.Hash = text(18, "wanted", "another")
	}
	o.Unstarted, o.StartDue = on(21), on(22)
	o.Awaited = on(20)
	if on(19) {
		o.Left = []int{9}
	}
	if n >= 1<<observedBits && o.Up() && o.Status.WantUp && !o.Status.Paused && !o.Lags && !o.Told {
		o.Check = []s6.Checked{{}, failing, {What: failing.What, Limit: 3}, {What: failing.What, Limit: 3, Failures: 3, Restart: true, Unmade: on(10), Next: now.Add(time.Minute)}}[n/11%4]
		o.Check.Restart = o.Check.Restart || on(2)
	}
	switch {
	case (o.Awaited || o.Unstarted || o.StartDue) && (!o.Supervised || o.Status.PID != 0 || !o.Status.WantUp),
		o.Ended && (!o.Supervised || o.Locked || !o.AskedDown || !o.Told),
		o.Lags && (!o.Supervised || o.Status.PID == 0),
		o.StrayPID != 0 && (!o.Locked || o.Lags),
		o.Told && o.Status.PID == 0:
		return o, false
	}
	return o, true
}
