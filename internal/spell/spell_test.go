package spell

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestSpell(t *testing.T) {
	steps := []struct {
		name   string
		of     int
		begins bool
		since  time.Duration // after the start; 0 for nothing
		lasts  bool          // for two seconds
	}{
		{"nothing", 0, false, 0, false},
		{"begins", 1, true, 2 * time.Second, false},
		{"goes on", 1, false, 2 * time.Second, false},
		{"lasts", 1, false, 2 * time.Second, true},
		{"lasts longer", 1, false, 2 * time.Second, true},
		{"another in its place", 2, true, 6 * time.Second, false},
		{"the first again", 1, true, 7 * time.Second, false},
		{"nothing again", 0, false, 0, false},
		{"still nothing", 0, false, 0, false},
		{"begins once more", 1, true, 10 * time.Second, false},
	}
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var s Spell[int]
		for _, step := range steps {
			time.Sleep(time.Second)
			assert.Equal(t, step.begins, s.Note(step.of), step.name)
			assert.Equal(t, step.of, s.Of, step.name)
			assert.Equal(t, step.lasts, s.Lasts(time.Now(), 2*time.Second), step.name)
			if step.since == 0 {
				assert.Zero(t, s.Since, step.name)
			} else {
				assert.Equal(t, start.Add(step.since), s.Since, step.name)
			}
		}
	})
}

// A pass that is slow begins to see something late. What it sees has not lasted
// since the pass began.
func TestSpellBeginsWhenItIsSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pass := time.Now()
		time.Sleep(time.Minute)
		var s Spell[bool]
		s.Note(true)
		assert.False(t, s.Lasts(pass, time.Second))
		assert.False(t, s.Lasts(time.Now(), time.Second), "it has only just begun")
		time.Sleep(time.Second)
		assert.True(t, s.Lasts(time.Now(), time.Second))
	})
}
