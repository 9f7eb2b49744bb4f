package bench

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Run is what benchmarks have printed.
type Run struct {
	// Facts are what was said of the run and of its machine, by their keys.
	Facts map[string]string
	// Results are in the order in which their names came first.
	Results []*Result
}

// Result is a benchmark. What ran several times has several values of each figure.
type Result struct {
	// Package is where it is, from the top of the repository. Name has neither
	// "Benchmark" before nor the number of processors behind it.
	Package, Name string
	Iterations    int
	values        map[string][]float64 // by unit
	units         []string             // in the order in which they came first
}

// Value returns a figure: the median, if there are several values. ok is false where
// there is none.
func (r *Result) Value(unit string) (value float64, ok bool) {
	all := slices.Sorted(slices.Values(r.values[unit]))
	if len(all) == 0 {
		return 0, false
	}
	return all[len(all)/2], true
}

// Units returns the units of its figures, in the order in which they came.
func (r *Result) Units() []string { return slices.Clone(r.units) }

var (
	fact  = regexp.MustCompile(`^([a-z][^\s:]*):\s+(.*?)\s*$`)
	procs = regexp.MustCompile(`-\d+$`)
)

// Parse reads what go test -bench has printed: lines of benchmarks, and lines
// "key: value". All else is passed over. A benchmark that failed has no line.
func Parse(text string) (*Run, error) {
	run := &Run{Facts: make(map[string]string)}
	known := make(map[[2]string]*Result)
	for line := range strings.Lines(text) {
		if m := fact.FindStringSubmatch(line); m != nil {
			run.Facts[m[1]] = m[2]
			continue
		}
		name, rest, found := strings.Cut(line, "\t")
		name = strings.TrimSpace(name)
		short, is := strings.CutPrefix(name, "Benchmark")
		words := strings.Fields(rest)
		if !found || !is || len(words) < 3 || words[0] == "---" {
			continue
		}
		pkg := run.Facts["pkg"]
		short = procs.ReplaceAllString(short, "")
		r := known[[2]string{pkg, short}]
		if r == nil {
			r = &Result{Package: strings.TrimPrefix(pkg, module), Name: short, values: make(map[string][]float64)}
			known[[2]string{pkg, short}] = r
			run.Results = append(run.Results, r)
		}
		if err := r.read(words); err != nil {
			return nil, fmt.Errorf("cannot read %q: %w", strings.TrimSpace(line), err)
		}
	}
	delete(run.Facts, "pkg")
	return run, nil
}

// module is what the import paths of this repository begin with.
const module = "github.com/evenkeel/evenkeel/"

// read reads the figures of a line: how often it ran, and values with their units.
func (r *Result) read(words []string) (err error) {
	if r.Iterations, err = strconv.Atoi(words[0]); err != nil {
		return err
	}
	if len(words)%2 == 0 {
		return fmt.Errorf("the value %s has no unit", words[len(words)-1])
	}
	for n := 1; n < len(words); n += 2 {
		value, err := strconv.ParseFloat(words[n], 64)
		if err != nil {
			return err
		}
		unit := words[n+1]
		if _, there := r.values[unit]; !there {
			r.units = append(r.units, unit)
		}
		r.values[unit] = append(r.values[unit], value)
	}
	return nil
}

// With returns the facts whose keys begin with a word, by the rest of their keys.
func (r *Run) With(prefix string) map[string]string {
	found := make(map[string]string)
	for key, value := range r.Facts {
		if rest, is := strings.CutPrefix(key, prefix); is {
			found[rest] = value
		}
	}
	return found
}

// Where says in a sentence on what a run was made, from its facts.
func (r *Run) Where() string {
	said := func(format, key string) string {
		if r.Facts[key] == "" {
			return ""
		}
		return fmt.Sprintf(format, r.Facts[key])
	}
	return "Measured" + said(" on %s", "date") + said(", commit %s", "commit") + said(", with %s", "go") +
		said(", on %s", "cores") + said(" cores of %s", "cpu") + said(", %s", "kernel") +
		said("; load %s before", "load") + said(", %s after", "load-after") + "."
}
