package benthos

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

// family binds a metric family to the counter that it is summed into.
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
