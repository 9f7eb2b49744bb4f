package runner

import (
	"slices"

	"github.com/evenkeel/evenkeel/config"
)

// Wanted is what is to be kept.
type Wanted struct {
	*config.Declaration
	// Held are instances that are not declared, and stay as they are.
	Held []config.Key
	// Leaving are those that are declared still, and about to be removed: what they
	// depend on is not to stop before.
	Leaving []config.Key
	// Stays: what is not listed stays as it is, too.
	Stays bool
	// Early: new streams are created while the engine is asked whether it takes them.
	// One that it refuses is removed.
	Early bool

	unclear bool // it is not known what all of the files say
}

// stays reports whether an instance that is not listed stays as it is.
func (w Wanted) stays(key config.Key) bool { return w.Stays || slices.Contains(w.Held, key) }
