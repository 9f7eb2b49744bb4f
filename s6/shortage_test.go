package s6

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

// Of two processes that one shortage has ended, and are seen one after the other,
// both are told of it; one that is killed later is not.
func TestShortageIsToldOfAllThatItEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s shortages
		begin := time.Now()
		look := func(count uint64) (int, time.Duration) {
			ended, since := s.look(time.Now(), count)
			return ended, since.Sub(begin)
		}
		expect := func(count uint64, ended int, since time.Duration) {
			t.Helper()
			got, from := look(count)
			assert.Equal(t, ended, got)
			assert.Equal(t, since, from)
		}
		expect(7, 0, 0)
		time.Sleep(time.Minute)
		expect(9, 2, 0)
		time.Sleep(shortageLag - 1)
		expect(9, 2, 0)
		time.Sleep(shortageLag)
		expect(9, 0, time.Minute+shortageLag-1)
		expect(10, 1, time.Minute+shortageLag-1)
		expect(3, 0, time.Since(begin))
	})
}
