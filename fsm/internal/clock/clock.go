package clock

import (
	"context"
	"time"
)

// pass is the context of a pass.
type pass struct {
	context.Context
	now time.Time
}

// key is the key of a reading in a context.
type key struct{}

// Value implements context.Context.
func (p *pass) Value(k any) any {
	if k == (key{}) {
		return &p.now // a pointer, which costs no allocation
	}
	return p.Context.Value(k)
}

// At returns the context of a pass that has this clock reading.
func At(ctx context.Context, now time.Time) context.Context { return &pass{ctx, now} }

// Reading returns the clock reading of the pass whose context ctx is or is made
// from, if it is one's.
func Reading(ctx context.Context) (now time.Time, ok bool) {
	at, ok := ctx.Value(key{}).(*time.Time)
	if !ok {
		return time.Time{}, false
	}
	return *at, true
}
