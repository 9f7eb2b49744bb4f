package benthos_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"github.com/evenkeel/evenkeel/benthos"
)

type m = map[string]any

// httpToStdout is a valid configuration with a fresh set of maps.
func httpToStdout() benthos.Config {
	return benthos.Config{
		Input:       m{"http_server": m{"address": "127.0.0.1:8080", "path": "/", "timeout": "5s"}},
		Output:      m{"stdout": m{}},
		MetricsPort: 9080,
	}
}

// rendered returns the document of a configuration, by which it is told from
// others.
func rendered(t testing.TB, c benthos.Config) string {
	t.Helper()
	if c.MetricsPort == 0 {
		c.MetricsPort = 9080
	}
	text, err := c.Render()
	require.NoError(t, err)
	return string(text)
}

func TestConfigReadsTheKeysOfUMHCore(t *testing.T) {
	const text = `
input: {generate: {interval: 1s, mapping: 'root = "hello world"'}}
pipeline: {processors: [{bloblang: root = this}]}
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
`
	var got benthos.Config
	require.NoError(t, yaml.Unmarshal([]byte(text), &got))
	assert.Equal(t, benthos.Config{
		Input:              m{"generate": m{"interval": "1s", "mapping": `root = "hello world"`}},
		Pipeline:           m{"processors": []any{m{"bloblang": "root = this"}}},
		Buffer:             m{"none": m{}},
		Output:             m{"stdout": m{}},
		CacheResources:     []map[string]any{{"label": "c", "memory": m{}}},
		RateLimitResources: []map[string]any{{"label": "r", "local": m{"count": 5}}},
		MetricsPort:        9090,
		DebugLevel:         true,
		LogLevel:           "WARN",
		Host:               "0.0.0.0",
		ShutdownTimeout:    90 * time.Second,
		Metrics:            "none",
	}, got)
	require.NoError(t, got.Validate())
}

func TestEndpointAddr(t *testing.T) {
	for host, want := range map[string]string{
		"":          "127.0.0.1:9080",
		"0.0.0.0":   "127.0.0.1:9080",
		"::":        "[::1]:9080",
		"[::1]":     "[::1]:9080",
		"10.0.0.1":  "10.0.0.1:9080",
		"localhost": "localhost:9080",
	} {
		c := benthos.Config{Host: host, MetricsPort: 9080}
		assert.Equal(t, want, c.EndpointAddr(), "host %q", host)
	}
}

func TestCloneSharesNothing(t *testing.T) {
	c := httpToStdout()
	c.Pipeline = m{"processors": []any{m{"log": m{"message": "a"}}}}
	c.CacheResources = []map[string]any{{"label": "one"}}
	c.Buffer = m{"typed": map[string]string{"a": "b"}}
	before, clone := rendered(t, c), c.Clone()
	require.Equal(t, before, rendered(t, clone))

	c.Input["http_server"].(m)["path"] = "/changed"
	c.Pipeline["processors"].([]any)[0].(m)["log"] = m{}
	c.CacheResources[0]["label"] = "two"
	c.Buffer["typed"].(map[string]string)["a"] = "c"
	assert.Equal(t, before, rendered(t, clone))
	assert.NotEqual(t, before, rendered(t, c))
	assert.Nil(t, benthos.Config{}.Clone().Input)
}
