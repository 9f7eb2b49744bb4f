package spell

import "time"

// Spell tells for how long the same thing has been so. The thing is Of; the
// zero K means that nothing is so, as does the zero Spell.
type Spell[K comparable] struct {
	Of    K
	Since time.Time // zero where nothing is so
}

// Note records what is so now, and reports whether that begins now. The
// beginning is the moment of the call, not the clock reading of the pass: that
// reading is from before what was seen, and a slow pass must not shorten a
// patience.
func (s *Spell[K]) Note(of K) (begins bool) {
	if of == s.Of {
		return false
	}
	*s = Spell[K]{Of: of}
	var nothing K
	if of == nothing {
		return false
	}
	s.Since = time.Now()
	return true
}

// Lasts reports whether something is so, and has been for that long.
func (s *Spell[K]) Lasts(now time.Time, d time.Duration) bool {
	return !s.Since.IsZero() && now.Sub(s.Since) >= d
}
