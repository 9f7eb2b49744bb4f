package benthos

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWindowKeepsABoundedNumberOfSamples(t *testing.T) {
	for _, interval := range []time.Duration{time.Millisecond, 90 * time.Millisecond, time.Second, time.Hour} {
		w := window{span: 10 * time.Second}
		most := 0
		for i := range 20_000 {
			w.add(time.Unix(0, 0).Add(time.Duration(i)*interval), 7, Metrics{InputReceived: uint64(i)})
			most = max(most, len(w.samples))
		}
		assert.LessOrEqual(t, most, 2*windowSlots+3, "one sample every %s", interval)
	}
}

// at is a time by seconds on a clock that starts anywhere.
func at(seconds float64) time.Time {
	return time.Unix(1_700_000_000, 0).Add(time.Duration(seconds * float64(time.Second)))
}

func errorsAt(n uint64) Metrics { return Metrics{OutputError: n} }

func TestWindowForgetsWhatIsOver(t *testing.T) {
	w := window{span: 10 * time.Second}
	assert.Zero(t, w.delta())
	w.add(at(0), 7, errorsAt(5))
	assert.Zero(t, w.delta().counts.OutputError, "what was counted before the first look is no news")
	w.add(at(1), 7, errorsAt(8))
	for s := 2.0; s <= 30; s++ {
		w.add(at(s), 7, errorsAt(8))
		want := uint64(3)
		if s >= 11 {
			want = 0
		}
		assert.Equal(t, want, w.delta().counts.OutputError, "after %v s", s)
	}
	assert.Equal(t, 10*time.Second, w.delta().span)
}

func TestWindowWithoutNewSamplesStaysAsItIs(t *testing.T) {
	w := window{span: time.Minute}
	assert.True(t, w.empty())
	w.add(at(0), 7, errorsAt(0))
	w.add(at(30), 7, errorsAt(9))
	assert.EqualValues(t, 9, w.delta().counts.OutputError)
	w.add(at(5000), 7, errorsAt(11))
	assert.EqualValues(t, 2, w.delta().counts.OutputError, "it is not known when in the gap they were")
	w.add(at(5030), 7, errorsAt(11))
	assert.EqualValues(t, 2, w.delta().counts.OutputError)
	w.add(at(5060), 7, errorsAt(11))
	assert.Zero(t, w.delta().counts.OutputError)
}

func TestWindowOverRestarts(t *testing.T) {
	tests := []struct {
		name      string
		processes [3]int
		counts    [3]uint64
		want      uint64
	}{
		{"same process", [3]int{7, 7, 7}, [3]uint64{5, 6, 8}, 3},
		{"new process counts from zero", [3]int{7, 7, 8}, [3]uint64{5, 6, 2}, 3},
		{"new process that got further", [3]int{7, 7, 8}, [3]uint64{5, 6, 9}, 10},
		{"unknown process, counter gone down", [3]int{0, 0, 0}, [3]uint64{5, 6, 2}, 3},
		{"process became known", [3]int{0, 7, 7}, [3]uint64{5, 6, 8}, 3},
		{"a component was removed", [3]int{7, 7, 7}, [3]uint64{5, 2, 3}, 1},
		{"a counter that is missing is not zero", [3]int{7, 7, 7}, [3]uint64{5, 0, 6}, 1},
		{"a new process has counted nothing yet", [3]int{7, 8, 8}, [3]uint64{5, 0, 6}, 6},
	}
	for _, tt := range tests {
		w := window{span: time.Minute}
		for i, n := range tt.counts {
			w.add(at(float64(i)), tt.processes[i], errorsAt(n))
		}
		assert.Equal(t, tt.want, w.delta().counts.OutputError, tt.name)
	}
}

func TestWindowWhenTheClockIsSetBack(t *testing.T) {
	w := window{span: time.Minute}
	w.add(at(1000), 7, errorsAt(0))
	w.add(at(1001), 7, errorsAt(4))
	w.add(at(5), 7, errorsAt(5))
	assert.EqualValues(t, 5, w.delta().counts.OutputError, "what was seen to fail did fail")
	w.add(at(66), 7, errorsAt(5))
	w.add(at(67), 7, errorsAt(6))
	assert.EqualValues(t, 1, w.delta().counts.OutputError)
}

func TestWindowRates(t *testing.T) {
	w := window{span: time.Minute}
	w.add(at(0), 7, Metrics{InputConnections: 2})
	assert.Zero(t, w.delta().perSecond(5))
	w.add(at(4), 7, Metrics{InputReceived: 10, InputConnections: 2, InputConnectionUp: 1})
	d := w.delta()
	assert.InDelta(t, 2.5, d.perSecond(d.counts.InputReceived), 1e-9)
	assert.Equal(t, Metrics{InputReceived: 10, InputConnections: 2, InputConnectionUp: 1}, d.counts)
}

// TestWindowAgainstEverySample compares the window, which merges and drops
// samples, with one that keeps all of them.
func TestWindowAgainstEverySample(t *testing.T) {
	const span, step = 10.0, 0.01
	w := window{span: span * 1e9}
	var total uint64
	counts := map[int]uint64{}
	for i := range 5000 {
		if i%700 < 50 {
			total += uint64(i % 7)
		}
		counts[i] = total
		w.add(at(float64(i)*step), 7, errorsAt(total))
		d := w.delta()
		slot := int(d.span.Seconds()/step + 0.5)
		require.Equal(t, counts[i]-counts[i-slot], d.counts.OutputError, "sample %d", i)
		if i > 1000 {
			require.InDelta(t, span, d.span.Seconds(), 2*span/128, "sample %d", i)
		}
	}
}
