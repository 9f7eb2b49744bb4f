package simulate

import "testing"

// Shrink returns the result of a smaller plan that fails by the same check, and
// how many plans it has tried, at most tries. It drops ever smaller parts of
// the plan as long as what is left fails.
func Shrink(t *testing.T, failed Result, tries int) (smallest Result, tried int) {
	smallest = failed
	for part := (len(failed.Plan.Actions) + 1) / 2; part > 0; {
		dropped := false
		for at := 0; at < len(smallest.Plan.Actions) && tried < tries; {
			var drop []int
			for n := at; n < min(at+part, len(smallest.Plan.Actions)); n++ {
				drop = append(drop, n)
			}
			tried++
			r := Run(t, smallest.Plan.without(drop))
			if r.Violation != nil && r.Violation.Check == failed.Violation.Check {
				smallest, dropped = r, true
			} else {
				at += part
			}
		}
		if tried >= tries {
			break
		}
		if !dropped || part > len(smallest.Plan.Actions) {
			part /= 2
		}
	}
	return smallest, tried
}
