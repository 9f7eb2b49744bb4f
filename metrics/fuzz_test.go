package metrics_test

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/metrics"
)

// said is what engines say, by their addresses.
type said map[string]string

func (s said) MetricsText(_ context.Context, addr string) ([]byte, error) {
	return []byte(s[addr]), nil
}

// FuzzPage has two engines say anything: what they say is no answer, or a page that
// can be read.
func FuzzPage(f *testing.F) {
	text, err := os.ReadFile("../benthos/testdata/bento-1.10.0-http.metrics")
	require.NoError(f, err)
	f.Add(string(text), string(text))
	f.Add("# TYPE x counter\nx 1\n", "# TYPE x gauge\nx{instance=\"y\"} 1\n")
	f.Add("# TYPE x summary\nx_sum 1\n", "# TYPE x histogram\nx_bucket{le=\"1\"} 1\n")
	f.Add(`{"a.b"} 1`+"\n", "# HELP x \\n\nx{instance=\"\",exported_instance=\"\"} NaN 5\n")
	f.Fuzz(func(t *testing.T, a, b string) {
		page := metrics.Page(metrics.NewStreams(metrics.StreamsConfig{Source: said{"1": a, "2": b}}), map[string]string{"a": "1", "b": "2"})
		parser := expfmt.NewTextParser(model.UTF8Validation)
		_, err := parser.TextToMetricFamilies(strings.NewReader(page))
		require.NoError(t, err, page)
	})
}
