package benthos

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// linesOfEngines are lines of Bento 1.10.0 and of Redpanda's Benthos 4.63.0, as they
// came from running them.
var linesOfEngines = []struct {
	line string
	want logClass
}{
	{`level=info msg="Running main config from specified file" @service=benthos bento_version=v1.10.0 path=n.yaml`,
		logClass{level: logLevelInfo, kind: logStarting, message: "Running main config from specified file", path: "n.yaml"}},
	{`level=info msg="Listening for HTTP requests at: http://127.0.0.1:19080" @service=benthos`,
		logClass{level: logLevelInfo, kind: logListening, message: "Listening for HTTP requests at: http://127.0.0.1:19080"}},
	{`level=info msg="Launching a Bento instance, use CTRL+C to close" @service=benthos`,
		logClass{level: logLevelInfo, kind: logLaunched, message: "Launching a Bento instance, use CTRL+C to close"}},
	{`level=info msg="Launching a Benthos instance, use CTRL+C to close" @service=benthos`,
		logClass{level: logLevelInfo, kind: logLaunched, message: "Launching a Benthos instance, use CTRL+C to close"}},
	{`level=info msg="Receiving HTTP messages at: http://127.0.0.1:18080/" @service=benthos label="" path=root.input`,
		logClass{level: logLevelInfo, kind: logInputActive, message: "Receiving HTTP messages at: http://127.0.0.1:18080/", path: "root.input"}},
	{`level=info msg="Input type generate is now active" @service=benthos label="" path=root.input.broker.inputs.0`,
		logClass{level: logLevelInfo, kind: logInputActive, message: "Input type generate is now active", path: "root.input.broker.inputs.0"}},
	{`level=info msg="Output type stdout is now active" @service=benthos label="" path=root.output`,
		logClass{level: logLevelInfo, kind: logOutputActive, message: "Output type stdout is now active", path: "root.output"}},
	{`level=info msg="Serving messages through HTTP GET request at: http://127.0.0.1:18080/get" @service=benthos label="" path=root.output`,
		logClass{level: logLevelInfo, kind: logOutputActive, message: "Serving messages through HTTP GET request at: http://127.0.0.1:18080/get", path: "root.output"}},
	{`level=info msg="Received SIGTERM, the service is closing" @service=benthos`,
		logClass{level: logLevelInfo, kind: logStopping, message: "Received SIGTERM, the service is closing"}},
	{`level=info msg="Pipeline has terminated. Shutting down the service" @service=benthos`,
		logClass{level: logLevelInfo, kind: logFinished, message: "Pipeline has terminated. Shutting down the service"}},
	{`level=info msg="Some components prevented forced termination as they were either blocked from delivering data or from acknowledging delivered data within the shutdown timeout. This could potentially cause duplicate messages to be delivered on the next run." @service=benthos`,
		logClass{level: logLevelInfo, kind: logUnfinished, message: "Some components prevented forced termination as they were either blocked from delivering data or from acknowledging delivered data within the shutdown timeout. This could potentially cause duplicate messages to be delivered on the next run."}},

	{`level=error msg="Config lint error" @service=benthos lint="lf.yaml(8,1) field bogus not recognised"`,
		logClass{level: logLevelError, kind: logConfigRefused, matters: true, message: "line 8: field bogus not recognised"}},
	{`level=error msg="Shutting down due to linter errors, to prevent shutdown run Bento with --chilled" @service=benthos`,
		logClass{level: logLevelError, kind: logConfigRefused, matters: true, message: "Shutting down due to linter errors, to prevent shutdown run Bento with --chilled"}},
	{`shutting down due to linter errors, to prevent shutdown run Benthos with --chilled`,
		logClass{level: logLevelError, kind: logConfigRefused, matters: true, message: "shutting down due to linter errors, to prevent shutdown run Benthos with --chilled"}},
	{`Configuration file read error: multi.yaml: (7,1) unable to infer processor type from candidates: [nope]`,
		logClass{level: logLevelError, kind: logConfigRefused, matters: true, message: "line 7: unable to infer processor type from candidates: [nope]"}},
	{`configuration file read error: badyaml.yaml: yaml: line 1: did not find expected ',' or '}'`,
		logClass{level: logLevelError, kind: logConfigRefused, matters: true, message: "yaml: line 1: did not find expected ',' or '}'"}},
	{`Configuration file read error: nonexist.yaml: open nonexist.yaml: no such file or directory`,
		logClass{level: logLevelError, kind: logConfigRefused, matters: true, message: "open nonexist.yaml: no such file or directory"}},
	{`level=error msg="Service closing due to: failed to init processor <no label> path root.pipeline.processors.0: cache resource 'nope' was not found" @service=benthos`,
		logClass{level: logLevelError, kind: logStartFailed, matters: true, message: "failed to init processor <no label> path root.pipeline.processors.0: cache resource 'nope' was not found"}},
	{`service closing due to: failed to init processor <no label> path root.pipeline.processors.0: cache resource 'nope' was not found`,
		logClass{level: logLevelError, kind: logStartFailed, matters: true, message: "failed to init processor <no label> path root.pipeline.processors.0: cache resource 'nope' was not found"}},

	{`level=error msg="HTTP Server error: listen tcp 127.0.0.1:19080: bind: address already in use" @service=benthos`,
		logClass{level: logLevelError, kind: logPortInUse, matters: true, message: "HTTP Server error: listen tcp 127.0.0.1:19080: bind: address already in use"}},
	{`level=error msg="Server error: listen tcp 127.0.0.1:18080: bind: address already in use" @service=benthos label="" path=root.input`,
		logClass{level: logLevelError, kind: logPortInUse, matters: true, message: "Server error: listen tcp 127.0.0.1:18080: bind: address already in use", path: "root.input"}},
	{`level=error msg="Failed to connect to socket_server: listen tcp 127.0.0.1:18080: bind: address already in use" @service=benthos label="" path=root.input`,
		logClass{level: logLevelError, kind: logPortInUse, matters: true, message: "Failed to connect to socket_server: listen tcp 127.0.0.1:18080: bind: address already in use", path: "root.input"}},
	{`level=error msg="Server error: listen tcp: address nohost: missing port in address" @service=benthos label="" path=root.input`,
		logClass{level: logLevelError, kind: logListenFailed, matters: true, message: "Server error: listen tcp: address nohost: missing port in address", path: "root.input"}},
	{`level=error msg="Failed to connect to socket: dial tcp 127.0.0.1:1: connect: connection refused" @service=benthos label="" path=root.input`,
		logClass{level: logLevelError, kind: logInputConnectionFailed, matters: true, message: "Failed to connect to socket: dial tcp 127.0.0.1:1: connect: connection refused", path: "root.input"}},
	{`level=error msg="Failed to read message: open /nonexistent: no such file or directory" @service=benthos label="" path=root.input`,
		logClass{level: logLevelError, kind: logInputFailed, matters: true, message: "Failed to read message: open /nonexistent: no such file or directory", path: "root.input"}},
	{`level=error msg="Failed to connect to socket: dial tcp 127.0.0.1:1: connect: connection refused" @service=benthos label="" path=root.output.broker.outputs.1.fallback.0`,
		logClass{level: logLevelError, kind: logOutputConnectionFailed, matters: true, message: "Failed to connect to socket: dial tcp 127.0.0.1:1: connect: connection refused", path: "root.output.broker.outputs.1.fallback.0"}},
	{`level=error msg="Failed to send message to http_client: http://127.0.0.1:1/x: Post \"http://127.0.0.1:1/x\": dial tcp 127.0.0.1:1: connect: connection refused" @service=benthos label="" path=root.output`,
		logClass{level: logLevelError, kind: logOutputFailed, matters: true, message: `Failed to send message to http_client: http://127.0.0.1:1/x: Post "http://127.0.0.1:1/x": dial tcp 127.0.0.1:1: connect: connection refused`, path: "root.output"}},
	{`level=error msg="failed assignment (line 1): bad thing" @service=benthos label=foo path=root.pipeline.processors.0`,
		logClass{level: logLevelError, kind: logProcessorFailed, matters: true, message: "failed assignment (line 1): bad thing", path: "root.pipeline.processors.0", label: "foo"}},

	{`{"@service":"benthos","bento_version":"v1.10.0","level":"info","msg":"Running main config from specified file","path":"j.yaml"}`,
		logClass{level: logLevelInfo, kind: logStarting, message: "Running main config from specified file", path: "j.yaml"}},
	{`{"@service":"benthos","label":"","level":"info","msg":"Receiving HTTP messages at: http://127.0.0.1:18080/","path":"root.input"}`,
		logClass{level: logLevelInfo, kind: logInputActive, message: "Receiving HTTP messages at: http://127.0.0.1:18080/", path: "root.input"}},
}

func TestClassifyLinesOfEngines(t *testing.T) {
	for _, tt := range linesOfEngines {
		assert.Equal(t, tt.want, classifyLine(tt.line), tt.line)
		assert.Equal(t, tt.want, classifyLine(tt.line+"\n"), tt.line)
	}
}

func TestClassifyOtherLines(t *testing.T) {
	tests := []struct {
		line string
		want logClass
	}{
		// With logger.add_timestamp, and levels and messages of other engines.
		{`time="2026-01-01T00:00:00Z" level=warning msg="Connection lost, reconnecting" @service=benthos path=root.output label=out`,
			logClass{level: logLevelWarn, kind: logOutputConnectionFailed, matters: true, message: "Connection lost, reconnecting", path: "root.output", label: "out"}},
		{`level=warn msg="Field is deprecated" @service=benthos path=root.output`,
			logClass{level: logLevelWarn, message: "Field is deprecated", path: "root.output"}},
		{`level=warn msg="Unable to flush" @service=benthos`,
			logClass{level: logLevelWarn, matters: true, message: "Unable to flush"}},
		{`level=error msg="Failed" @service=benthos path=root.input.processors.0`,
			logClass{level: logLevelError, kind: logProcessorFailed, matters: true, message: "Failed", path: "root.input.processors.0"}},
		{`{"@service":"x","level":"fatal","msg":"gone"}`,
			logClass{level: logLevelFatal, matters: true, message: "gone"}},
		{`panic: runtime error: index out of range [1]`,
			logClass{level: logLevelFatal, kind: logCrashed, matters: true, message: "panic: runtime error: index out of range [1]"}},
		{`fatal error: all goroutines are asleep - deadlock!`,
			logClass{level: logLevelFatal, kind: logCrashed, matters: true, message: "fatal error: all goroutines are asleep - deadlock!"}},
		// Cut in the middle.
		{`level=error @service=benthos msg="Failed to conn`,
			logClass{level: logLevelError, matters: true, message: "Failed to conn"}},
		{`level=error msg="Failed`, logClass{}},
		// Messages that passed through the stream.
		{`{"level":"error","msg":"a message, not a log line"}`, logClass{}},
		{`level=error msg="a message, not a log line"`, logClass{}},
		{`{"@service":5,"level":"error"}`, logClass{}},
		{`{"@service":"x"}`, logClass{}},
		{`{"test":"message"}`, logClass{}},
		{`there was an error: address already in use`, logClass{}},
		{``, logClass{}},
	}
	for _, tt := range tests {
		assert.Equal(t, tt.want, classifyLine(tt.line), tt.line)
	}
}

func TestClassifyALineOfAMegabyte(t *testing.T) {
	line := `level=error @service=benthos path=root.output msg="Failed to send ` + strings.Repeat("x", 1<<20) + `"`
	got := classifyLine(line)
	assert.Equal(t, logOutputFailed, got.kind)
	assert.True(t, got.matters)
	assert.Less(t, len(got.message), 20_000)
}

func TestLogNames(t *testing.T) {
	assert.Equal(t, "port in use", logPortInUse.String())
	assert.Equal(t, "crashed", logCrashed.String())
	assert.Equal(t, "other", logKind(200).String())
}

func FuzzClassifyLine(f *testing.F) {
	for _, tt := range linesOfEngines {
		f.Add(tt.line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		c := classifyLine(line)
		if c.matters && c.level < logLevelWarn {
			t.Fatalf("%q matters at level %d", line, c.level)
		}
		if c.level == logLevelNone && c != (logClass{}) {
			t.Fatalf("%q has no level and yet %+v", line, c)
		}
	})
}

func BenchmarkClassifyLine(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		for _, tt := range linesOfEngines {
			classifyLine(tt.line)
		}
	}
}
