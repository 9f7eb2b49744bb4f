package metrics

import (
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6"
)

// What UMH Core calls the parts of itself, as far as they are here.
const (
	umhService   = "s6_instance"
	umhStream    = "benthos_instance"
	umhFlow      = "dataflow_component_instance"
	umhLoop      = "control_loop" // whose instance is main
	umhMain      = "main"
	umhOther     = "_instance" // after the kind
	streamPrefix = "benthos-"  // of the service of a stream
	flowPrefix   = "dataflow-" // of the stream of a flow
)

// umhCatalogue is what UMH Core serves: github.com/united-manufacturing-hub/
// united-manufacturing-hub, umh-core/pkg/metrics.
type umhCatalogue struct {
	errors, current, desired, starved series
	took                              *prometheus.Desc
}

func newUMHCatalogue() *umhCatalogue {
	labels := []string{"component", "instance"}
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(name, help+" As UMH Core has it.", labels, nil)
	}
	return &umhCatalogue{
		errors:  series{desc("umh_core_errors_total", "Passes that failed.", labels...), prometheus.CounterValue},
		current: series{desc("umh_core_service_current_state", "State: 0 stopped, 1 starting, 2 running, 3 active, 4 idle, 5 degraded, -1 another.", labels...), prometheus.GaugeValue},
		desired: series{desc("umh_core_service_desired_state", "State that was asked for, in the same numbers.", labels...), prometheus.GaugeValue},
		starved: series{desc("umh_core_reconcile_starved_total_seconds", "Time of the ticks that were missed."), prometheus.CounterValue},
		took:    desc("umh_core_reconcile_duration_milliseconds", "How long passes took.", labels...),
	}
}

func (u *umhCatalogue) describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{u.errors.Desc, u.current.Desc, u.desired.Desc, u.starved.Desc, u.took} {
		to <- d
	}
}

// umhPart is an instance as UMH Core has it: a stream there is one of several kinds.
type umhPart struct {
	key            // component and instance
	state, desired fsm.State
	passes         passes
}

// collect collects what UMH Core would say of the same instances. Where two of them
// have one name there, the first is shown.
func (u *umhCatalogue) collect(to chan<- prometheus.Metric, all []counted, starved float64) {
	names := make(map[string]bool)
	for n := range all {
		if all[n].kind == benthos.KindName {
			names[all[n].name] = true
		}
	}
	seen, main := make(map[key]bool), passes{}
	for n := range all {
		if own := all[n].passes[all[n].kind]; own != nil {
			main.add(own)
		}
		for _, part := range umhParts(&all[n], names) {
			if seen[part.key] {
				continue
			}
			seen[part.key] = true
			to <- u.current.sample(umhState(part.state), part.kind, part.name)
			to <- u.desired.sample(umhState(part.desired), part.kind, part.name)
			u.passes(to, part.key, &part.passes)
		}
	}
	u.passes(to, key{umhLoop, umhMain}, &main)
	to <- u.starved.sample(starved)
}

func (u *umhCatalogue) passes(to chan<- prometheus.Metric, k key, p *passes) {
	to <- u.errors.sample(float64(p.errors), k.kind, k.name)
	m, err := prometheus.NewConstHistogram(u.took, p.took.count, p.took.sum, p.took.buckets(), k.kind, k.name)
	if err != nil {
		m = prometheus.NewInvalidMetric(u.took, err)
	}
	to <- m
}

// umhParts returns what an instance is there. The name of a stream there is that of
// its service without the prefix, and that of a flow the name of its stream without
// another; streams are the names of all streams here, of which none is to be taken
// for another one.
func umhParts(i *counted, streams map[string]bool) (parts []umhPart) {
	part := func(component, name string, state, desired fsm.State, kind string) {
		p := umhPart{key: key{component, name}, state: state, desired: desired}
		if made := i.passes[kind]; made != nil {
			p.passes = *made
		}
		parts = append(parts, p)
	}
	switch i.kind {
	case s6.KindName:
		part(umhService, i.name, i.state, i.desired, s6.KindName)
	case benthos.KindName:
		name, prefixed := strings.CutPrefix(i.name, streamPrefix)
		if !prefixed || streams[name] {
			name = i.name
		}
		part(umhStream, name, i.state, i.desired, benthos.KindName)
		if flow, is := strings.CutPrefix(name, flowPrefix); is && prefixed {
			part(umhFlow, flow, i.state, i.desired, benthos.KindName)
		}
		if s := i.tally.service; s != nil {
			part(umhService, i.name, s.State, s.Desired.State, s6.KindName)
		}
	default:
		part(strings.ToValidUTF8(i.kind, "")+umhOther, i.name, i.state, i.desired, i.kind)
	}
	return parts
}

// umhState returns the number of a state, as UMH Core has it. Those that it does not
// know are what a dashboard would call them: what is to run and does not is degraded.
func umhState(s fsm.State) float64 {
	switch s {
	case fsm.StateStopped, s6.StateDone:
		return 0
	case fsm.StateStarting:
		return 1
	case fsm.StateRunning:
		return 2
	case benthos.StateActive:
		return 3
	case benthos.StateIdle:
		return 4
	case fsm.StateDegraded, s6.StateBackingOff, s6.StateFailed:
		return 5
	}
	return -1
}

// add adds the passes of another.
func (p *passes) add(other *passes) {
	p.errors += other.errors
	p.took.count += other.took.count
	p.took.sum += other.took.sum
	for n, within := range other.took.within {
		p.took.within[n] += within
	}
}
