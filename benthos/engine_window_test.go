package benthos

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestWindowKeepsABoundedNumberOfSamples(t *testing.T) {
	for _, interval := range []time.Duration{time.Millisecond, 90 * time.Millisecond, time.Second, time.Hour} {
		w := MetricsWindow{Span: 10 * time.Second}
		most := 0
		for i := range 20_000 {
			w.Add(time.Unix(0, 0).Add(time.Duration(i)*interval), 7, Metrics{InputReceived: uint64(i)})
			most = max(most, len(w.samples))
		}
		assert.LessOrEqual(t, most, 2*windowSlots+3, "one sample every %s", interval)
	}
}
