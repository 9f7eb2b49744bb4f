package conform

import (
	"fmt"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/s6/s6test"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

// A service that never was ready begins again a second after its death.
func restartDelay(s *stage) {
	a := s.serve("a", silent, nil, "su", "up, wanted")
	a.runs()
	a.Pause(1100*time.Millisecond, "it has run for long")
	a.tell("k")
	a.shows("dDu", "up, wanted, after signal 9 (killed)")
	assert.GreaterOrEqual(s.t, a.status().Stamp.Sub(a.lastDeath()), time.Second)
	// It is told to begin at once.
	a.Eventually("it begins sooner", func() error {
		a.runs()
		a.tell("k")
		a.Eventually("it is down", func() error {
			if s := a.status(); s.Up() {
				return fmt.Errorf("it is up")
			}
			return nil
		})
		a.tell("u")
		a.Eventually("it is up", a.up)
		if d := a.status().Stamp.Sub(a.lastDeath()); d >= time.Second {
			return fmt.Errorf("it took %v", d)
		}
		return nil
	})
}

// The pause is after the finish script. What is told to be up while that runs makes
// the pause all the same, and what is told afterwards begins at once. It does nothing
// to what is up.
func pauseAfterFinish(s *stage) {
	a := s.serve("a", s6test.Program{ReadyAfter: s6test.Never, FinishFor: visible}, map[string]string{"finish": finish}, "su", "up, wanted")
	const last = ", after signal 9 (killed)"
	finishes := func() {
		a.runs()
		a.tell("k")
		a.shows("d", "finishing, wanted"+last)
	}
	finishes()
	a.tell("u")
	a.shows("Du", "up, wanted"+last)
	assert.GreaterOrEqual(s.t, a.status().Stamp.Sub(a.lastDeath()), visible+time.Second)
	begun := a.status().PID
	a.tell("u")
	a.stays(20*time.Millisecond, "up, wanted"+last)
	assert.Equal(s.t, begun, a.status().PID)
	a.Eventually("it begins sooner", func() error {
		finishes()
		a.Eventually("its finish script is done", func() error {
			if s := a.status(); s.Finishing {
				return fmt.Errorf("it is %s", words(s))
			}
			return nil
		})
		if status := a.status(); status.PID == 0 {
			assert.Equal(s.t, a.lastDeath(), status.Stamp, "when it went down")
		}
		a.tell("u")
		a.shows("Du", "up, wanted"+last)
		if d := a.status().Stamp.Sub(a.lastDeath()); d >= visible+time.Second {
			return fmt.Errorf("it took %v", d)
		}
		return nil
	})
}

func (a *actor) lastDeath() time.Time {
	a.t.Helper()
	all, err := supervise.ReadTally(a.FS(), a.dir)
	require.NoError(a.t, err)
	require.NotEmpty(a.t, all)
	return all[len(all)-1].Time
}

func noRestartDelay(s *stage) {
	a := s.serve("a", s6test.Program{}, map[string]string{"notification-fd": ready}, "suU", "up, wanted, ready")
	a.Eventually("it begins sooner than after a second", func() error {
		a.runs()
		a.Pause(1100*time.Millisecond, "it is ready for a second")
		died := a.status().PID
		a.tell("k")
		a.Eventually("another is ready", func() error {
			if s := a.status(); !s.Up() || !s.Ready || s.PID == died {
				return fmt.Errorf("it is %s", words(s))
			}
			return nil
		})
		if d := a.status().Stamp.Sub(a.lastDeath()); d >= time.Second {
			return fmt.Errorf("it took %v", d)
		}
		return nil
	})
}

func someRestartDelay(s *stage) {
	a := s.serve("a", s6test.Program{}, map[string]string{"notification-fd": ready}, "suU", "up, wanted, ready")
	first := a.status()
	a.runs()
	a.tell("k")
	a.shows("dDuU", "up, wanted, ready, after signal 9 (killed)")
	assert.GreaterOrEqual(s.t, a.status().Stamp.Sub(first.ReadyStamp), 990*time.Millisecond)
}
