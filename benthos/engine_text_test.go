package benthos

import (
	"bytes"
	"math"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
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

// TestParseMetricsByTheFormat: what may stand in a line, and what may not.
func TestParseMetricsByTheFormat(t *testing.T) {
	const good = "output_error 3\n"
	tests := map[string]bool{
		"# TYPE output_error counter\n# HELP output_error a \\\\ b \\n \\\"c\\\"\n" + good: true,
		"# HELP output_error \\a\n" + good:                                                 false,
		"# HELP output_error a\\\n" + good:                                                 false,
		"# HELP output_error a\n# HELP output_error a\n" + good:                            false,
		"# TYPE output_error counter\n# TYPE output_error gauge\n" + good:                  false,
		good + "# TYPE output_error counter\n":                                             false,
		good + "# HELP output_error it comes late\n":                                       true,
		"# TYPE output_error bogus\n" + good:                                               false,
		"# TYPE other bogus\n# HELP other \\a\n" + good:                                    true,
		"# TYPE output_error\n# HELP output_error\n" + good:                                true,
		"#\n# \n#TYPE output_error UnTyped\n# any \\comment\n \t\n" + good:                 true,
		" \toutput_error\t{ a = \"1\" , b=\"2\", } \t3\n":                                  true,
		"output_error{}3\n":                        true,
		"output_error{a=\"\\\"\\\\\\n{}=,#\"} 3\n": true,
		"output_error{a=\"\\t\"} 3\n":              false,
		"output_error{a=\"\\\"} 3\n":               false,
		"output_error{a=\"\xff\"} 3\n":             false,
		"output_error{a=\"1\",a=\"2\"} 3\n":        false,
		"output_error{__name__=\"a\"} 3\n":         false,
		"output_error{a:b=\"1\"} 3\n":              false,
		"output_error{a=\"1\" b=\"2\"} 3\n":        false,
		"output_error{a=1} 3\n":                    false,
		"output_error{,} 3\n":                      false,
		"output_error{a=\"1\" 3\n":                 false,
		"output_error{a=\"1\"}\n":                  false,
		"output_error 3 17\n":                      true,
		"output_error 3 -17\n":                     true,
		"output_error 3 1.5\n":                     false,
		"output_error 3 \n":                        false,
		"output_error 3 17 \n":                     false,
		"output_error 3 17 18\n":                   false,
		"output_error 1_000\n":                     false,
		"output_error 0x1p4\n":                     false,
		"output_error 1e400\n":                     false,
		"output_error 3\r\n":                       false,
		"# TYPE output_error counter\r\n" + good:   false,
		good + "\r\n":                              false,
		"other 3\r\n" + good:                       true,
		"other{a=\n" + good:                        true,
		good + "other 3":                           false,
		good + "output_error{a=\"1\"} 3":           false,
		good + " \t":                               true,
		"\"output_error\" 3\n":                     false,
		"{\"output_error\"} 3\n":                   false,
	}
	for text, want := range tests {
		got, err := parseMetrics([]byte(text))
		if !want {
			assert.ErrorContains(t, err, "cannot read the metrics", text)
			continue
		}
		require.NoError(t, err, text)
		assert.Equal(t, Metrics{OutputError: 3, InputUncounted: true}, got, text)
	}
}

// TestParseMetricsOfEachCut: what was cut off is missing, and never zero.
func TestParseMetricsOfEachCut(t *testing.T) {
	for _, name := range []string{"bento-1.10.0-http.metrics", "bento-1.10.0-broker.metrics"} {
		text := readMetrics(t, name)
		for n := range text {
			_, err := parseMetrics(text[:n])
			if n == 0 || text[n-1] != '\n' {
				assert.Error(t, err, "%s, %d bytes", name, n)
			}
		}
	}
}

// TestParseMetricsLikeExpfmt changes each byte of what engines say of a family, and
// asks the parser of Prometheus as well.
func TestParseMetricsLikeExpfmt(t *testing.T) {
	others := []string{"", "\\", "\"", "\n", "\r", " ", "\t", "{", "}", ",", "=", "#", "-", ".", "e", "_", "0", "\x80", "a", "N"}
	for _, name := range []string{"bento-1.10.0-http.metrics", "bento-1.10.0-broker.metrics"} {
		whole := ours(readMetrics(t, name))
		compareWithExpfmt(t, whole)
		for family := range bytes.SplitSeq(whole, []byte("# HELP ")) {
			text := append([]byte("# HELP "), family...)
			for at := range text {
				if testing.Short() && at%7 != 0 {
					continue
				}
				for _, other := range others {
					compareWithExpfmt(t, slices.Concat(text[:at], []byte(other), text[at+1:]))
					compareWithExpfmt(t, slices.Concat(text[:at], []byte(other), text[at:]))
				}
			}
		}
	}
}

func FuzzParseMetrics(f *testing.F) {
	f.Add(readMetrics(f, "bento-1.10.0-http.metrics"))
	f.Add(readMetrics(f, "bento-1.10.0-broker.metrics"))
	f.Add([]byte("# TYPE input_received histogram\ninput_received_bucket{le=\"1\"} 1\n"))
	f.Add([]byte("# HELP output_error a \\\\ b\n\toutput_error { a=\"\\\"\", } +Inf -17\r\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		compareWithExpfmt(t, text)
		got, err := parseMetrics(text)
		if err != nil && got != (Metrics{}) {
			t.Fatalf("an error and metrics: %v, %+v", err, got)
		}
		if got.InputConnectionUp > got.InputConnections || got.OutputConnectionUp > got.OutputConnections {
			t.Fatalf("more connections up than there are: %+v", got)
		}
	})
}

// another matches lines of families that are not looked at, apart from those of
// ours, and odd what is not compared: names in quotes, types with several values, a
// backslash in a type, and a value right after a name.
var (
	another = regexp.MustCompile(`^[ \t]*(?:([a-zA-Z_:][a-zA-Z0-9_:]*)[ \t{]|#[ \t]*(?:HELP|TYPE)[ \t]+([a-zA-Z_:][a-zA-Z0-9_:]*)[ \t])`)
	odd     = regexp.MustCompile(`(?i)(^|\n)[ \t]*(#[ \t]*(HELP|TYPE)[ \t]+)?([a-z0-9_:]*["+.-]|{)` + `|(?-i:TYPE)[^\n]*(\\|summary|histogram|[^\x00-\x7f])` + `|[{,][ \t]*[a-z0-9_]*"`)
)

// ours is a text without the lines of other families.
func ours(text []byte) (kept []byte) {
	var m Metrics
	known := []string{"input_connection_up", "output_connection_up"}
	for _, f := range m.families() {
		known = append(known, f.name)
	}
	for line := range bytes.Lines(text) {
		if found := another.FindSubmatch(line); found == nil || slices.Contains(known, string(found[1])+string(found[2])) {
			kept = append(kept, line...)
		}
	}
	return kept
}

// compareWithExpfmt holds that a text which is taken says to the parser of
// Prometheus what was read of it, and that one which that takes is taken, but for what
// is odd, and for text that is cut within a line.
func compareWithExpfmt(t *testing.T, text []byte) {
	got, err := parseMetrics(text)
	cut := len(text) > 0 && text[len(text)-1] != '\n'
	text = ours(text)
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, wantErr := parser.TextToMetricFamilies(bytes.NewReader(text))
	if err != nil {
		if wantErr == nil && len(families) > 0 && !cut && !odd.Match(text) {
			t.Fatalf("%v, of %q", err, text)
		}
		return
	}
	if wantErr != nil {
		t.Fatalf("it is taken, and %v: %q", wantErr, text)
	}
	var want Metrics
	for _, f := range want.families() {
		*f.counter, _, _ = totals(families[f.name])
	}
	want.InputUncounted = families["input_received"] == nil
	_, want.InputConnections, want.InputConnectionUp = totals(families["input_connection_up"])
	_, want.OutputConnections, want.OutputConnectionUp = totals(families["output_connection_up"])
	if got != want && !odd.Match(text) {
		t.Fatalf("%+v is read, and it is %+v: %q", got, want, text)
	}
}

func totals(f *dto.MetricFamily) (total, series, up uint64) {
	for _, m := range f.GetMetric() {
		n := count(m.GetCounter().GetValue() + m.GetGauge().GetValue() + m.GetUntyped().GetValue())
		if total+n < total {
			n = math.MaxUint64 - total
		}
		total += n
		series++
		if n > 0 {
			up++
		}
	}
	return total, series, up
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
