package s6

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestWhatIsDueForOneThatIsToEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const patience = 10 * time.Second
		var e endings
		e.keep(1)
		due := func(pid int) escalation { return e.due(time.Now(), pid, patience) }
		assert.Equal(t, endAsk, due(1))
		assert.False(t, e.has(1))

		e.note(1)
		assert.Equal(t, endWait, due(1))
		assert.True(t, e.has(1))
		assert.Equal(t, endAsk, due(2), "another has to be asked before it is made to end")
		time.Sleep(patience - time.Nanosecond)
		e.note(2)
		assert.Equal(t, endWait, due(1))
		time.Sleep(time.Nanosecond)
		assert.Equal(t, endInsist, due(1))
		assert.Equal(t, endWait, due(2), "each has its own time")
		time.Sleep(time.Hour)
		assert.Equal(t, endInsist, due(1), "until it is gone, or told again")
		e.note(1)
		assert.Equal(t, endWait, due(1))

		e.keep(2, 3)
		assert.Equal(t, endAsk, due(1), "it is another that has its id now")
		assert.Equal(t, endInsist, due(2))
		assert.Equal(t, endAsk, due(3))
	})
}

// A process that is told at the end of a slow pass has all its time from then on.
func TestASlowPassDoesNotShortenTheTimeToEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pass := time.Now()
		time.Sleep(time.Minute)
		var e endings
		e.note(1)
		assert.Equal(t, endWait, e.due(pass, 1, time.Second))
		assert.Equal(t, endWait, e.due(time.Now(), 1, time.Second))
	})
}
