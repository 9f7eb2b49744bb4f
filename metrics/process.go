package metrics

import (
	"time"

	"github.com/evenkeel/evenkeel/s6"
)

// tallied is how many ends s6-supervise keeps where it is not told.
const tallied = 100

// process counts the starts and ends of one, by what s6-supervise keeps of them. It
// keeps the last hundred, and begins anew with each supervisor.
type process struct {
	seen *s6.Observed // the newest
	at   time.Time    // when

	begun    bool // a tally was seen; the last one has so many records
	restarts int
	last     time.Time // of its newest record

	starts, ends uint64
}

// see takes an observation, unless a newer one is known.
func (p *process) see(at time.Time, o *s6.Observed) {
	if at.IsZero() || p.seen != nil && !at.After(p.at) {
		return
	}
	p.seen, p.at = o, at
	if !o.Supervised || o.Status.Stamp.IsZero() {
		return // it is not known what belongs to the tally
	}
	p.ends += p.fresh(o)
	p.begun, p.restarts, p.last = true, o.Restarts, o.Last.Time
	running := uint64(0)
	if o.Status.Up() {
		running = 1
	}
	p.starts = max(p.starts, p.ends+running)
}

// fresh returns how many ends are new to it. Of a tally that is full when it is
// first seen, none is: how many there were is not known, and a counter that came back
// with less than before would count all of them again.
func (p *process) fresh(o *s6.Observed) uint64 {
	switch {
	case !p.begun && o.Restarts >= tallied:
		return 0
	case o.Restarts < p.restarts: // of another supervisor
		return uint64(o.Restarts)
	case o.Restarts == p.restarts && !o.Last.Time.Equal(p.last):
		return 1
	}
	return uint64(o.Restarts - p.restarts)
}
