package benthos_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/benthos"
)

func TestValidateNamesTheFieldAndTheProblem(t *testing.T) {
	loop := m{}
	loop["again"] = loop
	tests := []struct {
		name    string
		change  func(c *benthos.Config)
		field   string
		problem string
	}{
		{"no input", func(c *benthos.Config) { c.Input = nil }, "input", "is missing"},
		{"empty output", func(c *benthos.Config) { c.Output = m{} }, "output", "is missing"},
		{"unknown level", func(c *benthos.Config) { c.LogLevel = "LOUD" }, "log_level", `is "LOUD", not one of`},
		{"unknown metrics", func(c *benthos.Config) { c.Metrics = "statsd" }, "metrics", `is "statsd"`},
		{"an address in http", func(c *benthos.Config) { c.HTTP = m{"address": ":80"} }, "http.address", "it is made of host and metrics_port"},
		{"a password on the endpoint", func(c *benthos.Config) { c.HTTP = m{"basic_auth": m{}} }, "http.basic_auth", "only cors, debug_endpoints and read_timeout can"},
		{"another format of the log", func(c *benthos.Config) { c.Logger = m{"format": "json"} }, "logger.format", "for the log is read"},
		{"fields that are none", func(c *benthos.Config) { c.Logger = m{"static_fields": 5} }, "logger.static_fields", "is no mapping"},
		{"an unknown level in the logger", func(c *benthos.Config) { c.Logger = m{"level": "LOUD"} }, "logger.level", `is LOUD, not one of`},
		{"two levels", func(c *benthos.Config) { c.LogLevel, c.Logger = "INFO", m{"level": "INFO"} }, "logger.level", "one setting"},
		{"a mapping that is no text", func(c *benthos.Config) { c.MetricsMapping = "\xff" }, "metrics_mapping", "UTF-8"},
		{"a tracer of a channel", func(c *benthos.Config) { c.Tracer = m{"x": make(chan int)} }, "tracer.x", "Go chan int"},
		{"a resource of a channel", func(c *benthos.Config) { c.OutputResources = []map[string]any{{"x": make(chan int)}} }, "output_resources.0.x", "Go chan int"},
		{"a port twice, in a resource", func(c *benthos.Config) {
			c.InputResources = []map[string]any{{"http_server": m{"address": "localhost:8080"}}}
		}, "input_resources.0.http_server.address", "input.http_server.address listens on already"},
		{"traffic each moment", func(c *benthos.Config) { c.ExpectTraffic = time.Millisecond }, "expectTraffic", "is 1ms, and must be from 1s to 24h"},
		{"traffic less than nothing", func(c *benthos.Config) { c.ExpectTraffic = -time.Minute }, "expectTraffic", "is -1m0s, and must be from 1s to 24h"},
		{"traffic without metrics", func(c *benthos.Config) { c.ExpectTraffic, c.Metrics = time.Minute, "none" }, "expectTraffic", "cannot be told without metrics"},
		{"negative time-out", func(c *benthos.Config) { c.ShutdownTimeout = -time.Second }, "shutdown_timeout", "-1s"},
		{"host with a port", func(c *benthos.Config) { c.Host = "127.0.0.1:80" }, "host", "takes no port"},
		{"host with a blank", func(c *benthos.Config) { c.Host = "a b" }, "host", "neither"},
		{"host with an empty label", func(c *benthos.Config) { c.Host = "a..b" }, "host", "neither"},
		{"not a number", func(c *benthos.Config) { c.Buffer = m{"memory": m{"limit": math.NaN()}} }, "buffer.memory.limit", "finite"},
		{"infinite", func(c *benthos.Config) { c.Buffer = m{"a": math.Inf(-1)} }, "buffer.a", "finite"},
		{"a channel", func(c *benthos.Config) { c.Pipeline = m{"processors": []any{make(chan int)}} }, "pipeline.processors.0", "Go chan int"},
		{"a struct", func(c *benthos.Config) { c.Output["x"] = struct{}{} }, "output.x", "Go struct"},
		{"bytes", func(c *benthos.Config) { c.Output["x"] = []byte("a") }, "output.x", "Go []uint8"},
		{"a key that is no text", func(c *benthos.Config) { c.Output["x"] = map[any]any{true: 1} }, "output.x", "key true"},
		{"a nil key", func(c *benthos.Config) { c.Output["x"] = map[any]any{nil: 1} }, "output.x", "neither text"},
		{"a key twice", func(c *benthos.Config) { c.Output["x"] = map[any]any{1: 1, "1": 2} }, "output.x", `"1" twice`},
		{"broken text", func(c *benthos.Config) { c.Output["x"] = "\xff" }, "output.x", "UTF-8"},
		{"broken key", func(c *benthos.Config) { c.Output["\xff"] = 1 }, "output", "UTF-8"},
		{"endless", func(c *benthos.Config) { c.Output["x"] = loop }, "output.x", "nested deeper"},
		{"resource", func(c *benthos.Config) { c.CacheResources = []map[string]any{{}, {"ttl": math.NaN()}} }, "cache_resources.1.ttl", "finite"},
		{"address without port", func(c *benthos.Config) { c.Input = m{"http_server": m{"address": "nohost"}} }, "input.http_server.address", "not host:port"},
		{"port out of range", func(c *benthos.Config) { c.Input = m{"http_server": m{"address": ":70000"}} }, "input.http_server.address", "from 0 to 65535"},
		{"port of the endpoint", func(c *benthos.Config) { c.Input = m{"http_server": m{"address": "0.0.0.0:9080"}} }, "input.http_server.address", "metrics_port listens on already (127.0.0.1:9080)"},
		{"one port twice", func(c *benthos.Config) {
			c.Output = m{"http_server": m{"address": "localhost:8080"}}
		}, "output.http_server.address", "input.http_server.address listens on already"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := httpToStdout()
			require.NoError(t, c.Validate())
			tt.change(&c)
			err := c.Validate()
			var refused *benthos.ConfigError
			require.ErrorAs(t, err, &refused)
			found := false
			for _, p := range refused.Problems {
				if p.Field == tt.field || len(p.Field) > len(tt.field) && p.Field[:len(tt.field)] == tt.field {
					found = true
					assert.Contains(t, p.Problem, tt.problem)
				}
			}
			assert.True(t, found, "no problem with %s in %v", tt.field, err)
			_, renderErr := c.Render()
			assert.Equal(t, err, renderErr)
			assert.NotPanics(t, func() { c.Clone(); benthos.Ports(c) })
		})
	}
}

func TestValidateListsEverything(t *testing.T) {
	err := benthos.Config{LogLevel: "x", Metrics: "y"}.Validate()
	assert.EqualError(t, err, `cannot use the Benthos configuration: input is missing; `+
		`log_level is "x", not one of OFF, NONE, FATAL, ERROR, WARN, INFO, DEBUG, TRACE, ALL; `+
		`metrics is "y", neither prometheus nor none; output is missing`)
}

func TestValidateAcceptsWhatDecodersGive(t *testing.T) {
	c := httpToStdout()
	c.LogLevel, c.MetricsPort = "debug", 0
	c.Pipeline = m{
		"null": nil, "int": int8(3), "uint": uint64(math.MaxUint64), "float": float32(0.5), "list": []string{"a"},
		"maps": []map[string]any{{"a": 1}}, "keys": map[any]any{404: "x", "y": uint(1)}, "time": time.Now(),
		"array": [2]bool{true, false},
	}
	require.NoError(t, c.Validate())
	c.Input = m{"http_server": m{"address": "127.0.0.1:${PORT}"}}
	require.NoError(t, c.Validate(), "the engine fills in the port")
}
