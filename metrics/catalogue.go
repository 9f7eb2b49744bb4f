package metrics

import (
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6"
)

// series are the samples of one metric.
type series struct {
	*prometheus.Desc
	of prometheus.ValueType
}

// sample returns a sample. Where a label is no UTF-8, what is wrong in it is left out.
func (s series) sample(value float64, labels ...string) prometheus.Metric {
	for n, label := range labels {
		labels[n] = strings.ToValidUTF8(label, "")
	}
	m, err := prometheus.NewConstMetric(s.Desc, s.of, value, labels...)
	if err != nil {
		return prometheus.NewInvalidMetric(s.Desc, err)
	}
	return m
}

// flag returns a sample that is 1 or 0.
func (s series) flag(is bool, labels ...string) prometheus.Metric {
	if is {
		return s.sample(1, labels...)
	}
	return s.sample(0, labels...)
}

// catalogue is which metrics there are.
type catalogue struct {
	all []*prometheus.Desc

	phase, info, phaseStart, settled, held, waits, rejected, backoff, overdue series // of an instance
	transitions, errors, overruns                                             series // counted of it
	refused, ticks, lateTicks                                                 series // of all
	up, processStart, starts, ends, deaths, checkFailures                     series // of its process
	ready, received, sent, writeErrors, lastMessage                           series // of its stream
}

func (c *catalogue) gauge(name, help string, labels ...string) series {
	return c.add(prometheus.GaugeValue, name, help, labels)
}

func (c *catalogue) counter(name, help string, labels ...string) series {
	return c.add(prometheus.CounterValue, name, help, labels)
}

func (c *catalogue) add(of prometheus.ValueType, name, help string, labels []string) series {
	s := series{prometheus.NewDesc(name, help, labels, nil), of}
	c.all = append(c.all, s.Desc)
	return s
}

func newCatalogue() *catalogue {
	c := &catalogue{}
	c.instances()
	c.processes()
	c.streams()
	return c
}

func (c *catalogue) instances() {
	const kind, name = "kind", "name"
	c.phase = c.gauge("evenkeel_instance_phase", "Whether the instance is in the phase: 1 for one of the phases, 0 for the others.", kind, name, "phase")
	c.info = c.gauge("evenkeel_instance_info", "State of the instance in the terms of its kind, and the one that it was asked for, empty before that. Always 1.", kind, name, "state", "desired")
	c.phaseStart = c.gauge("evenkeel_instance_phase_start_time_seconds", "When the instance entered its phase, in seconds since 1970, as far as this program knows.", kind, name)
	c.settled = c.gauge("evenkeel_instance_settled", "Whether the last pass found nothing to do.", kind, name)
	c.held = c.gauge("evenkeel_instance_held", "Whether what failed is not tried again until something changes.", kind, name)
	c.waits = c.gauge("evenkeel_instance_waiting", "Whether the instance has to wait with what is asked of it: for another one, or because it was stopped by hand.", kind, name)
	c.rejected = c.gauge("evenkeel_instance_rejected", "Whether a change of the instance was taken back, and what was before it runs.", kind, name)
	c.backoff = c.gauge("evenkeel_instance_backoff_seconds", "Time until what failed is tried again, 0 for nothing that is to be.", kind, name)
	c.overdue = c.gauge("evenkeel_instance_pass_overdue_seconds", "For how long a pass over the instance has been due, 0 while none is.", kind, name)
	c.transitions = c.counter("evenkeel_transitions_total", "Transitions of the instance into the state.", kind, name, "to")
	c.errors = c.counter("evenkeel_pass_errors_total", "Passes that failed over the instance, or over what it owns.", kind, name)
	c.overruns = c.counter("evenkeel_pass_overruns_total", "Passes over the instance that took longer than they may.", kind, name)
	c.refused = c.gauge("evenkeel_declarations_refused", "Instances whose declaration was refused; what was asked of them before goes on.", kind)
	c.ticks = c.counter("evenkeel_ticks_total", "Ticks of the loop that makes passes, of all managers together.")
	c.lateTicks = c.counter("evenkeel_late_ticks_total", "Ticks that were missed because the machine or the program was held up.")
}

func (c *catalogue) processes() {
	const kind, name = "kind", "name"
	c.up = c.gauge("evenkeel_process_up", "Whether the supervised process of the instance runs.", kind, name)
	c.processStart = c.gauge("evenkeel_process_start_time_seconds", "When the process that runs was started, in seconds since 1970.", kind, name)
	c.starts = c.counter("evenkeel_process_starts_total", "Starts of the process since its supervisor began. They outlive the program, unless s6 has more ends to keep than a hundred: they begin with 0 then.", kind, name)
	c.ends = c.counter("evenkeel_process_ends_total", "Ends of the process, asked for or not, counted as its starts.", kind, name)
	c.deaths = c.gauge("evenkeel_process_recent_deaths", "Ends of the process that nobody asked for, in the last "+s6.CrashWindow.String()+".", kind, name)
	c.checkFailures = c.gauge("evenkeel_process_check_failures", "Checks of the process that failed in a row, of one that is checked.", kind, name)
}

func (c *catalogue) streams() {
	const name = "name"
	c.ready = c.gauge("evenkeel_stream_ready", "Whether the engine of the stream says that its inputs and outputs are connected.", name)
	c.received = c.counter("evenkeel_stream_messages_received_total", "Messages that the process of the stream has received. There are none of an engine that does not count them.", name)
	c.sent = c.counter("evenkeel_stream_messages_sent_total", "Messages that the process of the stream has sent.", name)
	c.writeErrors = c.counter("evenkeel_stream_output_errors_total", "Writes of the process of the stream that failed.", name)
	c.lastMessage = c.gauge("evenkeel_stream_last_message_timestamp_seconds", "When the counters of the process last told of another message, in seconds since 1970.", name)
}

// phases are all phases.
func phases() (all []fsm.Phase) {
	for p := fsm.PhaseToBeCreated; p <= fsm.PhaseRemoved; p++ {
		all = append(all, p)
	}
	return all
}
