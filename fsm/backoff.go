package fsm

import (
	"math"
	"math/rand/v2"
	"time"
)

// Backoff says how long to wait before trying again. The wait is Base after the
// first failure, doubles with each further one, and never exceeds Cap. Each
// wait is shortened by a random part of itself, at most Jitter (0 to 1), so
// that instances that failed together do not retry together. Zero fields mean
// 100 ms, 30 s and 0.2; a negative Jitter means none.
type Backoff struct {
	Base   time.Duration
	Cap    time.Duration
	Jitter float64
}

// Delay returns how long to wait after a number of failures in a row, zero
// after none.
func (b Backoff) Delay(failures int) time.Duration {
	if failures <= 0 {
		return 0
	}
	b = b.defaults()
	d := float64(b.Base) * math.Pow(2, float64(failures-1))
	d = min(d, float64(b.Cap))
	d -= d * b.Jitter * rand.Float64()
	return time.Duration(d)
}

func (b Backoff) defaults() Backoff {
	if b.Base <= 0 {
		b.Base = 100 * time.Millisecond
	}
	if b.Cap <= 0 {
		b.Cap = 30 * time.Second
	}
	switch {
	case b.Jitter == 0:
		b.Jitter = 0.2
	case b.Jitter < 0:
		b.Jitter = 0
	case b.Jitter > 1:
		b.Jitter = 1
	}
	return b
}
