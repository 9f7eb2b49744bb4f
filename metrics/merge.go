package metrics

import (
	"maps"
	"slices"
	"strings"

	dto "github.com/prometheus/client_model/go"
)

const (
	// instanceLabel says of which stream a sample is, clashPrefix what is put before
	// a label of the engine's own that has that name: Prometheus does the same.
	instanceLabel = "instance"
	clashPrefix   = "exported_"
	// ownPrefix is that of the metrics of this package. An engine has none.
	ownPrefix = "evenkeel_"
)

// merged are the families of many engines.
type merged map[string]*dto.MetricFamily

// add adds the families of the named stream's engine, which are the merged ones' from
// then on. It returns how many samples were left out: those of names that are this
// package's, and those of a type or with a name that cannot stand beside those of
// another engine.
func (m merged) add(stream string, families map[string]*dto.MetricFamily) (left int) {
	for _, name := range slices.Sorted(maps.Keys(families)) {
		f := families[name]
		first := m[name]
		if strings.HasPrefix(name, ownPrefix) || m.clashes(f) || first != nil && !agree(first, f) {
			left += len(f.Metric)
			continue
		}
		for _, series := range f.Metric {
			label(series, stream)
		}
		if first == nil {
			m[name] = f
			continue
		}
		first.Metric = append(first.Metric, f.Metric...)
	}
	return left
}

// clashes reports whether samples of a family have the name of samples of another: x
// has samples x_sum and the like if it is a histogram or a summary.
func (m merged) clashes(f *dto.MetricFamily) bool {
	for _, suffix := range []string{"_bucket", "_count", "_sum"} {
		if m[f.GetName()+suffix] != nil && !isNumber(f) {
			return true
		}
		base, has := strings.CutSuffix(f.GetName(), suffix)
		if other := m[base]; has && other != nil && !isNumber(other) {
			return true
		}
	}
	return false
}

// agree reports whether two families can be one, and makes them so: what is a number
// with both is one without a type where they have different ones.
func agree(a, b *dto.MetricFamily) bool {
	if a.GetType() == b.GetType() {
		return true
	}
	if !isNumber(a) || !isNumber(b) {
		return false
	}
	untype(a)
	untype(b)
	return true
}

func isNumber(f *dto.MetricFamily) bool {
	switch f.GetType() {
	case dto.MetricType_COUNTER, dto.MetricType_GAUGE, dto.MetricType_UNTYPED:
		return true
	}
	return false
}

func untype(f *dto.MetricFamily) {
	for _, series := range f.Metric {
		var value float64
		switch {
		case series.Counter != nil:
			value = series.Counter.GetValue()
		case series.Gauge != nil:
			value = series.Gauge.GetValue()
		default:
			continue
		}
		series.Counter, series.Gauge, series.Untyped = nil, nil, &dto.Untyped{Value: &value}
	}
	f.Type = dto.MetricType_UNTYPED.Enum()
}

// label adds the label that says of which stream a series is. One of that name is
// kept under another.
func label(series *dto.Metric, stream string) {
	has := func(name string) *dto.LabelPair {
		at := slices.IndexFunc(series.Label, func(l *dto.LabelPair) bool { return l.GetName() == name })
		if at < 0 {
			return nil
		}
		return series.Label[at]
	}
	if clash := has(instanceLabel); clash != nil {
		name := clashPrefix + instanceLabel
		for has(name) != nil {
			name = clashPrefix + name
		}
		clash.Name = &name
	}
	name := instanceLabel
	series.Label = append(series.Label, &dto.LabelPair{Name: &name, Value: &stream})
}

// sorted returns all families in the order of their names.
func (m merged) sorted() []*dto.MetricFamily {
	all := make([]*dto.MetricFamily, 0, len(m))
	for _, name := range slices.Sorted(maps.Keys(m)) {
		all = append(all, m[name])
	}
	return all
}
