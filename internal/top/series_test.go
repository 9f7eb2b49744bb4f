package top

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestBars(t *testing.T) {
	levels := []rune("_12345")
	none := math.NaN()
	repeated := func(value float64, times int) (all []float64) {
		for range times {
			all = append(all, value)
		}
		return all
	}
	for _, c := range []struct {
		name    string
		samples []float64
		cells   int
		want    string
	}{
		{"nothing yet", nil, 6, "      "},
		{"no room", []float64{1}, 0, ""},
		{"one", []float64{7}, 6, "     5"},
		{"zero is no more than that", repeated(0, 60), 6, "______"},
		{"little is more than zero", append(repeated(1000, 50), repeated(0.001, 10)...), 6, "555551"},
		{"what is missing is not zero", append(append(repeated(5, 20), repeated(none, 20)...), repeated(0, 20)...), 6, "55  __"},
		{"the mean of what is there", []float64{none, 3, none, 5, 1}, 60, "                                                        3 52"},
		{"what is older than a minute is gone", append(repeated(1000, 60), repeated(5, 60)...), 6, "555555"},
		{"what is older is not what is newest", append(repeated(0, 60), 1000, 1000, 1000), 7, "______5"},
		{"it rises", []float64{0, 1, 2, 3, 4}, 60, "                                                       _2345"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var s series
			for _, value := range c.samples {
				s.add(value)
			}
			assert.Equal(t, c.want, s.bars(c.cells, levels))
		})
	}
}

// TestBarsDoNotFlicker: a sample stays in its cell, and cells move together.
func TestBarsDoNotFlicker(t *testing.T) {
	var s series
	for n := range 60 {
		s.add(float64(n / 10 % 2)) // what a cell of ten holds is all the same
	}
	last := s.bars(6, []rune("_#"))
	assert.Equal(t, "_#_#_#", last)
	for n := 60; n < 200; n++ {
		s.add(float64(n / 10 % 2))
		drawn := s.bars(6, []rune("_#"))
		if n%10 == 0 {
			assert.NotEqual(t, last, drawn)
		} else {
			assert.Equal(t, last, drawn)
		}
		last = drawn
	}
}

func TestRate(t *testing.T) {
	for each, want := range map[float64]string{
		-1: "-", 0: "0.0", 0.04: "0.0", 12.34: "12.3", 999.9: "999.9", 999.96: "1.0k", 1234: "1.2k", 99949: "99.9k", 99960: "100k", 999400: "999k",
		999600: "1.0M", 15e6: "15.0M", 3e9: "3.0G", 1e15: "a lot",
	} {
		assert.Equal(t, want, rate(each), "%v", each)
		assert.LessOrEqual(t, len(rate(each)), rateCells)
	}
	assert.Equal(t, "-", rate(math.NaN()))
}
