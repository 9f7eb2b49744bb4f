package s6_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/s6test"
)

// TestLimitThatIsNotRaisedIsNamed: what s6-svscan has no room for is refused,
// and the limit is named. What runs stays.
func TestLimitThatIsNotRaisedIsNamed(t *testing.T) {
	inBubble(t, s6test.Config{MaxServices: 6}, func(t *testing.T, tree *s6test.Tree) {
		p := start(t, tree)
		p.wants(running("m", "n"))
		all := running("a", "b", "c", "d", "e", "m", "n")
		err := p.Apply(t.Context(), all)
		assert.ErrorIs(t, err, s6.ErrRoom)
		assert.EqualError(t, err, "refused \"d\": there is no room for it: s6-svscan takes 6 services: set MaxServices\n"+
			"refused \"e\": there is no room for it: s6-svscan takes 6 services: set MaxServices")
		for _, name := range []string{"a", "b", "c", "m", "n"} {
			require.NoError(t, p.Wait(t.Context(), name, fsm.PhaseRunning))
		}
		assert.ErrorIs(t, p.Set(t.Context(), "f", all["a"]), s6.ErrRoom)
		require.NoError(t, p.Set(t.Context(), "a", desired{State: s6.Stopped, Spec: all["a"].Spec}), "it has its room")

		// What is not listed any more makes room.
		p.wants(running("v", "w", "x", "y", "z"))
		pass(10 * time.Second)
		assert.Equal(t, []string{"v", "w", "x", "y", "z"}, slices.Sorted(maps.Keys(pids(t, tree))))
		p.stop()
	})
}

// TestLimitsOfAnScan reads the limit from the command lines of all versions.
func TestLimitsOfAnScan(t *testing.T) {
	old, middle, new := "[ -c maxservices ] [ -t timeout ]", "[ -c services_max | -C services_max ]", "[ -C services_max ]"
	for _, test := range []struct {
		usage string
		args  []string
		name  string
		each  int
	}{
		{old, []string{"/scan"}, "500 services (without the option -c)", 1},
		{old, []string{"-c", "1000", "/scan"}, "1000 services (-c)", 1},
		{old, []string{"-t1000", "-c1000", "/scan"}, "1000 services (-c)", 1},
		{old, []string{"-t", "-c", "/scan"}, "500 services (without the option -c)", 1},
		{middle, []string{"-d4", "--", "/scan"}, "1000 services and loggers (without the option -C)", 2},
		{middle, []string{"-c", "700"}, "700 services (-c)", 1},
		{middle, []string{"-sC700", "/scan"}, "700 services and loggers (-C)", 2},
		{new, []string{"-C", "700", "/scan"}, "700 services and loggers (-C)", 2},
		{new, []string{"--", "-C", "700"}, "1000 services and loggers (without the option -C)", 2},
		{new, []string{"-C", "many"}, "1000 services and loggers (without the option -C)", 2},
		{new, []string{"-C"}, "1000 services and loggers (without the option -C)", 2},
	} {
		limit, raised := s6.ServicesLimit(append([]string{"s6-svscan"}, test.args...), test.usage)
		assert.Equal(t, test.name, limit.Name, test.args)
		assert.Equal(t, test.each, limit.PerService+limit.PerLogger, test.args)
		want := []string{"-C", "20000"}
		if test.usage == old {
			want = []string{"-c", "10000"}
		}
		assert.Equal(t, want, raised)
		// What it is started with is understood.
		limit, _ = s6.ServicesLimit(append([]string{"s6-svscan"}, raised...), test.usage)
		assert.Equal(t, 10000, limit.Most/(limit.PerService+limit.PerLogger), fmt.Sprint(raised))
	}
}
