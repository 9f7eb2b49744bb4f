package s6

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

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
