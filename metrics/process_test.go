package metrics_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/evenkeel/evenkeel/metrics"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

// seen is an observation with a tally of so many ends, the last at a second.
func seen(restarts, last int, up bool) s6.Observed {
	o := s6.Observed{Supervised: true, Restarts: restarts, Status: supervise.Status{Stamp: epoch}}
	if restarts > 0 {
		o.Last.Time = epoch.Add(time.Duration(last) * time.Second)
	}
	if up {
		o.Status.PID = 7
	}
	return o
}

func TestStartsAndEnds(t *testing.T) {
	unknown := s6.Observed{Restarts: 0}
	cases := map[string]struct {
		seen         []s6.Observed
		starts, ends uint64
	}{
		"nothing":                        {nil, 0, 0},
		"it runs":                        {[]s6.Observed{seen(0, 0, true)}, 1, 0},
		"it never ran":                   {[]s6.Observed{seen(0, 0, false)}, 0, 0},
		"of a program before":            {[]s6.Observed{seen(5, 9, true)}, 6, 5},
		"it ends and runs":               {[]s6.Observed{seen(0, 0, true), seen(1, 1, false), seen(1, 1, true)}, 2, 1},
		"it ended twice between two":     {[]s6.Observed{seen(0, 0, true), seen(2, 2, true)}, 3, 2},
		"its end is not told":            {[]s6.Observed{seen(0, 0, true), seen(0, 0, false)}, 1, 0},
		"nothing happens":                {[]s6.Observed{seen(2, 2, true), seen(2, 2, true)}, 3, 2},
		"more than s6 keeps":             {[]s6.Observed{seen(99, 1, true), seen(100, 2, true), seen(100, 3, true), seen(100, 4, true)}, 103, 102},
		"more than it kept":              {[]s6.Observed{seen(100, 1, true)}, 1, 0},
		"more than it kept, and another": {[]s6.Observed{seen(100, 1, true), seen(100, 2, true)}, 2, 1},
		"another supervisor":             {[]s6.Observed{seen(7, 1, true), seen(0, 0, true), seen(1, 2, true)}, 9, 8},
		"another one, not seen at first": {[]s6.Observed{seen(7, 1, true), seen(2, 3, true)}, 10, 9},
		"the tally cannot be told":       {[]s6.Observed{seen(7, 1, true), unknown, seen(7, 1, true), unknown, seen(8, 2, true)}, 9, 8},
	}
	for name, c := range cases {
		starts, ends := metrics.Counted(c.seen)
		assert.Equal(t, [2]uint64{c.starts, c.ends}, [2]uint64{starts, ends}, name)
	}
}
