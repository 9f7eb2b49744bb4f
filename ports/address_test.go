package ports_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/ports"
)

func TestSplitHostPort(t *testing.T) {
	host, port, err := ports.SplitHostPort("[::1]:8080")
	require.NoError(t, err)
	assert.Equal(t, "::1", host)
	assert.EqualValues(t, 8080, port)
	for addr, want := range map[string]string{
		"nohost": `"nohost" is not host:port`,
		":70000": `the port of ":70000" is not a number from 0 to 65535`,
		":http":  `the port of ":http" is not a number from 0 to 65535`,
	} {
		_, _, err := ports.SplitHostPort(addr)
		assert.EqualError(t, err, want)
	}
}

func TestOverlap(t *testing.T) {
	tests := []struct {
		a, b string
		want bool
	}{
		{"127.0.0.1", "127.0.0.1", true},
		{"127.0.0.1", "localhost", true},
		{"127.0.0.1", "127.0.0.2", false},
		{"127.0.0.1", "0.0.0.0", true},
		{"127.0.0.1", "", true},
		{"127.0.0.1", "::", true},
		{"127.0.0.1", "::ffff:127.0.0.1", true},
		{"127.0.0.1", "::1", false},
		{"::1", "0.0.0.0", false},
		{"::1", "::", true},
		{"a.example", "A.example", true},
		{"a.example", "b.example", false},
		{"a.example", "127.0.0.1", false},
		{"a.example", "0.0.0.0", true},
	}
	for _, tt := range tests {
		assert.Equal(t, tt.want, ports.Overlap(tt.a, tt.b), "%q and %q", tt.a, tt.b)
		assert.Equal(t, tt.want, ports.Overlap(tt.b, tt.a), "%q and %q", tt.b, tt.a)
	}
}
