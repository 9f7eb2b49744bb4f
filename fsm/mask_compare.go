package fsm

import (
	"slices"
	"strings"
)

// MaskChanged stands in the place of a secret that is not shown, and that is
// another one than before.
const MaskChanged = Mask + " (changed)"

// Masks masks what something was and what it is to be, so that the two can be
// shown beside each other: a secret that stays is Mask in both, one that changes
// becomes MaskChanged. Of what it was everything comes first. The zero Masks is
// ready; it is not for several goroutines.
type Masks struct {
	was map[[2]string][]string // texts, by their place and what was shown of them
}

// Was returns what is shown of a text that was at a place. The place is any name
// that the text keeps when others beside it come and go.
func (m *Masks) Was(place, text, masked string) string {
	if text != masked {
		if m.was == nil {
			m.was = make(map[[2]string][]string)
		}
		at := [2]string{place, masked}
		m.was[at] = append(m.was[at], text)
	}
	return masked
}

// Is returns what is shown of a text that is to be at a place.
func (m *Masks) Is(place, text, masked string) string {
	before, shown := m.was[[2]string{place, masked}]
	if text == masked || !shown || slices.Contains(before, text) {
		return masked
	}
	return strings.ReplaceAll(masked, Mask, MaskChanged)
}
