package top

import (
	"math"
	"strings"
)

// minute is how many samples a series keeps, of which one is taken each second.
const minute = 60

// series is a figure of the last minute. The zero series has no samples.
type series struct {
	values [minute]float64 // the n-th sample is at n modulo minute; NaN where it is missing
	taken  int             // how many samples were taken in all
}

// add takes a sample, NaN where there is none.
func (s *series) add(value float64) {
	s.values[s.taken%minute] = value
	s.taken++
}

// bars draws the series in so many cells, the newest to the right: each is as high as
// the mean of its samples, against the highest. Where all samples are missing it is
// blank. Which samples share a cell does not change as long as they are drawn, so that
// nothing flickers. levels are from zero to the highest.
func (s *series) bars(cells int, levels []rune) string {
	if cells <= 0 {
		return ""
	}
	each := (minute + cells - 1) / cells
	newest := (s.taken - 1 + each) / each // cells are counted from one
	means := make([]float64, cells)
	highest := 0.0
	for n := range means {
		means[n] = s.mean((newest-cells+n)*each, each)
		if means[n] > highest { // false where it is missing
			highest = means[n]
		}
	}
	var b strings.Builder
	for _, mean := range means {
		b.WriteRune(level(mean, highest, levels))
	}
	return b.String()
}

// mean returns the mean of so many samples from one on, NaN where all are missing.
func (s *series) mean(from, count int) float64 {
	sum, found := 0.0, 0
	for n := max(from, 0, s.taken-minute); n < min(from+count, s.taken); n++ {
		if value := s.values[n%minute]; !math.IsNaN(value) {
			sum += value
			found++
		}
	}
	if found == 0 {
		return math.NaN()
	}
	return sum / float64(found)
}

// level returns how a value is drawn: zero is the lowest, and nothing else is.
func level(value, highest float64, levels []rune) rune {
	switch {
	case math.IsNaN(value):
		return ' '
	case value <= 0 || highest <= 0:
		return levels[0]
	}
	top := len(levels) - 1
	return levels[min(top, 1+int(value/highest*float64(top-1)+0.5))]
}
