package bench

import (
	"math"
	"strconv"
	"strings"
)

// digits writes a value with three digits that count.
func digits(value float64) string {
	if value == 0 {
		return "0"
	}
	size := int(math.Floor(math.Log10(math.Abs(value)))) + 1
	return strconv.FormatFloat(value, 'f', max(0, min(3-size, 4)), 64)
}

// duration writes nanoseconds.
func duration(ns float64) string {
	switch {
	case ns < 1e3:
		return digits(ns) + " ns"
	case ns < 1e6:
		return digits(ns/1e3) + " µs"
	case ns < 1e9:
		return digits(ns/1e6) + " ms"
	}
	return digits(ns/1e9) + " s"
}

// figure writes a value of a unit.
func figure(value float64, unit string) string {
	switch {
	case unit == "ns/op":
		return duration(value)
	case unit == "ms" || strings.HasSuffix(unit, "-ms"):
		return duration(value * 1e6)
	case strings.HasSuffix(unit, "%core"):
		return digits(value) + " %"
	case unit == "MB":
		return digits(value) + " MB"
	case value == math.Trunc(value):
		return strconv.FormatFloat(value, 'f', 0, 64)
	}
	return digits(value)
}
