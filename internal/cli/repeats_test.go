package cli

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRepeatsAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r repeats
		_, was := r.over()
		assert.False(t, was)
		begun, full, gone := time.Now(), errors.New("the disk is full"), errors.New("the disk is gone")
		var told []int
		for range 12_345 {
			if r.again(full, time.Now()) {
				told = append(told, r.times)
			}
			time.Sleep(time.Second)
		}
		assert.Equal(t, []int{1, 10, 100, 1000, 10_000}, told)
		assert.True(t, r.again(gone, time.Now()), "another one is news")
		assert.False(t, r.again(errors.New("the disk is gone"), time.Now()))
		assert.Equal(t, []any{"error", error(errors.New("the disk is gone")), "times", 12_347, "since", begun}, r.args())
		ended, was := r.over()
		require.True(t, was)
		assert.Equal(t, 12_347, ended.times)
		_, was = r.over()
		assert.False(t, was)
	})
}

// What nobody says is over, is over when it has been away.
func TestWhatWasAwayBeginsAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r repeats
		full := errors.New("the disk is full")
		assert.True(t, r.again(full, time.Now()))
		time.Sleep(quietTime)
		assert.False(t, r.again(full, time.Now()))
		time.Sleep(quietTime + time.Second)
		assert.True(t, r.again(full, time.Now()))
		assert.Equal(t, 1, r.times)
		assert.Equal(t, time.Now(), r.since)
	})
}
