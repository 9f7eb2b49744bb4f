package metrics_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/benthos/benthostest"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/metrics"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/s6test"
)

var update = flag.Bool("update", false, "write the golden files")

const endpoint = "127.0.0.1:9080"

type (
	service  = fsm.Desired[*s6.Spec]
	stream   = fsm.Desired[*benthos.Config]
	services map[string]service
	streams  map[string]stream
)

// world is a program that keeps services and streams on a tree in memory, and is
// measured.
type world struct {
	t         *testing.T
	tree      *s6test.Tree
	prober    *benthostest.Prober
	collector *metrics.Collector
	loop      *fsm.Loop
	services  *fsm.Manager[*s6.Spec, s6.Observed]
	streams   *fsm.Manager[*benthos.Config, benthos.Observed]
	registry  *prometheus.Registry
	end       func() // ends the program; what it keeps runs on
}

// newTree returns a tree on which sleep and an engine are installed.
func newTree(t *testing.T) *s6test.Tree {
	tree := s6test.New(s6test.Config{})
	t.Cleanup(func() {
		assert.NoError(t, tree.Close())
		assert.Empty(t, tree.Violations())
	})
	tree.Install("sleep", s6test.Program{})
	tree.Install("/usr/bin/benthos", s6test.Program{ReadyAfter: s6test.Never})
	return tree
}

// inWorld runs a test in a world, in a bubble.
func inWorld(t *testing.T, config metrics.Config, f func(t *testing.T, w *world)) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, tree: newTree(t), prober: benthostest.NewProber()}
		w.begin(config)
		defer func() { w.end() }() // that of the last program
		f(t, w)
	})
}

// begin begins a program.
func (w *world) begin(config metrics.Config) {
	w.collector, w.loop, w.registry = metrics.New(config), &fsm.Loop{}, prometheus.NewPedanticRegistry()
	require.NoError(w.t, w.registry.Register(w.collector))
	hooked := fsm.Config{Listeners: []fsm.Listener{w.collector.Listen}, OnPass: w.collector.OnPass}
	var err error
	w.services, err = s6.NewManager(w.tree, hooked)
	require.NoError(w.t, err)
	w.streams, err = benthos.NewManager(w.tree, benthos.Options{Engine: "/usr/bin/benthos", Prober: w.prober}, hooked)
	require.NoError(w.t, err)
	metrics.Add(w.collector, w.services)
	metrics.Add(w.collector, w.streams)
	w.collector.AddLoop(w.loop)
	done := make(chan error)
	go func() { done <- w.loop.Run(context.Background(), w.services, w.streams) }()
	w.end = func() {
		require.NoError(w.t, w.services.Close(context.Background()))
		require.NoError(w.t, w.streams.Close(context.Background()))
		require.NoError(w.t, <-done)
	}
}

// pass lets time pass, and what happens in it come to rest.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func running(command ...string) service {
	return service{State: s6.Running, Spec: &s6.Spec{Command: command}}
}

func active(port uint16) stream {
	return stream{State: benthos.Active, Spec: &benthos.Config{
		MetricsPort: port,
		Input:       map[string]any{"generate": map[string]any{"interval": "1s", "mapping": `root = "hello"`}},
		Output:      map[string]any{"stdout": map[string]any{}},
	}}
}

// page returns what a registry has, as Prometheus reads it.
func page(t testing.TB, from prometheus.Gatherer) string {
	t.Helper()
	families, err := from.Gather()
	require.NoError(t, err)
	var out bytes.Buffer
	for _, f := range families {
		_, err := expfmt.MetricFamilyToText(&out, f)
		require.NoError(t, err)
	}
	return out.String()
}

// samples returns the lines of what is scraped that begin so.
func (w *world) samples(prefix string) []string {
	w.t.Helper()
	return beginning(page(w.t, w.registry), prefix)
}

func beginning(text, prefix string) (lines []string) {
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, prefix) {
			lines = append(lines, strings.TrimSuffix(line, "\n"))
		}
	}
	return lines
}

// value returns that of one sample, which is to be there.
func (w *world) value(sample string) float64 {
	w.t.Helper()
	lines := w.samples(sample + " ")
	require.Len(w.t, lines, 1, "of %s in\n%s", sample, page(w.t, w.registry))
	var v float64
	_, err := fmt.Sscan(strings.TrimPrefix(lines[0], sample+" "), &v)
	require.NoError(w.t, err)
	return v
}

// golden compares a text with a file of testdata.
func golden(t *testing.T, file, text string) {
	t.Helper()
	name := "testdata/" + file
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(name, []byte(text), 0o644))
	}
	want, err := os.ReadFile(name)
	require.NoError(t, err)
	assert.Equal(t, string(want), text, "run the test with -update if it is meant to be so")
}

// scraped returns what a handler answers.
func scraped(t testing.TB, s *metrics.Streams) string {
	t.Helper()
	answer := httptest.NewRecorder()
	s.ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), "GET", "/metrics/streams", nil))
	require.Equal(t, 200, answer.Code, answer.Body)
	return answer.Body.String()
}

// untimed takes out of a text what depends on how long something took, and on how often it
// was looked at.
func untimed(text string) string {
	return regexp.MustCompile(`(?m)^(evenkeel_pass_duration_seconds_|evenkeel_ticks_total|evenkeel_stream_scrape_duration_seconds).*\n`).ReplaceAllString(text, "")
}
