package bench

import (
	"fmt"
	"slices"
	"strings"
)

// Yardstick is the benchmark that all others of a run are held against which have no
// baseline of their own: a file of a kilobyte is read.
const Yardstick = "Yardstick"

// OwnTable returns the project's own benchmarks, each beside a baseline of the same
// run: the one that it has among its own, by the name "baseline", otherwise the
// yardstick. Figures that a benchmark reports itself are listed as they are.
func OwnTable(r *Run) (string, error) {
	at := slices.IndexFunc(r.Results, func(one *Result) bool { return one.Name == Yardstick })
	if at < 0 {
		return "", fmt.Errorf("cannot hold the benchmarks against anything: there is no Benchmark%s among them", Yardstick)
	}
	yard, _ := r.Results[at].Value("ns/op")
	t := table{head: []string{"benchmark", "time", "of a read", "of its baseline", "its own figures"}}
	for _, one := range r.Results {
		row := []string{strings.TrimPrefix(one.Package+": ", ": ") + one.Name, "", "", "", ""}
		if ns, _ := one.Value("ns/op"); ns > 0 {
			row[1], row[2] = duration(ns), digits(ns/yard)+" ×"
			if base, ok := r.baseline(one); ok {
				row[3] = digits(ns/base) + " ×"
			}
		}
		row[4] = strings.Join(one.reported(), ", ")
		t.rows = append(t.rows, row)
	}
	return t.String(), nil
}

// baseline returns the time of a benchmark's own baseline: one beside it, or beside
// what it is part of, whose name begins with "baseline".
func (r *Run) baseline(of *Result) (ns float64, ok bool) {
	for parent := of.Name; strings.Contains(parent, "/"); {
		parent = parent[:strings.LastIndex(parent, "/")]
		for _, one := range r.Results {
			if one != of && one.Package == of.Package && strings.HasPrefix(one.Name, parent+"/baseline") {
				return one.Value("ns/op")
			}
		}
	}
	return 0, false
}

// reported returns the figures that a benchmark reports itself.
func (r *Result) reported() (all []string) {
	for _, unit := range r.units {
		if !slices.Contains([]string{"ns/op", "B/op", "allocs/op", "MB/s"}, unit) {
			value, _ := r.Value(unit)
			all = append(all, digits(value)+" "+unit)
		}
	}
	return all
}
