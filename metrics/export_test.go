package metrics

import (
	"bytes"
	"maps"
	"slices"
	"time"

	"github.com/prometheus/common/expfmt"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6"
)

// Kept returns of how many instances something is counted.
func Kept(c *Collector) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.tallies)
}

// Counted returns what is counted by observations that come one after the other, each
// of which is seen twice, and again after the next one.
func Counted(seen []s6.Observed) (starts, ends uint64) {
	var p process
	for n := range seen {
		for range 2 {
			p.see(time.Unix(int64(n)+1, 0), &seen[n])
		}
		if n > 0 {
			p.see(time.Unix(int64(n), 0), &seen[n-1])
		}
	}
	return p.starts, p.ends
}

// UMHState returns the number of a state.
func UMHState(s fsm.State) float64 { return umhState(s) }

// Buckets returns how many passes took no longer than each bound.
func Buckets(took ...time.Duration) map[float64]uint64 {
	var d durations
	for _, t := range took {
		d.note(t)
	}
	return d.buckets()
}

// EngineOf returns the address at which the engine of a stream is asked, empty for none,
// and whether it is to answer.
func EngineOf(s *fsm.Snapshot[*benthos.Config, benthos.Observed]) (addr string, is bool) {
	e, is := engineOf(s)
	return e.addr, is
}

// Page returns the page of engines at addresses, by their streams.
func Page(s *Streams, at map[string]string) string {
	var engines []engine
	for _, name := range slices.Sorted(maps.Keys(at)) {
		engines = append(engines, engine{name, at[name]})
	}
	var out bytes.Buffer
	for _, f := range page(s.askAll(engines)) {
		if _, err := expfmt.MetricFamilyToText(&out, f); err != nil {
			return err.Error()
		}
	}
	return out.String()
}
