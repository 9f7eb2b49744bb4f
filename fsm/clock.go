package fsm

import (
	"context"
	"time"

	"github.com/evenkeel/evenkeel/fsm/internal/clock"
)

// Now returns the clock reading of the pass that ctx belongs to. It is the same
// for everything that a driver does in that pass, and for the passes over what
// the driver owns. Outside of passes Now reads the clock.
//
// The reading is from the beginning of the pass, so what others write down
// during the pass may be newer. Read the clock itself for a moment from which
// something is given time: a slow pass would shorten that time.
func Now(ctx context.Context) time.Time {
	if now, ok := clock.Reading(ctx); ok {
		return now
	}
	return time.Now()
}

// inPass returns the clock reading of a pass, and the context that carries it.
// A pass over an owned instance has the reading of its owner's pass, which ctx
// then carries.
func inPass(ctx context.Context) (context.Context, time.Time) {
	if now, ok := clock.Reading(ctx); ok {
		return ctx, now
	}
	now := time.Now()
	return clock.At(ctx, now), now
}
