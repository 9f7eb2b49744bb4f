package benthos_test

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"github.com/evenkeel/evenkeel/benthos"
)

func TestConfigJSONRoundTrips(t *testing.T) {
	const text = `
input: {generate: {interval: 1s, mapping: 'root = "a < b"', count: 3, rate: 0.5, large: 9007199254740993, huge: 18446744073709551615, on: true, none: null}}
pipeline: {processors: [{bloblang: root = this}, {switch: []}]}
buffer: {none: {}}
output: {stdout: {}}
cache_resources: [{label: c, memory: {}}]
rate_limit_resources: [{label: r, local: {count: 5}}]
metrics_port: 9090
debug_level: true
log_level: WARN
host: 0.0.0.0
shutdown_timeout: 1m30s
metrics: none
metrics_mapping: root = this
tracer: {none: {}}
http: {debug_endpoints: true}
logger: {static_fields: {a: 5}}
input_resources: [{label: i, stdin: {}}]
processor_resources: [{label: p, log: {}}]
output_resources: [{label: o, drop: {}}]
`
	var c, back benthos.Config
	require.NoError(t, yaml.Unmarshal([]byte(text), &c))
	data, err := json.Marshal(c)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, &back))
	assert.Equal(t, c, back)
	assert.Equal(t, rendered(t, c), rendered(t, back))
	assert.Contains(t, string(data), `"shutdown_timeout":90000000000`)
	assert.Contains(t, string(data), `"cache_resources":[{"label":"c","memory":{}}]`)
}

// What is no plain value of JSON becomes what YAML would have of it.
func TestConfigJSONOfGoValues(t *testing.T) {
	c := httpToStdout()
	c.Pipeline = m{
		"timeout": 1500 * time.Millisecond, "codes": map[int]string{404: "gone"}, "mixed": map[any]any{1: []string{"a"}},
		"float": float32(0.1), "whole": 5.0, "big": 1e300, "small": int8(-3), "number": json.Number("7"),
	}
	data, err := json.Marshal(&c)
	require.NoError(t, err)
	var back benthos.Config
	require.NoError(t, json.Unmarshal(data, &back))
	assert.Equal(t, rendered(t, c), rendered(t, back))
	assert.Equal(t, m{
		"timeout": "1.5s", "codes": m{"404": "gone"}, "mixed": m{"1": []any{"a"}},
		"float": 0.1, "whole": 5, "big": 1e300, "small": -3, "number": 7,
	}, back.Pipeline)

	c.Pipeline = m{"date": time.Date(2024, 2, 3, 0, 0, 0, 0, time.UTC)}
	data, err = json.Marshal(c)
	require.NoError(t, err)
	assert.Contains(t, string(data), `"date":"2024-02-03"`)
}

func TestConfigJSONRefuses(t *testing.T) {
	c := httpToStdout()
	c.Buffer = m{"itself": nil}
	c.Buffer["itself"] = c.Buffer
	for _, v := range []any{make(chan int), math.NaN(), c.Buffer} {
		c.Pipeline = m{"v": v}
		_, err := json.Marshal(c)
		assert.Error(t, err)
	}
	assert.Error(t, json.Unmarshal([]byte(`{"metrics_port":"x"}`), &c))
}
