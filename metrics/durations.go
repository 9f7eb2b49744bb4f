package metrics

import "time"

// bounds are those of UMH Core's buckets, in milliseconds.
var bounds = [...]float64{1, 2, 5, 10, 20, 50, 90, 100, 200, 500, 1000}

// durations are how long passes took.
type durations struct {
	within [len(bounds)]uint64 // by the bound that they did not exceed, and none below
	count  uint64
	sum    float64 // milliseconds
}

func (d *durations) note(took time.Duration) {
	ms := float64(took) / float64(time.Millisecond)
	d.count++
	d.sum += ms
	for n, bound := range bounds {
		if ms <= bound {
			d.within[n]++
			return
		}
	}
}

// buckets returns how many took no longer than each bound.
func (d *durations) buckets() map[float64]uint64 {
	all := make(map[float64]uint64, len(bounds))
	var below uint64
	for n, bound := range bounds {
		below += d.within[n]
		all[bound] = below
	}
	return all
}
