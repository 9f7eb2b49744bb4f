package benthos

import (
	"bytes"
	"errors"
	"fmt"
	"math"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// Metrics are the counters of one Benthos process since it started, under the
// names of its Prometheus text. Each is the sum over all components of the
// stream that have it: a message that goes to two outputs counts as two sent. A
// counter that the engine does not serve is zero.
type Metrics struct {
	InputReceived         uint64 // input_received: messages
	InputConnectionFailed uint64 // input_connection_failed
	InputConnectionLost   uint64 // input_connection_lost
	// InputUncounted: the engine does not serve input_received, and nothing can be
	// told by InputReceived.
	InputUncounted bool

	OutputSent             uint64 // output_sent: messages
	OutputBatchSent        uint64 // output_batch_sent: batches
	OutputError            uint64 // output_error: batches that failed to be sent
	OutputConnectionFailed uint64 // output_connection_failed
	OutputConnectionLost   uint64 // output_connection_lost

	ProcessorReceived      uint64 // processor_received: messages
	ProcessorBatchReceived uint64 // processor_batch_received: batches
	ProcessorSent          uint64 // processor_sent: messages
	ProcessorBatchSent     uint64 // processor_batch_sent: batches
	ProcessorError         uint64 // processor_error: messages

	BufferReceived uint64 // buffer_received: messages
	BufferSent     uint64 // buffer_sent: messages

	// InputConnections is the number of inputs that report whether they are
	// connected, InputConnectionUp the number of those that are. Inputs that
	// serve, such as http_server, do not report it.
	InputConnections, InputConnectionUp uint64
	// OutputConnections and OutputConnectionUp are the same for outputs.
	OutputConnections, OutputConnectionUp uint64
}

var errNoCounters = errors.New("cannot read the metrics: no counter of Benthos is among them")

// parseMetrics reads Prometheus text. It skips families and labels that it does
// not know. Values that are not counts (negative, NaN) count as zero. Other
// text, and text without any of the counters, is an error.
func parseMetrics(text []byte) (Metrics, error) {
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(relevant(text)))
	if err != nil {
		return Metrics{}, fmt.Errorf("cannot read the metrics: %w", err)
	}
	if len(families) == 0 {
		return Metrics{}, errNoCounters
	}
	var m Metrics
	for _, c := range m.families() {
		*c.counter = sum(families[c.name])
	}
	m.InputUncounted = families["input_received"] == nil
	m.InputConnections, m.InputConnectionUp = connections(families["input_connection_up"])
	m.OutputConnections, m.OutputConnectionUp = connections(families["output_connection_up"])
	return m, nil
}

// relevant drops the lines of families that are not looked at, because the
// parser is the expensive part of a health poll. It keeps all other lines: the
// parser refuses what is not of the format.
func relevant(text []byte) []byte {
	var m Metrics
	families := m.families()
	kept := make([]byte, 0, len(text))
	for line := range bytes.Lines(text) {
		name := familyName(line)
		known := string(name) == "input_connection_up" || string(name) == "output_connection_up"
		for i := range families {
			known = known || string(name) == families[i].name
		}
		if known || len(name) == 0 {
			kept = append(kept, line...)
		}
	}
	return kept
}

// familyName returns the name of the family of a sample, or of the comment
// before one; nothing for any other line.
func familyName(line []byte) []byte {
	for _, comment := range [...]string{"# TYPE ", "# HELP "} {
		line = bytes.TrimPrefix(line, []byte(comment))
	}
	end := 0
	for end < len(line) && isNameByte(line[end], end == 0) {
		end++
	}
	if end == len(line) || line[end] != ' ' && line[end] != '{' {
		return nil
	}
	return line[:end]
}

// isNameByte reports whether b can stand in the name of a family, at its
// beginning or after it.
func isNameByte(b byte, first bool) bool {
	return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b == '_' || b == ':' || !first && b >= '0' && b <= '9'
}

// family binds a metric family to the counter it is summed into.
type family struct {
	name    string
	counter *uint64
}

// counterCount is the number of counters of Metrics.
const counterCount = 15

func (m *Metrics) families() [counterCount]family {
	return [counterCount]family{
		{"input_received", &m.InputReceived},
		{"input_connection_failed", &m.InputConnectionFailed},
		{"input_connection_lost", &m.InputConnectionLost},
		{"output_sent", &m.OutputSent},
		{"output_batch_sent", &m.OutputBatchSent},
		{"output_error", &m.OutputError},
		{"output_connection_failed", &m.OutputConnectionFailed},
		{"output_connection_lost", &m.OutputConnectionLost},
		{"processor_received", &m.ProcessorReceived},
		{"processor_batch_received", &m.ProcessorBatchReceived},
		{"processor_sent", &m.ProcessorSent},
		{"processor_batch_sent", &m.ProcessorBatchSent},
		{"processor_error", &m.ProcessorError},
		{"buffer_received", &m.BufferReceived},
		{"buffer_sent", &m.BufferSent},
	}
}

func sum(f *dto.MetricFamily) uint64 {
	var total uint64
	for _, series := range f.GetMetric() {
		n := count(series)
		if total > math.MaxUint64-n {
			return math.MaxUint64
		}
		total += n
	}
	return total
}

// connections returns the number of series and of those that are not zero.
func connections(f *dto.MetricFamily) (all, up uint64) {
	for _, series := range f.GetMetric() {
		all++
		if count(series) > 0 {
			up++
		}
	}
	return all, up
}

// count returns the value of a series as a whole number. Bento calls
// connection_up a counter although it also goes down, so every simple type is
// read the same way.
func count(series *dto.Metric) uint64 {
	var v float64
	switch {
	case series.Counter != nil:
		v = series.Counter.GetValue()
	case series.Gauge != nil:
		v = series.Gauge.GetValue()
	case series.Untyped != nil:
		v = series.Untyped.GetValue()
	}
	switch {
	case !(v > 0): // NaN too
		return 0
	case v >= math.MaxUint64:
		return math.MaxUint64
	default:
		return uint64(v)
	}
}
