package benthos

import "time"

// windowSlots bounds the number of samples kept: samples closer to each other
// than a window's span divided by this are merged.
const windowSlots = 128

// window turns counters that grow for as long as a process lives into what
// happened recently, so that an instance that had errors and has healed is
// healthy again. It ends at its latest sample: while there are no samples it
// stays as it is, for what was not read is neither zero nor over. It has no
// clock: times are the caller's. It keeps a bounded number of samples.
type window struct {
	span time.Duration // how far back delta looks; more than zero

	samples []windowSample // oldest first
	latest  Metrics
	process int
}

// windowSample is the sum of all increments seen up to a time. It does not
// begin again when a process restarts.
type windowSample struct {
	at    time.Time
	total [counterCount]uint64
}

// metricsDelta is what happened between two samples.
type metricsDelta struct {
	// span is the time between them: less than the window's while it fills,
	// more where samples are further apart. Zero with fewer than two samples.
	span time.Duration
	// counts holds the increments of the counters. Its connection fields hold
	// the latest values, for these are no counters.
	counts Metrics
}

// perSecond returns the rate of n, one of the counts, over the span.
func (d metricsDelta) perSecond(n uint64) float64 {
	if d.span <= 0 {
		return 0
	}
	return float64(n) / d.span.Seconds()
}

// add adds the metrics that process had at a time. The process is its PID, or
// zero if that is not known. If it is another process than before, the counters
// have started from zero. If the process is not known, one counter that has
// gone down says the same for all. A counter that goes down within one process,
// because a component was removed, counts as unchanged. One that goes down to
// zero is missing, and has the value that it had.
//
// The first sample is only a base: what an adopted process counted before it
// was first looked at does not count. Where the time is before that of the
// latest sample, the clock was set back: the samples go back with it.
func (w *window) add(at time.Time, process int, m Metrics) {
	known := process != 0 && w.process != 0
	restarted := known && process != w.process
	before, after := w.latest.families(), m.families()
	for i := range after {
		restarted = restarted || !known && *after[i].counter < *before[i].counter
	}
	s := windowSample{at: at}
	if n := len(w.samples); n > 0 {
		s.total = w.samples[n-1].total
		for i := range after {
			switch now, then := *after[i].counter, *before[i].counter; {
			case restarted:
				s.total[i] += now
			case now == 0:
				*after[i].counter = then
			case now > then:
				s.total[i] += now - then
			}
		}
		if back := w.samples[n-1].at.Sub(at); back > 0 {
			for i := range w.samples {
				w.samples[i].at = w.samples[i].at.Add(-back)
			}
		}
	}
	w.latest = m
	if process != 0 {
		w.process = process
	}
	w.keep(s)
}

// keep appends a sample and drops what no delta will ask for again. The sample
// replaces the latest one if that lies within a slot of the one before it.
func (w *window) keep(s windowSample) {
	n := len(w.samples)
	if n >= 2 && s.at.Sub(w.samples[n-2].at) < w.span/windowSlots {
		w.samples[n-1] = s
		return
	}
	base := w.base(s.at)
	w.samples = append(w.samples[:copy(w.samples, w.samples[base:])], s)
}

// base returns the index of the sample that a delta at now starts from: the
// latest one that is at least a span old, or else the oldest.
func (w *window) base(now time.Time) int {
	start := now.Add(-w.span)
	base := 0
	for i, s := range w.samples {
		if s.at.After(start) {
			break
		}
		base = i
	}
	return base
}

// delta returns what happened in the span that ends at the latest sample, as
// far as it was sampled.
func (w *window) delta() metricsDelta {
	d := metricsDelta{counts: Metrics{
		InputConnections:   w.latest.InputConnections,
		InputConnectionUp:  w.latest.InputConnectionUp,
		OutputConnections:  w.latest.OutputConnections,
		OutputConnectionUp: w.latest.OutputConnectionUp,
	}}
	if len(w.samples) == 0 {
		return d
	}
	last := w.samples[len(w.samples)-1]
	first := w.samples[w.base(last.at)]
	d.span = last.at.Sub(first.at)
	for i, f := range d.counts.families() {
		*f.counter = last.total[i] - first.total[i]
	}
	return d
}

// empty reports whether no metrics were added.
func (w *window) empty() bool { return len(w.samples) == 0 }
