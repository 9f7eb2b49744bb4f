package benthos_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/evenkeel/evenkeel/benthos"
)

// logLines are lines of Bento 1.10.0 and of Redpanda's Benthos 4.63.0, as they
// came from running them.
var logLines = []struct {
	line string
	want benthos.LogClass
}{
	{`level=info msg="Running main config from specified file" @service=benthos bento_version=v1.10.0 path=n.yaml`,
		benthos.LogClass{Level: benthos.LogLevelInfo, Kind: benthos.LogStarting, Message: "Running main config from specified file", Path: "n.yaml"}},
	{`level=info msg="Listening for HTTP requests at: http://127.0.0.1:19080" @service=benthos`,
		benthos.LogClass{Level: benthos.LogLevelInfo, Kind: benthos.LogListening, Message: "Listening for HTTP requests at: http://127.0.0.1:19080"}},
	{`level=info msg="Launching a Bento instance, use CTRL+C to close" @service=benthos`,
		benthos.LogClass{Level: benthos.LogLevelInfo, Kind: benthos.LogLaunched, Message: "Launching a Bento instance, use CTRL+C to close"}},
	{`level=info msg="Launching a Benthos instance, use CTRL+C to close" @service=benthos`,
		benthos.LogClass{Level: benthos.LogLevelInfo, Kind: benthos.LogLaunched, Message: "Launching a Benthos instance, use CTRL+C to close"}},
	{`level=info msg="Receiving HTTP messages at: http://127.0.0.1:18080/" @service=benthos label="" path=root.input`,
		benthos.LogClass{Level: benthos.LogLevelInfo, Kind: benthos.LogInputActive, Message: "Receiving HTTP messages at: http://127.0.0.1:18080/", Path: "root.input"}},
	{`level=info msg="Input type generate is now active" @service=benthos label="" path=root.input.broker.inputs.0`,
		benthos.LogClass{Level: benthos.LogLevelInfo, Kind: benthos.LogInputActive, Message: "Input type generate is now active", Path: "root.input.broker.inputs.0"}},
	{`level=info msg="Output type stdout is now active" @service=benthos label="" path=root.output`,
		benthos.LogClass{Level: benthos.LogLevelInfo, Kind: benthos.LogOutputActive, Message: "Output type stdout is now active", Path: "root.output"}},
	{`level=info msg="Serving messages through HTTP GET request at: http://127.0.0.1:18080/get" @service=benthos label="" path=root.output`,
		benthos.LogClass{Level: benthos.LogLevelInfo, Kind: benthos.LogOutputActive, Message: "Serving messages through HTTP GET request at: http://127.0.0.1:18080/get", Path: "root.output"}},
	{`level=info msg="Received SIGTERM, the service is closing" @service=benthos`,
		benthos.LogClass{Level: benthos.LogLevelInfo, Kind: benthos.LogStopping, Message: "Received SIGTERM, the service is closing"}},
	{`level=info msg="Pipeline has terminated. Shutting down the service" @service=benthos`,
		benthos.LogClass{Level: benthos.LogLevelInfo, Kind: benthos.LogFinished, Message: "Pipeline has terminated. Shutting down the service"}},
	{`level=info msg="Some components prevented forced termination as they were either blocked from delivering data or from acknowledging delivered data within the shutdown timeout. This could potentially cause duplicate messages to be delivered on the next run." @service=benthos`,
		benthos.LogClass{Level: benthos.LogLevelInfo, Kind: benthos.LogUnfinished, Message: "Some components prevented forced termination as they were either blocked from delivering data or from acknowledging delivered data within the shutdown timeout. This could potentially cause duplicate messages to be delivered on the next run."}},

	{`level=error msg="Config lint error" @service=benthos lint="lf.yaml(8,1) field bogus not recognised"`,
		benthos.LogClass{Level: benthos.LogLevelError, Kind: benthos.LogConfigRefused, Matters: true, Message: "line 8: field bogus not recognised"}},
	{`level=error msg="Shutting down due to linter errors, to prevent shutdown run Bento with --chilled" @service=benthos`,
		benthos.LogClass{Level: benthos.LogLevelError, Kind: benthos.LogConfigRefused, Matters: true, Message: "Shutting down due to linter errors, to prevent shutdown run Bento with --chilled"}},
	{`shutting down due to linter errors, to prevent shutdown run Benthos with --chilled`,
		benthos.LogClass{Level: benthos.LogLevelError, Kind: benthos.LogConfigRefused, Matters: true, Message: "shutting down due to linter errors, to prevent shutdown run Benthos with --chilled"}},
	{`Configuration file read error: multi.yaml: (7,1) unable to infer processor type from candidates: [nope]`,
		benthos.LogClass{Level: benthos.LogLevelError, Kind: benthos.LogConfigRefused, Matters: true, Message: "line 7: unable to infer processor type from candidates: [nope]"}},
	{`configuration file read error: badyaml.yaml: yaml: line 1: did not find expected ',' or '}'`,
		benthos.LogClass{Level: benthos.LogLevelError, Kind: benthos.LogConfigRefused, Matters: true, Message: "yaml: line 1: did not find expected ',' or '}'"}},
	{`Configuration file read error: nonexist.yaml: open nonexist.yaml: no such file or directory`,
		benthos.LogClass{Level: benthos.LogLevelError, Kind: benthos.LogConfigRefused, Matters: true, Message: "open nonexist.yaml: no such file or directory"}},
	{`level=error msg="Service closing due to: failed to init processor <no label> path root.pipeline.processors.0: cache resource 'nope' was not found" @service=benthos`,
		benthos.LogClass{Level: benthos.LogLevelError, Kind: benthos.LogStartFailed, Matters: true, Message: "failed to init processor <no label> path root.pipeline.processors.0: cache resource 'nope' was not found"}},
	{`service closing due to: failed to init processor <no label> path root.pipeline.processors.0: cache resource 'nope' was not found`,
		benthos.LogClass{Level: benthos.LogLevelError, Kind: benthos.LogStartFailed, Matters: true, Message: "failed to init processor <no label> path root.pipeline.processors.0: cache resource 'nope' was not found"}},

	{`level=error msg="HTTP Server error: listen tcp 127.0.0.1:19080: bind: address already in use" @service=benthos`,
		benthos.LogClass{Level: benthos.LogLevelError, Kind: benthos.LogPortInUse, Matters: true, Message: "HTTP Server error: listen tcp 127.0.0.1:19080: bind: address already in use"}},
	{`level=error msg="Server error: listen tcp 127.0.0.1:18080: bind: address already in use" @service=benthos label="" path=root.input`,
		benthos.LogClass{Level: benthos.LogLevelError, Kind: benthos.LogPortInUse, Matters: true, Message: "Server error: listen tcp 127.0.0.1:18080: bind: address already in use", Path: "root.input"}},
	{`level=error msg="Failed to connect to socket_server: listen tcp 127.0.0.1:18080: bind: address already in use" @service=benthos label="" path=root.input`,
		benthos.LogClass{Level: benthos.LogLevelError, Kind: benthos.LogPortInUse, Matters: true, Message: "Failed to connect to socket_server: listen tcp 127.0.0.1:18080: bind: address already in use", Path: "root.input"}},
	{`level=error msg="Server error: listen tcp: address nohost: missing port in address" @service=benthos label="" path=root.input`,
		benthos.LogClass{Level: benthos.LogLevelError, Kind: benthos.LogListenFailed, Matters: true, Message: "Server error: listen tcp: address nohost: missing port in address", Path: "root.input"}},
	{`level=error msg="Failed to connect to socket: dial tcp 127.0.0.1:1: connect: connection refused" @service=benthos label="" path=root.input`,
		benthos.LogClass{Level: benthos.LogLevelError, Kind: benthos.LogInputConnectionFailed, Matters: true, Message: "Failed to connect to socket: dial tcp 127.0.0.1:1: connect: connection refused", Path: "root.input"}},
	{`level=error msg="Failed to read message: open /nonexistent: no such file or directory" @service=benthos label="" path=root.input`,
		benthos.LogClass{Level: benthos.LogLevelError, Kind: benthos.LogInputFailed, Matters: true, Message: "Failed to read message: open /nonexistent: no such file or directory", Path: "root.input"}},
	{`level=error msg="Failed to connect to socket: dial tcp 127.0.0.1:1: connect: connection refused" @service=benthos label="" path=root.output.broker.outputs.1.fallback.0`,
		benthos.LogClass{Level: benthos.LogLevelError, Kind: benthos.LogOutputConnectionFailed, Matters: true, Message: "Failed to connect to socket: dial tcp 127.0.0.1:1: connect: connection refused", Path: "root.output.broker.outputs.1.fallback.0"}},
	{`level=error msg="Failed to send message to http_client: http://127.0.0.1:1/x: Post \"http://127.0.0.1:1/x\": dial tcp 127.0.0.1:1: connect: connection refused" @service=benthos label="" path=root.output`,
		benthos.LogClass{Level: benthos.LogLevelError, Kind: benthos.LogOutputFailed, Matters: true, Message: `Failed to send message to http_client: http://127.0.0.1:1/x: Post "http://127.0.0.1:1/x": dial tcp 127.0.0.1:1: connect: connection refused`, Path: "root.output"}},
	{`level=error msg="failed assignment (line 1): bad thing" @service=benthos label=foo path=root.pipeline.processors.0`,
		benthos.LogClass{Level: benthos.LogLevelError, Kind: benthos.LogProcessorFailed, Matters: true, Message: "failed assignment (line 1): bad thing", Path: "root.pipeline.processors.0", Label: "foo"}},

	{`{"@service":"benthos","bento_version":"v1.10.0","level":"info","msg":"Running main config from specified file","path":"j.yaml"}`,
		benthos.LogClass{Level: benthos.LogLevelInfo, Kind: benthos.LogStarting, Message: "Running main config from specified file", Path: "j.yaml"}},
	{`{"@service":"benthos","label":"","level":"info","msg":"Receiving HTTP messages at: http://127.0.0.1:18080/","path":"root.input"}`,
		benthos.LogClass{Level: benthos.LogLevelInfo, Kind: benthos.LogInputActive, Message: "Receiving HTTP messages at: http://127.0.0.1:18080/", Path: "root.input"}},
}

func TestClassifyLinesOfEngines(t *testing.T) {
	for _, tt := range logLines {
		assert.Equal(t, tt.want, benthos.ClassifyLine(tt.line), tt.line)
		assert.Equal(t, tt.want, benthos.ClassifyLine(tt.line+"\n"), tt.line)
	}
}

func TestClassifyOtherLines(t *testing.T) {
	tests := []struct {
		line string
		want benthos.LogClass
	}{
		// With logger.add_timestamp, and levels and messages of other engines.
		{`time="2026-01-01T00:00:00Z" level=warning msg="Connection lost, reconnecting" @service=benthos path=root.output label=out`,
			benthos.LogClass{Level: benthos.LogLevelWarn, Kind: benthos.LogOutputConnectionFailed, Matters: true, Message: "Connection lost, reconnecting", Path: "root.output", Label: "out"}},
		{`level=warn msg="Field is deprecated" @service=benthos path=root.output`,
			benthos.LogClass{Level: benthos.LogLevelWarn, Message: "Field is deprecated", Path: "root.output"}},
		{`level=warn msg="Unable to flush" @service=benthos`,
			benthos.LogClass{Level: benthos.LogLevelWarn, Matters: true, Message: "Unable to flush"}},
		{`level=error msg="Failed" @service=benthos path=root.input.processors.0`,
			benthos.LogClass{Level: benthos.LogLevelError, Kind: benthos.LogProcessorFailed, Matters: true, Message: "Failed", Path: "root.input.processors.0"}},
		{`{"@service":"x","level":"fatal","msg":"gone"}`,
			benthos.LogClass{Level: benthos.LogLevelFatal, Matters: true, Message: "gone"}},
		{`panic: runtime error: index out of range [1]`,
			benthos.LogClass{Level: benthos.LogLevelFatal, Kind: benthos.LogCrashed, Matters: true, Message: "panic: runtime error: index out of range [1]"}},
		{`fatal error: all goroutines are asleep - deadlock!`,
			benthos.LogClass{Level: benthos.LogLevelFatal, Kind: benthos.LogCrashed, Matters: true, Message: "fatal error: all goroutines are asleep - deadlock!"}},
		// Cut in the middle.
		{`level=error @service=benthos msg="Failed to conn`,
			benthos.LogClass{Level: benthos.LogLevelError, Matters: true, Message: "Failed to conn"}},
		{`level=error msg="Failed`, benthos.LogClass{}},
		// Messages that passed through the stream.
		{`{"level":"error","msg":"a message, not a log line"}`, benthos.LogClass{}},
		{`level=error msg="a message, not a log line"`, benthos.LogClass{}},
		{`{"@service":5,"level":"error"}`, benthos.LogClass{}},
		{`{"@service":"x"}`, benthos.LogClass{}},
		{`{"test":"message"}`, benthos.LogClass{}},
		{`there was an error: address already in use`, benthos.LogClass{}},
		{``, benthos.LogClass{}},
	}
	for _, tt := range tests {
		assert.Equal(t, tt.want, benthos.ClassifyLine(tt.line), tt.line)
	}
}

func TestClassifyALineOfAMegabyte(t *testing.T) {
	line := `level=error @service=benthos path=root.output msg="Failed to send ` + strings.Repeat("x", 1<<20) + `"`
	got := benthos.ClassifyLine(line)
	assert.Equal(t, benthos.LogOutputFailed, got.Kind)
	assert.True(t, got.Matters)
	assert.Less(t, len(got.Message), 20_000)
}

func TestLogNames(t *testing.T) {
	assert.Equal(t, "port in use", benthos.LogPortInUse.String())
	assert.Equal(t, "crashed", benthos.LogCrashed.String())
	assert.Equal(t, "other", benthos.LogKind(200).String())
	assert.Equal(t, "warning", benthos.LogLevelWarn.String())
	assert.Equal(t, "none", benthos.LogLevelNone.String())
}

func FuzzClassifyLine(f *testing.F) {
	for _, tt := range logLines {
		f.Add(tt.line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		c := benthos.ClassifyLine(line)
		if c.Matters && c.Level < benthos.LogLevelWarn {
			t.Fatalf("%q matters at level %s", line, c.Level)
		}
		if c.Level == benthos.LogLevelNone && c != (benthos.LogClass{}) {
			t.Fatalf("%q has no level and yet %+v", line, c)
		}
	})
}
