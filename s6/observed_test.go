package s6

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// What waits to begin, or another is to replace, is there and does not work.
func TestProcess(t *testing.T) {
	for what, test := range map[string]struct {
		change       func(*Observed)
		there, works bool
	}{
		"it runs":            {func(*Observed) {}, true, true},
		"none":               {func(o *Observed) { o.Status.PID = 0 }, false, false},
		"no supervisor":      {func(o *Observed) { o.Supervised = false }, false, false},
		"a pause":            {func(o *Observed) { o.Waits = time.Now() }, true, false},
		"a pause slept away": {func(o *Observed) { o.Overslept = true }, true, false},
		"before a change":    {func(o *Observed) { o.Started, o.WantProcess = "a", "b" }, true, false},
		"told to end":        {func(o *Observed) { o.Told = true }, true, false},
		"without its lock":   {func(o *Observed) { o.Unlocked = true }, true, false},
		"a lagging status":   {func(o *Observed) { o.Lags = true }, true, false},
	} {
		o := Observed{Supervised: true}
		o.Status.PID = 7
		test.change(&o)
		there, works := o.Process()
		assert.Equal(t, [2]bool{test.there, test.works}, [2]bool{there, works}, what)
	}
}

func TestWithin(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for ago, want := range map[time.Duration]bool{
		0:                       true,
		999 * time.Millisecond:  true,
		time.Second:             false,
		time.Hour:               false,
		-time.Millisecond:       true, // newer than the pass's clock reading
		-999 * time.Millisecond: true,
		-time.Second:            false, // the clock was set back
		-time.Hour:              false,
	} {
		assert.Equal(t, want, within(now, now.Add(-ago), time.Second), "%v ago", ago)
	}
}
