package clock_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/evenkeel/evenkeel/fsm/internal/clock"
)

func TestReading(t *testing.T) {
	type other struct{}
	at := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	_, ok := clock.Reading(t.Context())
	assert.False(t, ok)

	outer, cancel := context.WithTimeout(context.WithValue(t.Context(), other{}, 1), time.Hour)
	ctx := clock.At(outer, at)
	inner, done := context.WithCancel(ctx)
	defer done()
	for _, c := range []context.Context{ctx, inner, context.WithoutCancel(ctx)} {
		now, ok := clock.Reading(c)
		assert.True(t, ok)
		assert.Equal(t, at, now)
		assert.Equal(t, 1, c.Value(other{}), "what else it carries is still there")
	}
	later, _ := clock.Reading(clock.At(inner, at.Add(time.Hour)))
	assert.Equal(t, at.Add(time.Hour), later, "the inner one counts")

	deadline, ok := ctx.Deadline()
	assert.True(t, ok)
	assert.WithinDuration(t, time.Now().Add(time.Hour), deadline, time.Minute)
	cancel()
	<-inner.Done()
	assert.ErrorIs(t, inner.Err(), context.Canceled)
}

func TestAReadingIsOneAllocation(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	assert.LessOrEqual(t, testing.AllocsPerRun(100, func() {
		c := clock.At(ctx, time.Time{})
		for range 10 {
			clock.Reading(c)
		}
	}), 1.0)
}
