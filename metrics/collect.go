package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/evenkeel/evenkeel/fsm"
)

// Describe implements prometheus.Collector.
func (c *Collector) Describe(to chan<- *prometheus.Desc) {
	for _, d := range c.catalogue.all {
		to <- d
	}
	c.took.Describe(to)
	if c.umhCore != nil {
		c.umhCore.describe(to)
	}
}

// Collect implements prometheus.Collector. It waits for nobody: what it says of an
// instance is what the last pass over it has found.
func (c *Collector) Collect(to chan<- prometheus.Metric) {
	now := time.Now()
	scrape, sources, loops := c.begin()
	seen, streams, refused := make(map[key]bool), make(map[string]bool), make(map[string]int)
	var all []counted
	for _, s := range sources {
		refused[s.kind] += s.refused()
		for _, i := range s.instances() {
			if seen[i.key] {
				continue
			}
			seen[i.key] = true
			one := counted{i, c.counted(&i)}
			all = append(all, one)
			c.catalogue.instance(to, now, &one)
			c.catalogue.process(to, &one)
			if one.stream != nil && !streams[i.name] {
				streams[i.name] = true
				c.catalogue.stream(to, &one)
			}
		}
	}
	c.forget(scrape, seen)
	for kind, n := range refused {
		to <- c.catalogue.refused.sample(float64(n), kind)
	}
	var ticks, late, starved float64
	for _, l := range loops {
		t, missed := l.Ticks()
		ticks, late = ticks+float64(t), late+float64(missed)
		starved += float64(missed) * interval(l).Seconds()
	}
	to <- c.catalogue.ticks.sample(ticks)
	to <- c.catalogue.lateTicks.sample(late)
	c.took.Collect(to)
	if c.umhCore != nil {
		c.umhCore.collect(to, all, starved)
	}
}

// instance collects what every kind has.
func (c *catalogue) instance(to chan<- prometheus.Metric, now time.Time, i *counted) {
	for _, p := range phases() {
		to <- c.phase.flag(p == i.instance.phase, i.kind, i.name, p.String())
	}
	to <- c.info.sample(1, i.kind, i.name, string(i.state), string(i.desired))
	if at := i.since(&i.tally); !at.IsZero() {
		to <- c.phaseStart.sample(seconds(at), i.kind, i.name)
	}
	next, held := i.tries(&i.tally)
	to <- c.settled.flag(i.settled, i.kind, i.name)
	to <- c.held.flag(held, i.kind, i.name)
	to <- c.waits.flag(i.waits, i.kind, i.name)
	to <- c.rejected.flag(i.rejected, i.kind, i.name)
	to <- c.backoff.sample(between(now, next), i.kind, i.name)
	to <- c.overdue.sample(between(i.nextPass, now), i.kind, i.name)
	for state, n := range i.transitions {
		to <- c.transitions.sample(float64(n), i.kind, i.name, string(state))
	}
	to <- c.errors.sample(float64(i.errors()), i.kind, i.name)
	to <- c.overruns.sample(float64(i.overruns), i.kind, i.name)
}

// process collects what is known of a process of package s6, if the instance or what
// it owns is to have one.
func (c *catalogue) process(to chan<- prometheus.Metric, i *counted) {
	p := &i.tally.process
	if p.seen == nil {
		return
	}
	to <- c.up.flag(p.seen.Up(), i.kind, i.name)
	if p.seen.Up() {
		to <- c.processStart.sample(seconds(p.seen.Status.Stamp), i.kind, i.name)
	}
	to <- c.starts.sample(float64(p.starts), i.kind, i.name)
	to <- c.ends.sample(float64(p.ends), i.kind, i.name)
	to <- c.deaths.sample(float64(p.seen.Deaths), i.kind, i.name)
	if p.seen.Check.What != "" {
		to <- c.checkFailures.sample(float64(p.seen.Check.Failures), i.kind, i.name)
	}
}

// stream collects what is known of one of package benthos.
func (c *catalogue) stream(to chan<- prometheus.Metric, i *counted) {
	o := &i.tally.stream.Observed
	_, works := o.Process()
	to <- c.ready.flag(works && o.Health.Ready && o.Health.PID == o.Service.Observed.PID(), i.name)
	t := &o.Traffic
	if t.At.IsZero() {
		return
	}
	if !t.Uncounted {
		to <- c.received.sample(float64(t.InputReceived), i.name)
	}
	to <- c.sent.sample(float64(t.OutputSent), i.name)
	to <- c.writeErrors.sample(float64(t.OutputErrors), i.name)
	if !t.LastMessage.IsZero() {
		to <- c.lastMessage.sample(seconds(t.LastMessage), i.name)
	}
}

// seconds is a moment in seconds since 1970.
func seconds(at time.Time) float64 { return float64(at.UnixNano()) / float64(time.Second) }

// between is how many seconds one moment is before another, 0 where it is not, or is
// none.
func between(from, to time.Time) float64 {
	if from.IsZero() || to.IsZero() {
		return 0
	}
	return max(0, to.Sub(from).Seconds())
}

// interval is the time between the ticks of a loop.
func interval(l *fsm.Loop) time.Duration {
	if l.Tick > 0 {
		return l.Tick
	}
	return fsm.DefaultTick
}
