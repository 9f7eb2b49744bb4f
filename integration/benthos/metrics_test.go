//go:build integration

package benthos

import (
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/integration/harness"
)

// flood returns a stream that makes a thousand messages a second.
func flood(t testing.TB) *benthos.Config {
	t.Helper()
	return &benthos.Config{
		MetricsPort: uint16(freePorts(t, 1)),
		Input:       map[string]any{"generate": map[string]any{"interval": "1ms", "mapping": `root = "hello"`}},
		Output:      map[string]any{"drop": map[string]any{}},
	}
}

// An instance whose output fails has not recovered because its metrics cannot
// be read any more.
func TestMissingSamplesAreNoRecovery(t *testing.T) {
	t.Parallel()
	w := newWorld(t, bento(t))
	c := flood(t)
	// The answer of /metrics grows by a series of two thousand bytes with each
	// message, until it is longer than a client reads. Before that the errors are
	// sampled twice, for which there are twenty seconds.
	c.Input["generate"].(map[string]any)["interval"] = "10ms"
	c.Pipeline = map[string]any{"processors": []any{map[string]any{"metric": map[string]any{
		"type": "counter", "name": "many",
		"labels": map[string]any{"id": `${! counter() } ` + strings.Repeat("x", 2000)},
	}}}}
	c.Output = map[string]any{"fallback": []any{
		map[string]any{"http_client": map[string]any{
			"url": "http://" + local(freePorts(t, 1)) + "/", "verb": "POST",
			"retries": 0, "retry_period": "1ms", "max_retry_backoff": "1ms",
		}},
		map[string]any{"drop": map[string]any{}},
	}}
	w.Declare(active(streams{"s": c}))
	w.Says("s", benthos.StateDegraded, "since then its metrics cannot be read", benthos.ErrBodyTooLarge.Error())
	times := len(w.Passed("s"))
	harness.Holds(t, 3*w.options.ErrorWindow, "it stays degraded", func() bool {
		return w.Snapshot("s").State == benthos.StateDegraded && len(w.Passed("s")) == times
	})
}
