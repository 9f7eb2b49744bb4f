package fsm

import (
	"context"
	"time"

	"github.com/evenkeel/evenkeel/fsm/internal/clock"
)

// Now returns the clock reading of the pass whose context ctx is or is made from.
// It is the same for all that a driver does in that pass, passes over what the
// driver owns included. Outside of passes Now reads the clock.
//
// The reading is from the beginning of the pass. What others write down during the
// pass may be newer. A moment from which somebody is given some time is better
// read when it comes: a slow pass would shorten that time.
func Now(ctx context.Context) time.Time {
	if now, ok := clock.Reading(ctx); ok {
		return now
	}
	return time.Now()
}

// inPass returns the clock reading of a pass, and the context that carries it:
// those of ctx where that is of a pass itself, over what owns this one's instance.
func inPass(ctx context.Context) (context.Context, time.Time) {
	if now, ok := clock.Reading(ctx); ok {
		return ctx, now
	}
	now := time.Now()
	return clock.At(ctx, now), now
}
