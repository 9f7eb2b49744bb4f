package benthos

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// TestHush: for how long no message has come in, as far as counters tell.
func TestHush(t *testing.T) {
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	unserved := Metrics{InputUncounted: true}
	received := func(n uint64) Metrics { return Metrics{InputReceived: n} }
	var h hush
	for _, step := range []struct {
		name  string
		after time.Duration // from the start
		pid   int
		m     Metrics
		quiet time.Duration // -1 where that is not known
		said  bool          // a message has come in since it is counted
	}{
		{"not served", 0, 1, unserved, -1, false},
		{"still not", time.Second, 1, unserved, -1, false},
		{"what an adopted process had counted is no message", 2 * time.Second, 1, received(5), 0, false},
		{"none", 12 * time.Second, 1, received(5), 10 * time.Second, false},
		{"one", 13 * time.Second, 1, received(6), 0, true},
		{"none", 20 * time.Second, 1, received(6), 7 * time.Second, true},
		{"the counter is missing", 21 * time.Second, 1, received(0), 8 * time.Second, true},
		{"it is back", 22 * time.Second, 1, received(6), 9 * time.Second, true},
		{"it is not served, and what it said stands", 40 * time.Second, 1, unserved, 9 * time.Second, true},
		{"it is back, and has not moved", 41 * time.Second, 1, received(6), 28 * time.Second, true},
		{"a part of it is gone", 42 * time.Second, 1, received(2), 29 * time.Second, true},
		{"and then one came", 43 * time.Second, 1, received(3), 0, true},
		{"another process begins anew", time.Minute, 2, received(0), 0, false},
		{"and has none", 90 * time.Second, 2, received(0), 30 * time.Second, false},
		{"and one", 91 * time.Second, 2, received(1), 0, true},
		{"a third does not serve it", 95 * time.Second, 3, unserved, -1, false},
	} {
		h.count(start.Add(step.after), step.pid, step.m)
		if step.quiet < 0 {
			assert.Zero(t, h.began, step.name)
			assert.True(t, h.uncounted, step.name)
			continue
		}
		assert.Equal(t, step.quiet, h.quiet(), step.name)
		assert.Equal(t, step.said, !h.message.IsZero(), step.name)
		assert.Equal(t, step.m.InputUncounted, h.uncounted, step.name)
	}
}

func TestWhatIsSaidOfExpectedTraffic(t *testing.T) {
	began := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	quiet := func(d time.Duration) Observed {
		return Observed{Traffic: Traffic{Began: began, LastMessage: began, Quiet: d}}
	}
	but := func(o Observed, change func(o *Observed)) Observed { change(&o); return o }
	for name, test := range map[string]struct {
		o               Observed
		expected        time.Duration
		silent, unknown string
	}{
		"none is expected": {o: quiet(time.Hour)},
		"one came":         {o: quiet(time.Minute), expected: 5 * time.Minute},
		"none came": {o: quiet(5*time.Minute + 12300*time.Millisecond), expected: 5 * time.Minute,
			silent: "no message for 5m12s, where one is expected each 5m"},
		"none came, and its log says why": {
			o:        but(quiet(2*time.Hour), func(o *Observed) { o.LogProblem = "no route to host" }),
			expected: 90 * time.Minute, silent: "no message for 2h0m0s, where one is expected each 1h30m: no route to host",
		},
		"none came, and then it could not be told": {
			o:        but(quiet(2*time.Second), func(o *Observed) { o.Health.MetricsProblem = "the answer is too long" }),
			expected: time.Second, silent: "no message for 2s, where one is expected each 1s, and since then it cannot be told: the answer is too long",
			unknown: "it cannot be told whether messages come in, where one is expected each 1s: the answer is too long",
		},
		"it is not served": {
			o: Observed{Traffic: Traffic{Uncounted: true}}, expected: time.Minute,
			unknown: "it cannot be told whether messages come in, where one is expected each 1m: the engine does not serve input_received",
		},
		"there are no metrics": {
			o: Observed{Health: Health{MetricsProblem: ErrNoMetrics.Error()}}, expected: time.Hour,
			unknown: "it cannot be told whether messages come in, where one is expected each 1h: the engine serves no /metrics",
		},
		"they have not been read yet": {expected: time.Minute},
		"none yet": {
			o:        but(quiet(30*time.Second), func(o *Observed) { o.Traffic.LastMessage = time.Time{} }),
			expected: time.Minute, unknown: "no message yet, where one is expected each 1m: counted since 2026-01-02T03:04:05Z",
		},
	} {
		t.Run(name, func(t *testing.T) {
			r, is := test.o.silent(test.expected)
			assert.Equal(t, test.silent, r.String())
			assert.Equal(t, test.silent != "", is)
			assert.Equal(t, test.unknown, test.o.unheard(test.expected).String())
		})
	}
}
