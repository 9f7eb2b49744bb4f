package benthos

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func readMetrics(t testing.TB, name string) []byte {
	text, err := os.ReadFile("testdata/" + name)
	require.NoError(t, err)
	return text
}

func TestParseMetricsOfBento(t *testing.T) {
	got, err := parseMetrics(readMetrics(t, "bento-1.10.0-http.metrics"))
	require.NoError(t, err)
	assert.Equal(t, Metrics{
		InputReceived: 2, OutputSent: 2, OutputBatchSent: 2, OutputConnections: 1, OutputConnectionUp: 1,
	}, got)

	got, err = parseMetrics(readMetrics(t, "bento-1.10.0-broker.metrics"))
	require.NoError(t, err)
	assert.Equal(t, Metrics{
		InputReceived: 24, InputConnections: 1, InputConnectionUp: 1,
		OutputSent: 12, OutputBatchSent: 4, OutputConnectionFailed: 2, OutputConnections: 3, OutputConnectionUp: 2,
		ProcessorReceived: 20, ProcessorBatchReceived: 20, ProcessorSent: 20, ProcessorBatchSent: 20, ProcessorError: 20,
		BufferReceived: 24, BufferSent: 20,
	}, got)
}

func TestParseMetricsIsForgivingOfValues(t *testing.T) {
	tests := map[string]uint64{
		"output_error 3":                            3,
		"output_error 3.9":                          3,
		"output_error -1":                           0,
		"output_error NaN":                          0,
		"output_error +Inf":                         1<<64 - 1,
		"output_error 1e300":                        1<<64 - 1,
		"# TYPE output_error gauge\noutput_error 4": 4,
		"# TYPE output_error summary\noutput_error_sum 4\noutput_error_count 1\ninput_received 0": 0,
		"output_error{a=\"1\"} 1\noutput_error{a=\"2\"} 2\nother{output_error=\"5\"} 9":           3,
		"output_error{a=\"1\"} 1e19\noutput_error{a=\"2\"} 1e19":                                  1<<64 - 1,
		"output_error 3 1700000000000":                                                            3,
	}
	for text, want := range tests {
		got, err := parseMetrics([]byte(text + "\n"))
		require.NoError(t, err, text)
		assert.Equal(t, Metrics{OutputError: want, InputUncounted: !strings.Contains(text, "input_received")}, got, text)
	}
}

func TestParseMetricsRefusesOtherText(t *testing.T) {
	for _, text := range []string{"<html>", "404 page not found\n", "output_error", "output_error{ 3\n", "\x00", "", "\n", "go_goroutines 7\n"} {
		_, err := parseMetrics([]byte(text))
		assert.ErrorContains(t, err, "cannot read the metrics", text)
	}
}

func FuzzParseMetrics(f *testing.F) {
	f.Add(readMetrics(f, "bento-1.10.0-http.metrics"))
	f.Add(readMetrics(f, "bento-1.10.0-broker.metrics"))
	f.Add([]byte("# TYPE input_received histogram\ninput_received_bucket{le=\"1\"} 1\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := parseMetrics(text)
		if err != nil && got != (Metrics{}) {
			t.Fatalf("an error and metrics: %v, %+v", err, got)
		}
		if got.InputConnectionUp > got.InputConnections || got.OutputConnectionUp > got.OutputConnections {
			t.Fatalf("more connections up than there are: %+v", got)
		}
	})
}

func BenchmarkParseMetrics(b *testing.B) {
	text := readMetrics(b, "bento-1.10.0-http.metrics")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := parseMetrics(text); err != nil {
			b.Fatal(err)
		}
	}
}
