package s6

import "time"

// spell tells for how long the same thing has been so. The thing is of; the
// zero K means that nothing is so, as does the zero spell.
type spell[K comparable] struct {
	of    K
	since time.Time // zero where nothing is so
}

// note records what is so now, and reports whether that begins now. The
// beginning is the moment of the call, not the clock reading of the pass: that
// reading is from before what was seen, and a slow pass must not shorten a
// patience.
func (s *spell[K]) note(of K) (begins bool) {
	if of == s.of {
		return false
	}
	*s = spell[K]{of: of}
	var nothing K
	if of == nothing {
		return false
	}
	s.since = time.Now()
	return true
}

// lasts reports whether something is so, and has been for that long.
func (s *spell[K]) lasts(now time.Time, d time.Duration) bool {
	return !s.since.IsZero() && now.Sub(s.since) >= d
}
