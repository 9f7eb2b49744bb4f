package benthos_test

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/benthos"
)

func readMetrics(t testing.TB, name string) []byte {
	text, err := os.ReadFile("testdata/" + name)
	require.NoError(t, err)
	return text
}

func TestParseMetricsOfBento(t *testing.T) {
	got, err := benthos.ParseMetrics(readMetrics(t, "bento-1.10.0-http.metrics"))
	require.NoError(t, err)
	assert.Equal(t, benthos.Metrics{
		InputReceived: 2, OutputSent: 2, OutputBatchSent: 2, OutputConnections: 1, OutputConnectionUp: 1,
	}, got)

	got, err = benthos.ParseMetrics(readMetrics(t, "bento-1.10.0-broker.metrics"))
	require.NoError(t, err)
	assert.Equal(t, benthos.Metrics{
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
		"# TYPE output_error summary\noutput_error_sum 4\noutput_error_count 1":         0,
		"output_error{a=\"1\"} 1\noutput_error{a=\"2\"} 2\nother{output_error=\"5\"} 9": 3,
		"output_error{a=\"1\"} 1e19\noutput_error{a=\"2\"} 1e19":                        1<<64 - 1,
		"output_error 3 1700000000000":                                                  3,
		"":                                                                              0,
	}
	for text, want := range tests {
		got, err := benthos.ParseMetrics([]byte(text + "\n"))
		require.NoError(t, err, text)
		assert.Equal(t, benthos.Metrics{OutputError: want}, got, text)
	}
}

func TestParseMetricsRefusesOtherText(t *testing.T) {
	for _, text := range []string{"<html>", "404 page not found\n", "output_error", "output_error{ 3\n", "\x00"} {
		_, err := benthos.ParseMetrics([]byte(text))
		assert.ErrorContains(t, err, "cannot read the metrics", text)
	}
}

func FuzzParseMetrics(f *testing.F) {
	f.Add(readMetrics(f, "bento-1.10.0-http.metrics"))
	f.Add(readMetrics(f, "bento-1.10.0-broker.metrics"))
	f.Add([]byte("# TYPE input_received histogram\ninput_received_bucket{le=\"1\"} 1\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := benthos.ParseMetrics(text)
		if err != nil && got != (benthos.Metrics{}) {
			t.Fatalf("an error and metrics: %v, %+v", err, got)
		}
		if got.InputConnectionUp > got.InputConnections || got.OutputConnectionUp > got.OutputConnections {
			t.Fatalf("more connections up than there are: %+v", got)
		}
	})
}

// at is a time by seconds on a clock that starts anywhere.
func at(seconds float64) time.Time {
	return time.Unix(1_700_000_000, 0).Add(time.Duration(seconds * float64(time.Second)))
}

func errorsAt(n uint64) benthos.Metrics { return benthos.Metrics{OutputError: n} }

func TestWindowForgetsWhatIsOver(t *testing.T) {
	w := benthos.MetricsWindow{Span: 10 * time.Second}
	assert.Zero(t, w.Delta(at(0)))
	w.Add(at(0), 7, errorsAt(5))
	assert.Zero(t, w.Delta(at(0)).Counts.OutputError, "what was counted before the first look is no news")
	w.Add(at(1), 7, errorsAt(8))
	for s := 2.0; s <= 30; s++ {
		w.Add(at(s), 7, errorsAt(8))
		want := uint64(3)
		if s >= 11 {
			want = 0
		}
		assert.Equal(t, want, w.Delta(at(s)).Counts.OutputError, "after %v s", s)
	}
	assert.Equal(t, 10*time.Second, w.Delta(at(30)).Span)
}

func TestWindowWithoutNewSamplesComesToNothing(t *testing.T) {
	var w benthos.MetricsWindow
	w.Add(at(0), 7, errorsAt(0))
	w.Add(at(30), 7, errorsAt(9))
	assert.EqualValues(t, 9, w.Delta(at(59)).Counts.OutputError)
	assert.EqualValues(t, 9, w.Delta(at(60)).Counts.OutputError)
	assert.Zero(t, w.Delta(at(90)).Counts.OutputError)
	latest, any := w.Latest()
	assert.True(t, any)
	assert.EqualValues(t, 9, latest.OutputError)
}

func TestWindowOverRestarts(t *testing.T) {
	tests := []struct {
		name      string
		processes [3]int
		counts    [3]uint64
		want      uint64
	}{
		{"same process", [3]int{7, 7, 7}, [3]uint64{5, 6, 8}, 3},
		{"new process counts from zero", [3]int{7, 7, 8}, [3]uint64{5, 6, 2}, 3},
		{"new process that got further", [3]int{7, 7, 8}, [3]uint64{5, 6, 9}, 10},
		{"unknown process, counter gone down", [3]int{0, 0, 0}, [3]uint64{5, 6, 2}, 3},
		{"process became known", [3]int{0, 7, 7}, [3]uint64{5, 6, 8}, 3},
		{"a component was removed", [3]int{7, 7, 7}, [3]uint64{5, 2, 3}, 1},
	}
	for _, tt := range tests {
		var w benthos.MetricsWindow
		for i, n := range tt.counts {
			w.Add(at(float64(i)), tt.processes[i], errorsAt(n))
		}
		assert.Equal(t, tt.want, w.Delta(at(2)).Counts.OutputError, tt.name)
	}
}

func TestWindowOverAJumpOfTheClock(t *testing.T) {
	var w benthos.MetricsWindow
	w.Add(at(1000), 7, errorsAt(0))
	w.Add(at(1001), 7, errorsAt(4))
	w.Add(at(5), 7, errorsAt(5))
	assert.Equal(t, benthos.MetricsDelta{}, w.Delta(at(5)))
	w.Add(at(6), 7, errorsAt(6))
	assert.EqualValues(t, 1, w.Delta(at(6)).Counts.OutputError)
	assert.Equal(t, time.Second, w.Delta(at(6)).Span)
}

func TestWindowRates(t *testing.T) {
	var w benthos.MetricsWindow
	w.Add(at(0), 7, benthos.Metrics{InputConnections: 2})
	assert.Zero(t, w.Delta(at(0)).PerSecond(5))
	w.Add(at(4), 7, benthos.Metrics{InputReceived: 10, InputConnections: 2, InputConnectionUp: 1})
	d := w.Delta(at(4))
	assert.InDelta(t, 2.5, d.PerSecond(d.Counts.InputReceived), 1e-9)
	assert.Equal(t, benthos.Metrics{InputReceived: 10, InputConnections: 2, InputConnectionUp: 1}, d.Counts)
}

// TestWindowAgainstEverySample compares the window, which merges and drops
// samples, with one that keeps all of them.
func TestWindowAgainstEverySample(t *testing.T) {
	const span, step = 10.0, 0.01
	w := benthos.MetricsWindow{Span: span * 1e9}
	var total uint64
	counts := map[int]uint64{}
	for i := range 5000 {
		if i%700 < 50 {
			total += uint64(i % 7)
		}
		counts[i] = total
		w.Add(at(float64(i)*step), 7, errorsAt(total))
		d := w.Delta(at(float64(i) * step))
		slot := int(d.Span.Seconds()/step + 0.5)
		require.Equal(t, counts[i]-counts[i-slot], d.Counts.OutputError, "sample %d", i)
		if i > 1000 {
			require.InDelta(t, span, d.Span.Seconds(), 2*span/128, "sample %d", i)
		}
	}
}
