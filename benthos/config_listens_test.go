package benthos_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/evenkeel/evenkeel/benthos"
)

func TestPorts(t *testing.T) {
	c := benthos.Config{
		MetricsPort: 9080,
		Input: m{"broker": m{"inputs": []any{
			m{"http_server": m{"address": "0.0.0.0:8080"}},
			m{"http_server": m{"path": "/on-the-endpoint"}},
			m{"http_server": m{"address": "127.0.0.1:${PORT}"}},
			m{"socket_server": m{"network": "tcp", "address": ":7000"}},
			m{"socket_server": m{"network": "tls", "address": "[::1]:7001"}},
			m{"socket_server": m{"network": "udp", "address": ":7002"}},
			m{"socket_server": m{"network": "unix", "address": "/tmp/s"}},
			m{"http_server": m{"address": "127.0.0.1:0"}},
			m{"http_client": m{"url": "http://127.0.0.1:1", "address": "127.0.0.1:2"}},
			m{"http_server": "not a map"},
		}}},
		Pipeline:       m{"processors": []map[string]any{{"branch": map[any]any{"http_server": map[string]string{"address": "a.example:7003"}}}}},
		Output:         m{"http_server": m{"address": "127.0.0.1:8081"}},
		CacheResources: []map[string]any{{}, {"x": m{"socket_server": m{"address": "127.0.0.1:7004"}}}},
	}
	assert.Equal(t, []benthos.Listen{
		{Host: "127.0.0.1", Port: 9080, Path: "metrics_port"},
		{Host: "0.0.0.0", Port: 8080, Path: "input.broker.inputs.0.http_server.address"},
		{Host: "", Port: 7000, Path: "input.broker.inputs.3.socket_server.address"},
		{Host: "::1", Port: 7001, Path: "input.broker.inputs.4.socket_server.address"},
		{Host: "a.example", Port: 7003, Path: "pipeline.processors.0.branch.http_server.address"},
		{Host: "127.0.0.1", Port: 8081, Path: "output.http_server.address"},
		{Host: "127.0.0.1", Port: 7004, Path: "cache_resources.1.x.socket_server.address"},
	}, benthos.Ports(c))
	assert.Empty(t, benthos.Ports(benthos.Config{}))
}

func TestListenOverlaps(t *testing.T) {
	a, b := benthos.Listen{Host: "127.0.0.1", Port: 80}, benthos.Listen{Port: 80}
	assert.True(t, a.Overlaps(b))
	b.Port++
	assert.False(t, a.Overlaps(b))
}
